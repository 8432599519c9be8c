"""A value that comes once, for as many as want to wait for it."""

from __future__ import annotations

import asyncio
from typing import Generic, TypeVar

T = TypeVar("T")


class Outcome(Generic[T]):
    """A value that comes once and may be waited for any number of times; cancelling is safe."""

    def __init__(self) -> None:
        self._value: list[T] = []
        self._waiters: list[asyncio.Future[T]] = []

    def set(self, value: T) -> None:
        """Give the value; only the first counts."""
        if self._value:
            return
        self._value.append(value)
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(value)

    @property
    def is_set(self) -> bool:
        """Whether the value is there."""
        return bool(self._value)

    def wait(self) -> asyncio.Future[T]:
        """The value as soon as it is there; who waits no longer cancels his own future."""
        waiter: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        if self._value:
            waiter.set_result(self._value[0])
        else:
            self._waiters = [each for each in self._waiters if not each.done()]
            self._waiters.append(waiter)
        return waiter
