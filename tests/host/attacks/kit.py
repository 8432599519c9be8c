"""Declares probes, and runs each in a process of its own.

An outcome is the name of an errno, "allowed", the name of the signal that ended the probe, or what
the probe returned.
"""

from __future__ import annotations

import ctypes
import errno
import json
import os
import platform
import signal
from collections.abc import Callable
from dataclasses import dataclass

from sandbox.process.syscall_numbers import NUMBERS

CLOSED = frozenset({"EPERM", "EACCES", "ENOSYS", "EROFS", "EAFNOSUPPORT", "ENOTTY", "SIGSYS"})
"""Refused by whichever wall, or there is nothing to reach. Other errors mean that the kernel has
looked at the request."""
PATIENCE_S = 5

libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long
_numbers = NUMBERS[platform.machine()]


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """One attack."""

    attack: Callable[[], object]
    outcomes: tuple[object, ...]
    """The only acceptable ones; several where kernels differ in which wall is hit first."""
    escapes: bool
    """Whether success would lead out of the sandbox; then two walls must hold it."""

    def is_open(self, outcome: object) -> bool:
        """Whether it got through, with some walls switched off."""
        return outcome not in self.outcomes and outcome not in CLOSED


PROBES: dict[str, Probe] = {}


def probe(
    *outcomes: object, escapes: bool = False
) -> Callable[[Callable[[], object]], Callable[[], object]]:
    """Declare a function to be a probe; its name in words is the probe's."""

    def declare(attack: Callable[[], object]) -> Callable[[], object]:
        add(attack.__name__.replace("_", " ").strip(), attack, *outcomes, escapes=escapes)
        return attack

    return declare


def add(name: str, attack: Callable[[], object], *outcomes: object, escapes: bool = False) -> None:
    """Declare a probe by name."""
    assert name not in PROBES, name
    PROBES[name] = Probe(attack=attack, outcomes=outcomes, escapes=escapes)


def system_call(name: str | int, *arguments: int | bytes | None) -> int:
    """A bare system call; raises what it failed with."""
    number = _numbers[name] if isinstance(name, str) else name
    words = [ctypes.c_long(each) if isinstance(each, int) else each for each in arguments]
    result = int(libc.syscall(ctypes.c_long(number), *words))
    if result < 0:
        raise OSError(ctypes.get_errno(), "")
    return result


def read(path: str, size: int = -1) -> str:
    """What a file begins with."""
    with open(path, "rb") as file:
        return file.read(size).decode(errors="replace")


def write_to(path: str, text: str = "x") -> None:
    """Write a file, in one system call."""
    fd = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
    os.write(fd, text.encode())


def run_all() -> None:
    """Inside: try everything and print the outcomes as one line of JSON."""
    print(json.dumps({name: _outcome_of(each.attack) for name, each in PROBES.items()}), flush=True)


def _outcome_of(attack: Callable[[], object]) -> object:
    read_fd, write_fd = os.pipe()
    pid = os.fork()
    if pid == 0:
        signal.alarm(PATIENCE_S)
        try:
            os.write(write_fd, json.dumps(_attempt(attack)).encode())
        finally:
            os._exit(0)
    os.close(write_fd)
    with open(read_fd, "rb") as answers:
        answer = answers.read()
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    return signal.Signals(-code).name if code < 0 else json.loads(answer or '"silent"')


def _attempt(attack: Callable[[], object]) -> object:
    try:
        result = attack()
    except OSError as error:
        return errno.errorcode.get(error.errno or 0, str(error))
    return "allowed" if result is None else result
