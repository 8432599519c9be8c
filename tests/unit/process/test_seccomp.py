"""The filter, run by an interpreter of classic BPF: what each call is answered with."""

from __future__ import annotations

import errno
import struct

import pytest

from sandbox.process.seccomp import build
from sandbox.process.seccomp_tables import LAST_AUDITED, MACHINES

ALLOW = 0x7FFF0000
KILL = 0x80000000


def refused(number: int) -> int:
    return 0x00050000 | number


def answer(program: bytes, arch: int, number: int, *arguments: int) -> int:
    """What the kernel would do with this call."""
    words = (*arguments, *[0] * (6 - len(arguments)))
    data = struct.pack("<IIQ6Q", number & 0xFFFFFFFF, arch, 0, *words)
    instructions = list(struct.iter_unpack("<HBBI", program))
    accumulator, index = 0, 0
    while True:
        code, yes, no, value = instructions[index]
        index += 1
        match code:
            case 0x20:
                accumulator = struct.unpack_from("<I", data, value)[0]
            case 0x15:
                index += yes if accumulator == value else no
            case 0x35:
                index += yes if accumulator >= value else no
            case 0x45:
                index += yes if accumulator & value else no
            case 0x06:
                return value
            case _:
                raise AssertionError(f"unexpected instruction {code:#x}")


@pytest.mark.parametrize("name", MACHINES)
def test_every_denied_call_is_refused_and_every_other_known_one_is_allowed(name: str) -> None:
    machine = MACHINES[name]
    program = build(machine)
    special = {machine.socket, machine.socketpair, machine.clone3}
    for number in range(LAST_AUDITED + 1):
        if number in special:
            continue
        expected = refused(errno.EPERM) if number in machine.denied.values() else ALLOW
        assert answer(program, machine.audit_arch, number) == expected, number


@pytest.mark.parametrize("name", MACHINES)
def test_foreign_instruction_sets_are_killed(name: str) -> None:
    machine = MACHINES[name]
    program = build(machine)
    assert answer(program, 0x40000003, 20) == KILL
    assert answer(program, machine.audit_arch, 0x40000000 + 39) == KILL
    assert answer(program, machine.audit_arch, -1) == KILL


@pytest.mark.parametrize("name", MACHINES)
def test_calls_nobody_has_audited_and_clone3_do_not_exist(name: str) -> None:
    machine = MACHINES[name]
    program = build(machine)
    for number in (LAST_AUDITED + 1, 1000, machine.clone3):
        assert answer(program, machine.audit_arch, number) == refused(errno.ENOSYS)


@pytest.mark.parametrize("name", MACHINES)
def test_only_four_socket_families_exist(name: str) -> None:
    machine = MACHINES[name]
    program = build(machine)
    for call in (machine.socket, machine.socketpair):
        allowed = {
            family
            for family in range(64)
            if answer(program, machine.audit_arch, call, family) == ALLOW
        }
        assert allowed == {1, 2, 10, 16}
    netlink = [answer(program, machine.audit_arch, machine.socket, 16, 3, p) for p in range(32)]
    assert netlink == [ALLOW] + [refused(errno.EAFNOSUPPORT)] * 31


@pytest.mark.parametrize("name", MACHINES)
def test_clone_makes_threads_and_children_but_no_namespaces(name: str) -> None:
    machine = MACHINES[name]
    program = build(machine)
    thread_flags = 0x3D0F00
    assert answer(program, machine.audit_arch, machine.clone, thread_flags) == ALLOW
    assert answer(program, machine.audit_arch, machine.clone, 17) == ALLOW
    for bit in (7, 17, 25, 26, 27, 28, 29, 30):
        flags = thread_flags | 1 << bit
        assert answer(program, machine.audit_arch, machine.clone, flags) == refused(errno.EPERM)


def test_terminals_cannot_be_typed_into_and_memory_maps_not_forged() -> None:
    machine = MACHINES["x86_64"]
    program = build(machine)
    for request in (0x5412, 0x541C):
        assert answer(program, machine.audit_arch, machine.ioctl, 0, request) == refused(
            errno.EPERM
        )
    assert answer(program, machine.audit_arch, machine.ioctl, 0, 0x5401) == ALLOW
    assert answer(program, machine.audit_arch, machine.prctl, 35) == refused(errno.EPERM)
    assert answer(program, machine.audit_arch, machine.prctl, 38) == ALLOW
