"""The system call filter of a sandbox, assembled here as classic BPF (linux/filter.h).

Order of the checks: foreign instruction set or x32 -> the process is killed; a call newer than we
have audited -> ENOSYS; calls whose arguments matter -> their own little tests; then a balanced
tree over all numbers: listed -> allowed, on the floor's list -> EPERM, splicing -> EINVAL, anything
else -> ENOSYS.
clone3 is never listed, as a filter cannot see its flags: libraries fall back to clone.
"""

from __future__ import annotations

import errno
import platform
import struct
from collections.abc import Iterable
from dataclasses import dataclass

from sandbox.process import syscalls
from sandbox.process.seccomp_tables import (
    ALLOWED,
    COPYING,
    DENIED,
    LAST_AUDITED,
    MACHINES,
    SPLICING,
    Machine,
)

_LOAD, _AND, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x54, 0x15, 0x35, 0x45, 0x06
_NUMBER, _ARCH = 0, 4
"""Offsets in struct seccomp_data."""

_ALLOW = 0x7FFF0000
_KILL_PROCESS = 0x80000000
_ERRNO = 0x00050000

_CLONE_NAMESPACES = 0x7E020080
"""Every CLONE_NEW* bit (linux/sched.h)."""
_AF_UNIX, _AF_INET, _AF_INET6, _AF_NETLINK = 1, 2, 10, 16
_NETLINK_ROUTE = 0
_SOCKET_KIND, _SOCK_RAW = 0xF, 3
_SOL_IP, _SOL_IPV6 = 0, 41
_FIREWALL_OPTIONS = ((_SOL_IP, (64, 65, 96, 97, 128, 129)), (_SOL_IPV6, (64, 65)))
"""IPT_, ARPT_, EBT_ and IP6T_SO_SET_* by their levels: an old way to a kernel's tables."""
_TERMINAL_TRICKS = (0x5412, 0x541C, 0x5423)
"""TIOCSTI, TIOCLINUX, TIOCSETD (asm/ioctls.h)."""
_PRCTL_REFUSED = (22, 35, 57, 59, 62)
"""PR_SET_SECCOMP, _MM, _IO_FLUSHER, _SYSCALL_USER_DISPATCH, PR_SCHED_CORE (linux/prctl.h)."""
_NOT_A_PIPE = 0o160000
"""Bits of S_IFMT that every kind of node but a named pipe has."""
_CHECKED = {
    "socket": "family",
    "socketpair": "family",
    "setsockopt": "option",
    "clone": "clone",
    "ioctl": "ioctl",
    "prctl": "prctl",
    "mknod": "mknod",
    "mknodat": "mknodat",
}
"""Calls whose arguments decide, and the test of each."""


def _argument(index: int) -> int:
    """Offset of an argument's low half (both machines are little-endian)."""
    return 16 + 8 * index


@dataclass(slots=True)
class _Instruction:
    code: int
    value: int
    yes: str
    no: str


class _Assembler:
    """Instructions with labels; an empty label means the next instruction."""

    def __init__(self) -> None:
        self._instructions: list[_Instruction] = []
        self._labels: dict[str, int] = {}

    def label(self, name: str) -> None:
        """The next instruction is called this."""
        self._labels[name] = len(self._instructions)

    def load(self, offset: int) -> None:
        self._instructions.append(_Instruction(_LOAD, offset, "", ""))

    def test(self, code: int, value: int, yes: str = "", no: str = "") -> None:
        self._instructions.append(_Instruction(code, value, yes, no))

    def mask(self, bits: int) -> None:
        """Keep only these of what was loaded."""
        self._instructions.append(_Instruction(_AND, bits, "", ""))

    def answer(self, name: str, action: int) -> None:
        self.label(name)
        self._instructions.append(_Instruction(_RETURN, action, "", ""))

    def bytes(self) -> bytes:
        """The program. A jump further than BPF can reach is our own mistake."""
        out = bytearray()
        for here, each in enumerate(self._instructions):
            yes, no = (self._distance(here, name) for name in (each.yes, each.no))
            out += struct.pack("=HBBI", each.code, yes, no, each.value)
        return bytes(out)

    def _distance(self, here: int, name: str) -> int:
        if not name:
            return 0
        distance = self._labels[name] - here - 1
        assert 0 <= distance < 256, f"jump to {name} is out of reach"
        return distance


