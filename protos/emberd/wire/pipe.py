"""Bytes from one task to another, in order and bounded: how a streamed answer waits for its reader.

The writer never blocks, so that a protocol's callback may write; it asks is_full and holds back, or
awaits room. What the reader has not taken is the only memory that a stream costs.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

PIPE_BYTES_MAX = 128 * 1024
"""What one place on the way of a streamed answer holds before its writer must wait."""


class BytePipe:
    """One writer, one reader. Every read gives at least one byte, or none at the end."""

    def __init__(self, limit_bytes: int = PIPE_BYTES_MAX) -> None:
        self._limit = limit_bytes
        self._pieces: deque[bytes] = deque()
        self._bytes = 0
        self._closed = False
        self._discarded = False
        self._readable = asyncio.Event()
        self._roomy = asyncio.Event()
        self._roomy.set()
        self.on_room: Callable[[], None] | None = None
        """Called when a full pipe has room again."""

    @property
    def is_full(self) -> bool:
        """Whether the writer should wait before it writes more."""
        return self._bytes >= self._limit and not self._discarded

    @property
    def is_discarded(self) -> bool:
        """Whether nobody reads any more."""
        return self._discarded

    def write(self, data: bytes) -> None:
        """Put bytes in, over the limit too: a writer that holds back writes one piece at most."""
        if self._closed or self._discarded or not data:
            return
        self._pieces.append(data)
        self._bytes += len(data)
        self._readable.set()
        if self.is_full:
            self._roomy.clear()

    async def room(self) -> None:
        """Wait until there is room."""
        await self._roomy.wait()

    def close(self) -> None:
        """No more will be written; what is in the pipe can still be read. Idempotent."""
        self._closed = True
        self._readable.set()

    def discard(self) -> None:
        """Nobody reads any more: what is in it and what still comes is thrown away. Idempotent."""
        self._discarded = True
        self._pieces.clear()
        self._bytes = 0
        self._readable.set()
        self._make_room()

    def take(self, limit_bytes: int) -> bytes:
        """What can be had without waiting; empty when there is nothing."""
        taken: list[bytes] = []
        left = limit_bytes
        while self._pieces and left:
            piece = self._pieces.popleft()
            if len(piece) > left:
                self._pieces.appendleft(piece[left:])
                piece = piece[:left]
            taken.append(piece)
            left -= len(piece)
        self._bytes -= limit_bytes - left
        if not self._pieces and not self._closed and not self._discarded:
            self._readable.clear()
        if self._bytes < self._limit:
            self._make_room()
        return taken[0] if len(taken) == 1 else b"".join(taken)

    async def read(self, limit_bytes: int) -> bytes:
        """The next bytes, as many as are there up to the limit; empty at the end."""
        await self._readable.wait()
        return self.take(limit_bytes)

    def _make_room(self) -> None:
        if self._roomy.is_set():
            return
        self._roomy.set()
        if self.on_room is not None:
            self.on_room()


def nowhere() -> BytePipe:
    """A pipe that nobody reads: what is written is thrown away, and its writer never waits."""
    pipe = BytePipe()
    pipe.discard()
    return pipe
