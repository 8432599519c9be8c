"""An answer to a call before it becomes bytes of HTTP."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Status, headers and body."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(default=b"", repr=False)
    stream: AsyncGenerator[bytes, None] | None = None
    """In place of the body: pieces that leave as they come."""