def build(
    machine: Machine | None = None, *, more: Iterable[str] = (), copied: bool = False
) -> bytes:
    """Assemble the filter of a runtime that needs these calls too; done once, at the start.

    With copied, that of a function template, whose copies enter their own walls by themselves.
    """
    machine = machine or MACHINES[platform.machine()]
    allowed = (ALLOWED | frozenset(more)) - DENIED
    program = _Assembler()
    _check_call(program, machine)
    _search(program, _answers(machine, allowed | COPYING if copied else allowed))
    _check_arguments(program, interfaces=not copied)
    for name, action in (
        ("allow", _ALLOW),
        ("deny", _ERRNO | errno.EPERM),
        ("unfit", _ERRNO | errno.EINVAL),
        ("unknown", _ERRNO | errno.ENOSYS),
        ("no_family", _ERRNO | errno.EAFNOSUPPORT),
        ("kill", _KILL_PROCESS),
    ):
        program.answer(name, action)
    return program.bytes()


def install(program: bytes) -> None:
    """Enter the filter, for good. The last step of a lockdown: it denies the others.

    An empty program is a wall left out: on a machine whose calls we do not know, if the operator
    allowed that, and where tests look at what the other walls hold.
    """
    if program:
        syscalls.seccomp_filter(program)


def _answers(machine: Machine, allowed: frozenset[str]) -> list[tuple[int, str]]:
    """Ascending: from this number on, up to the next, calls are answered so."""
    names = {number: name for name, number in machine.numbers.items()}
    found: list[tuple[int, str]] = []
    for number in range(LAST_AUDITED + 1):
        name = names.get(number, "")
        if name in allowed:
            answer = "allow"
        else:
            answer = "deny" if name in DENIED else "unfit" if name in SPLICING else "unknown"
        if not found or found[-1][1] != answer:
            found.append((number, answer))
    return found


def _check_call(program: _Assembler, machine: Machine) -> None:
    program.load(_ARCH)
    program.test(_EQUAL, machine.audit_arch, no="kill")
    program.load(_NUMBER)
    program.test(_AT_LEAST, machine.first_foreign, yes="kill")
    program.test(_AT_LEAST, LAST_AUDITED + 1, yes="unknown")
    for name, label in _CHECKED.items():
        if name in machine.numbers:
            program.test(_EQUAL, machine.numbers[name], yes=label)


def _search(program: _Assembler, answers: list[tuple[int, str]]) -> None:
    """A balanced tree: about seven comparisons for any number."""
    middle = len(answers) // 2
    below, above = answers[:middle], answers[middle:]
    first = above[0][0]
    yes, no = (half[0][1] if len(half) == 1 else "" for half in (above, below))
    upper = yes or f"from {first}"
    program.test(_AT_LEAST, first, yes=upper, no=no)
    if not no:
        _search(program, below)
    if not yes:
        program.label(upper)
        _search(program, above)


def _check_arguments(program: _Assembler, *, interfaces: bool) -> None:
    program.label("family")
    program.load(_argument(0))
    program.test(_EQUAL, _AF_UNIX, yes="allow")
    for family in (_AF_INET, _AF_INET6):
        program.test(_EQUAL, family, yes="kind")
    if interfaces:
        program.test(_EQUAL, _AF_NETLINK, no="no_family")
        program.load(_argument(2))
        program.test(_EQUAL, _NETLINK_ROUTE, yes="allow", no="no_family")
    else:
        program.test(_EQUAL, _AF_INET, yes="kind", no="no_family")
    program.label("kind")
    program.load(_argument(1))
    program.mask(_SOCKET_KIND)
    program.test(_EQUAL, _SOCK_RAW, yes="deny", no="allow")
    program.label("clone")
    program.load(_argument(0))
    program.test(_ANY_BIT, _CLONE_NAMESPACES, yes="deny", no="allow")
    program.label("ioctl")
    program.load(_argument(1))
    _refuse_these(program, _TERMINAL_TRICKS)
    program.label("prctl")
    program.load(_argument(0))
    _refuse_these(program, _PRCTL_REFUSED)
    program.label("option")
    program.load(_argument(1))
    program.test(_EQUAL, _SOL_IP, yes="option of 0")
    program.test(_EQUAL, _SOL_IPV6, yes="option of 41", no="allow")
    for level, options in _FIREWALL_OPTIONS:
        program.label(f"option of {level}")
        program.load(_argument(2))
        _refuse_these(program, options)
    for name, mode in (("mknod", 1), ("mknodat", 2)):
        program.label(name)
        program.load(_argument(mode))
        program.test(_ANY_BIT, _NOT_A_PIPE, yes="deny", no="allow")


def _refuse_these(program: _Assembler, values: tuple[int, ...]) -> None:
    for value in values[:-1]:
        program.test(_EQUAL, value, yes="deny")
    program.test(_EQUAL, values[-1], yes="deny", no="allow")
