"""A part that comes after the start: whoever needs it before waits for it."""

from __future__ import annotations

import asyncio
from typing import Generic, TypeVar

T = TypeVar("T")


class Late(Generic[T]):
    """Stands for the part until it is there."""

    def __init__(self) -> None:
        self._part: asyncio.Future[T] = asyncio.get_running_loop().create_future()

    def come(self, part: T) -> None:
        """Here it is, once."""
        self._part.set_result(part)

    async def wait(self) -> T:
        """The part, as soon as it is there."""
        return await asyncio.shield(self._part)
