"""What one thread of a worker gives to each of its guests in turn: event, answer, log and /tmp.

Event and answer are files in memory, which guests read and write without a thread of ours. wasmtime
opens them by their paths in /proc.
"""

from __future__ import annotations

import fcntl
import os

from .limits import RESPONSE_BYTES
from .logs import Log
from .world import TEMPORARY


class Streams:
    """Of one thread."""

    def __init__(self, log: Log | None = None, temporary: str = TEMPORARY) -> None:
        """Make them.

        Args:
            log: Where guests log to; None for this process's stderr.
            temporary: The folder that is their /tmp.
        """
        self.log = log
        self.temporary = temporary
        self._event_fd = os.memfd_create("event", os.MFD_CLOEXEC)
        try:
            self._answer_fd = _answer_file()
        except OSError:
            os.close(self._event_fd)
            raise
        self._is_flooded = False

    @property
    def event_path(self) -> str:
        """What a guest's stdin is."""
        return f"/proc/self/fd/{self._event_fd}"

    @property
    def answer_path(self) -> str:
        """What a guest's stdout is."""
        return f"/proc/self/fd/{self._answer_fd}"

    @property
    def log_path(self) -> str:
        """What a guest's stderr is; empty for this process's."""
        return self.log.path if self.log else ""

    @property
    def is_flooded(self) -> bool:
        """Whether the answer was stopped because it had outgrown all limits."""
        return self._is_flooded

    def begin(self, body: bytes) -> None:
        """Lay out an event, and a clean sheet for its answer."""
        os.ftruncate(self._event_fd, 0)
        done = 0
        while done < len(body):
            done += os.pwrite(self._event_fd, memoryview(body)[done:], done)
        if self._is_flooded:
            os.close(self._answer_fd)
            self._answer_fd = _answer_file()
            self._is_flooded = False
        os.ftruncate(self._answer_fd, 0)

    def answer(self) -> bytes:
        """What was written; of too much, so much that the host sees that it is too much."""
        size = os.fstat(self._answer_fd).st_size
        return os.pread(self._answer_fd, min(size, RESPONSE_BYTES + 1), 0)

    def close(self) -> None:
        """Let go of all."""
        os.close(self._event_fd)
        os.close(self._answer_fd)
        if self.log is not None:
            self.log.close()

    def stop_a_flood(self) -> None:
        """Let no more be written to an answer that is too large already."""
        if not self._is_flooded and os.fstat(self._answer_fd).st_size > RESPONSE_BYTES:
            fcntl.fcntl(self._answer_fd, fcntl.F_ADD_SEALS, fcntl.F_SEAL_GROW)
            self._is_flooded = True


def _answer_file() -> int:
    return os.memfd_create("answer", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
