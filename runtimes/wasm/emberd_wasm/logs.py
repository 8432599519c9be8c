"""The logs of many events in the one pipe that a worker writes to.

Every thread has a pipe of its own for what its guests log. What comes out of it goes on with a mark
before every line, that says whose it is (sandbox/workers/output.py has the format): while a guest
works by a thread of this module, and after its end by the guest's own, so that its last words are
there before its answer.
"""

from __future__ import annotations

import os
import select
import threading

MARK = b"\x1e"
_GOES_ON = b"+"
_PIECE_BYTES = 4 * 1024
"""What one log passes on before others have their turn."""


class Logs:
    """All logs of a process."""

    def __init__(self, fd: int) -> None:
        """fd is where all of them go to."""
        self._fd = fd
        self._lock = threading.Lock()
        self._poll = select.epoll()
        self._logs: dict[int, Log] = {}
        threading.Thread(target=self._pump, name="logs", daemon=True).start()

    def open(self) -> Log:
        """One more."""
        read_fd, write_fd = os.pipe2(os.O_CLOEXEC)
        os.set_blocking(read_fd, False)
        log = Log(self, read_fd, write_fd)
        self._logs[read_fd] = log
        self._poll.register(read_fd, select.EPOLLIN)
        return log

    def forget(self, fd: int) -> None:
        """One is closed."""
        del self._logs[fd]

    def write(self, data: bytes) -> None:
        """Write whole lines, one thread at a time."""
        left = memoryview(data)
        with self._lock:
            while left:
                left = left[os.write(self._fd, left) :]

    def _pump(self) -> None:
        while True:
            for fd, _ in self._poll.poll():
                log = self._logs.get(fd)
                if log is not None:
                    log.pass_on()


class Log:
    """One thread's."""

    def __init__(self, logs: Logs, read_fd: int, write_fd: int) -> None:
        self._logs = logs
        self._lock = threading.Lock()
        self._is_open = True
        self._read_fd = read_fd
        self._write_fd = write_fd
        self.request_id = ""

    @property
    def path(self) -> str:
        """What a guest's stderr is."""
        return f"/proc/self/fd/{self._write_fd}"

    def write(self, line: str) -> None:
        """Add a line of our own."""
        os.write(self._write_fd, line.encode("utf-8", "backslashreplace") + b"\n")

    def flush(self) -> None:
        """Return once everything is out that was written before now."""
        while self.pass_on():
            pass

    def close(self) -> None:
        """Let go of it."""
        with self._lock:
            self._is_open = False
            self._logs.forget(self._read_fd)
            os.close(self._read_fd)
            os.close(self._write_fd)

    def pass_on(self) -> bool:
        """Send a piece on of what was written; False when there is none."""
        with self._lock:
            if not self._is_open:
                return False
            try:
                piece = os.read(self._read_fd, _PIECE_BYTES)
            except BlockingIOError:
                return False
            self._logs.write(marked(self.request_id, piece))
            return True


def marked(request_id: str, piece: bytes) -> bytes:
    """A piece of an event's log with its mark before every line."""
    *lines, rest = piece.split(b"\n")
    owner = MARK + request_id.encode()
    out = [owner + b" " + line + b"\n" for line in lines]
    if rest:
        out.append(owner + _GOES_ON + b" " + rest + b"\n")
    return b"".join(out)
