"""The system call filter of a sandbox, assembled here as classic BPF (linux/filter.h).

Order of the checks: foreign instruction set or x32 -> the process is killed; a call newer than we
have audited, and clone3, whose flags a filter cannot see -> ENOSYS, so libraries fall back; calls
whose arguments matter -> their own little tests; then a binary search of the deny list -> EPERM.
"""

from __future__ import annotations

import errno
import platform
import struct
from dataclasses import dataclass

from sandbox.process import syscalls
from sandbox.process.seccomp_tables import LAST_AUDITED, MACHINES, Machine

_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_NUMBER, _ARCH = 0, 4
"""Offsets in struct seccomp_data."""

_ALLOW = 0x7FFF0000
_KILL_PROCESS = 0x80000000
_ERRNO = 0x00050000

_CLONE_NAMESPACES = 0x7E020080
"""Every CLONE_NEW* bit (linux/sched.h)."""
_AF_UNIX, _AF_INET, _AF_INET6, _AF_NETLINK = 1, 2, 10, 16
_NETLINK_ROUTE = 0
_TIOCSTI, _TIOCLINUX = 0x5412, 0x541C
_PR_SET_MM = 35
_LEAF = 3
"""So few numbers are compared one by one."""


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


def build(machine: Machine | None = None) -> bytes:
    """Assemble the filter; done once, before anything is sandboxed."""
    machine = machine or MACHINES[platform.machine()]
    program = _Assembler()
    _check_call(program, machine)
    _search(program, sorted(machine.denied.values()), "denied")
    _check_arguments(program)
    for name, action in (
        ("allow", _ALLOW),
        ("deny", _ERRNO | errno.EPERM),
        ("unknown", _ERRNO | errno.ENOSYS),
        ("no_family", _ERRNO | errno.EAFNOSUPPORT),
        ("kill", _KILL_PROCESS),
    ):
        program.answer(name, action)
    return program.bytes()


def install(program: bytes) -> None:
    """Enter the filter, for good. The last step of a lockdown: it denies the others."""
    syscalls.seccomp_filter(program)


def _check_call(program: _Assembler, machine: Machine) -> None:
    program.load(_ARCH)
    program.test(_EQUAL, machine.audit_arch, no="kill")
    program.load(_NUMBER)
    program.test(_AT_LEAST, machine.first_foreign, yes="kill")
    program.test(_AT_LEAST, LAST_AUDITED + 1, yes="unknown")
    program.test(_EQUAL, machine.clone3, yes="unknown")
    for number in (machine.socket, machine.socketpair):
        program.test(_EQUAL, number, yes="family")
    program.test(_EQUAL, machine.clone, yes="clone")
    program.test(_EQUAL, machine.ioctl, yes="ioctl")
    program.test(_EQUAL, machine.prctl, yes="prctl")


def _search(program: _Assembler, numbers: list[int], name: str) -> None:
    """Binary search: about eight comparisons for a call that is allowed."""
    if len(numbers) <= _LEAF:
        for number in numbers:
            program.test(_EQUAL, number, yes="deny")
        program.test(_AT_LEAST, 0, yes="allow", no="allow")
        return
    middle = len(numbers) // 2
    upper = f"{name}/{numbers[middle]}"
    program.test(_AT_LEAST, numbers[middle], yes=upper)
    _search(program, numbers[:middle], name)
    program.label(upper)
    _search(program, numbers[middle:], name)


def _check_arguments(program: _Assembler) -> None:
    program.label("family")
    program.load(_argument(0))
    for family in (_AF_UNIX, _AF_INET, _AF_INET6):
        program.test(_EQUAL, family, yes="allow")
    program.test(_EQUAL, _AF_NETLINK, no="no_family")
    program.load(_argument(2))
    program.test(_EQUAL, _NETLINK_ROUTE, yes="allow", no="no_family")
    program.label("clone")
    program.load(_argument(0))
    program.test(_ANY_BIT, _CLONE_NAMESPACES, yes="deny", no="allow")
    program.label("ioctl")
    program.load(_argument(1))
    program.test(_EQUAL, _TIOCSTI, yes="deny")
    program.test(_EQUAL, _TIOCLINUX, yes="deny", no="allow")
    program.label("prctl")
    program.load(_argument(0))
    program.test(_EQUAL, _PR_SET_MM, yes="deny", no="allow")
