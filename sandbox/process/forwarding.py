"""What a router changes of the host itself: one address of its own, and that packets are forwarded.

Several hosts of emberd may run on one machine. Each holds a numbered lock, whose number is its
address; the last one to leave undoes what the first one changed.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from sandbox.process.instance import RUN

_SWITCH = Path("/proc/sys/net/ipv4/ip_forward")
_WAS_OFF = "was-off"
_NUMBERS = 1_024


class NoUplinkError(OSError):
    """Every address that routers of this machine may have is taken."""


class Forwarding:
    """This host's number, and the machine's forwarding of packets while it holds one."""

    def __init__(self, folder: Path | None = None, switch: Path = _SWITCH) -> None:
        """folder holds the locks, one for every network namespace in which hosts may run."""
        self._folder = folder or RUN / "uplinks" / str(os.stat("/proc/self/ns/net").st_ino)
        self._switch = switch
        self._lock_fd = -1
        self.number = -1

    @property
    def addresses(self) -> tuple[str, str]:
        """The two ends of the uplink, 31 bits in common: the host's and the router's."""
        assert self.number >= 0, "a number is claimed first"
        first = self.number * 2
        return _address(first), _address(first + 1)

    def claim(self) -> None:
        """Take the first free number.

        Raises:
            NoUplinkError: none is free.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        for number in range(_NUMBERS):
            fd = os.open(self._folder / str(number), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            if _locked(fd):
                self._lock_fd, self.number = fd, number
                return
            os.close(fd)
        raise NoUplinkError("every uplink address of this machine is in use: run fewer hosts")

    def enable(self) -> None:
        """Let the machine forward packets, and remember if it did not."""
        with self._alone():
            if self._switch.read_text().strip() == "0":
                (self._folder / _WAS_OFF).touch()
                self._switch.write_text("1\n")

    def release(self) -> None:
        """Give the number back; the last one switches off what was off before. Idempotent."""
        if self._lock_fd < 0:
            return
        with self._alone():
            os.close(self._lock_fd)
            self._lock_fd = -1
            mark = self._folder / _WAS_OFF
            if mark.exists() and not self._others():
                self._switch.write_text("0\n")
                mark.unlink()

    def _others(self) -> bool:
        for path in self._folder.iterdir():
            if path.name.isdigit():
                fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
                try:
                    if not _locked(fd):
                        return True
                finally:
                    os.close(fd)
        return False

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        fd = os.open(self._folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX)
            yield
        finally:
            os.close(fd)


def _address(number: int) -> str:
    return f"100.127.{number >> 8}.{number & 255}"


def _locked(fd: int) -> bool:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
