"""Reads the pipe that a sandbox writes to, without letting a flood take the host's loop."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable

READ_BYTES = 4 * 1024
"""At most in one piece: a read of nothing but line feeds is as many lines, 10 ms of work."""
DRAIN_BYTES_MAX = 1024 * 1024
"""What is read at most at once: a pipe holds 256 KB, so this is generous and still bounded."""
DRAIN_LINES_MAX = 4_000
"""What one drain passes on at most; the rest of a flood is counted and dropped."""
BUSY_S = 0.001
REST_PER_BUSY = 7
"""A reader that took this long of the loop rests for seven times as long. A flood waits in its own
pipe then, and takes an eighth of the loop that all sandboxes of a host share."""


class OutputReader:
    """Passes on what comes, as it comes."""

    def __init__(self, fd: int, feed: Callable[[bytes], None]) -> None:
        self._fd = fd
        self._feed = feed
        self._loop = asyncio.get_running_loop()
        self._busy_s = 0.0
        self._rest: asyncio.TimerHandle | None = None
        self._loop.add_reader(fd, self._readable)

    def drain(self) -> int:
        """Take everything that was written before now; returns the lines that were too many."""
        total = lines = dropped = 0
        while total < DRAIN_BYTES_MAX and (data := self._read()):
            total += len(data)
            if lines >= DRAIN_LINES_MAX:
                dropped += data.count(b"\n")
                continue
            lines += data.count(b"\n")
            self._feed(data)
        return dropped

    def take(self) -> None:
        """Take what was written before now, and leave what is too much of it to the reading."""
        total = lines = 0
        while total < DRAIN_BYTES_MAX and lines < DRAIN_LINES_MAX and (data := self._read()):
            total += len(data)
            lines += data.count(b"\n")
            self._feed(data)

    def close(self) -> None:
        """Stop reading. Idempotent; the descriptor belongs to the sandbox."""
        if self._rest is not None:
            self._rest.cancel()
            self._rest = None
        if self._fd >= 0:
            self._loop.remove_reader(self._fd)
            self._fd = -1

    def _readable(self) -> None:
        """Read once a turn, and rest when that was much work, so that a flood starves nobody."""
        began = self._loop.time()
        data = self._read()
        if not data:
            return
        self._feed(data)
        self._busy_s += self._loop.time() - began
        if self._busy_s >= BUSY_S:
            self._loop.remove_reader(self._fd)
            self._rest = self._loop.call_later(self._busy_s * REST_PER_BUSY, self._read_again)

    def _read_again(self) -> None:
        self._busy_s = 0.0
        self._rest = None
        self._loop.add_reader(self._fd, self._readable)

    def _read(self) -> bytes:
        if self._fd < 0:
            return b""
        try:
            data = os.read(self._fd, READ_BYTES)
        except BlockingIOError:
            return b""
        if not data:
            self._loop.remove_reader(self._fd)
        return data
