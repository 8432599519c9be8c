"""What makes one emberd host distinct on a machine: its name, its lock and its uid ranges.

Several hosts may run on one machine (tests do). Names derive from the state folder, so that the
next life of the same host finds and sweeps what the last one left.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import time
from dataclasses import dataclass
from pathlib import Path

from sandbox.process.namespaces import IDS_PER_SANDBOX

RUN = Path("/run/emberd")
LOCK_WAIT_S = 10.0

_FIRST_SANDBOX_ID = 0x7000_0000
"""Above what systemd and container tools hand out, below what does not fit a signed number."""
_BLOCKS = 63
_SANDBOXES_PER_BLOCK = 64
_FIRST_DAEMON_ID = 0x7FFF_0000
_DAEMON_IDS = 0x8000


class StateInUseError(Exception):
    """Another host runs on this state folder."""


class NoUidRangeError(Exception):
    """Every range of uids is in use by the hosts of this machine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """The names of one host."""

    state: Path

    @property
    def name(self) -> str:
        """emberd-<8 hexadecimal digits>: its cgroups and everything else outside its folder."""
        return f"emberd-{self._digest[:8]}"

    @property
    def agent_id(self) -> int:
        """Uid and gid of its agent; the same in every life, since files belong to it."""
        return _FIRST_DAEMON_ID + int(self._digest[:8], 16) % _DAEMON_IDS

    @property
    def resolver_id(self) -> int:
        """Uid and gid of its resolver."""
        return self.agent_id + _DAEMON_IDS

    @property
    def _digest(self) -> str:
        return hashlib.sha256(str(self.state.resolve()).encode()).hexdigest()


def take_lock(state: Path, wait_s: float = LOCK_WAIT_S) -> int:
    """Hold the state folder for this life; a dying predecessor is waited for.

    Raises:
        StateInUseError: somebody still holds it.
    """
    path = state / "lock"
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    deadline = time.monotonic() + wait_s
    while not _try_lock(fd):
        if time.monotonic() > deadline:
            os.close(fd)
            raise StateInUseError(
                f"{state} is in use by another emberd-host: stop it, or give another --state"
            )
        time.sleep(0.05)
    return fd


class UidRanges:
    """Private ranges of 65,536 ids, claimed in blocks of 64 so that hosts never overlap."""

    def __init__(self, folder: Path = RUN / "uids") -> None:
        self._folder = folder
        self._locks: list[int] = []
        self._free: list[int] = []
        self._tried = 0

    def take(self) -> int:
        """The first host id of a free range.

        Raises:
            NoUidRangeError: all are in use.
        """
        while not self._free:
            self._claim_block()
        return self._free.pop()

    def give_back(self, first_id: int) -> None:
        """Nothing runs in it any more."""
        self._free.append(first_id)

    def _claim_block(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        while self._tried < _BLOCKS:
            block, self._tried = self._tried, self._tried + 1
            fd = os.open(self._folder / str(block), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            if _try_lock(fd):
                self._locks.append(fd)
                self._free = _ranges_of(block)
                return
            os.close(fd)
        self._tried = 0
        raise NoUidRangeError("every uid range of this machine is in use: run fewer sandboxes")

    def close(self) -> None:
        """Release the blocks."""
        for fd in self._locks:
            os.close(fd)
        self._locks.clear()
        self._free.clear()


def _ranges_of(block: int) -> list[int]:
    start = _FIRST_SANDBOX_ID + block * _SANDBOXES_PER_BLOCK * IDS_PER_SANDBOX
    return [start + index * IDS_PER_SANDBOX for index in reversed(range(_SANDBOXES_PER_BLOCK))]


def _try_lock(fd: int) -> bool:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.EAGAIN, errno.EACCES):
            return False
        raise
    return True
