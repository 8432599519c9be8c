"""The filter, run by an interpreter of classic BPF: what each call is answered with."""

from __future__ import annotations

import errno
import itertools
import stat
import struct

import pytest

from sandbox.process.seccomp import build
from sandbox.process.seccomp_tables import (
    ALLOWED,
    COPYING,
    DENIED,
    LAST_AUDITED,
    MACHINES,
    SPLICING,
)

ALLOW = 0x7FFF0000
KILL = 0x80000000
CHECKED = ("socket", "socketpair", "setsockopt", "clone", "ioctl", "prctl", "mknod", "mknodat")
"""Calls whose arguments decide; each has a test of its own."""


def refused(number: int) -> int:
    return 0x00050000 | number


def answer(program: bytes, arch: int, number: int, *arguments: int) -> int:
    """What the kernel would do with this call."""
    return run(program, arch, number, *arguments)[0]


def steps(program: bytes, arch: int, number: int) -> int:
    """How many instructions it takes to say so."""
    return run(program, arch, number)[1]


def run(program: bytes, arch: int, number: int, *arguments: int) -> tuple[int, int]:
    words = (*arguments, *[0] * (6 - len(arguments)))
    data = struct.pack("<IIQ6Q", number & 0xFFFFFFFF, arch, 0, *words)
    instructions = list(struct.iter_unpack("<HBBI", program))
    accumulator, index = 0, 0
    for step in itertools.count(1):
        code, yes, no, value = instructions[index]
        index += 1
        match code:
            case 0x20:
                accumulator = struct.unpack_from("<I", data, value)[0]
            case 0x54:
                accumulator &= value
            case 0x15:
                index += yes if accumulator == value else no
            case 0x35:
                index += yes if accumulator >= value else no
            case 0x45:
                index += yes if accumulator & value else no
            case 0x06:
                return value, step
            case _:
                raise AssertionError(f"unexpected instruction {code:#x}")
    raise AssertionError("a program ends")


@pytest.mark.parametrize("name", MACHINES)
def test_listed_calls_are_allowed_the_floor_is_refused_and_nothing_else_exists(name: str) -> None:
    machine = MACHINES[name]
    program = build(machine)
    names = {number: name for name, number in machine.numbers.items()}
    for number in set(range(LAST_AUDITED + 1)) - {machine.numbers.get(each) for each in CHECKED}:
        expected = {
            names.get(number) in ALLOWED: ALLOW,
            names.get(number) in DENIED: refused(errno.EPERM),
            names.get(number) in SPLICING: refused(errno.EINVAL),
        }.get(True, refused(errno.ENOSYS))
        assert answer(program, machine.audit_arch, number) == expected, names.get(number, number)


def test_the_lists_name_calls_that_some_machine_has_and_each_only_once() -> None:
    known = {name for machine in MACHINES.values() for name in machine.numbers}
    assert known >= ALLOWED | DENIED | set(CHECKED)
    assert not ALLOWED & DENIED
    assert not (ALLOWED | DENIED) & set(CHECKED)


@pytest.mark.parametrize("name", MACHINES)
def test_a_runtime_may_ask_for_more_but_not_for_what_the_floor_refuses(name: str) -> None:
    machine = MACHINES[name]
    program = build(machine, more=("splice", "bpf"))
    numbers = machine.numbers
    assert answer(program, machine.audit_arch, numbers["splice"]) == ALLOW
    assert answer(build(machine), machine.audit_arch, numbers["splice"]) == refused(errno.EINVAL)
    assert answer(program, machine.audit_arch, numbers["bpf"]) == refused(errno.EPERM)


@pytest.mark.parametrize("name", MACHINES)
def test_a_function_template_may_let_its_copies_enter_their_walls_and_no_more(name: str) -> None:
    machine = MACHINES[name]
    ordinary, templates = build(machine), build(machine, copied=True)
    more = {
        call
        for call, number in machine.numbers.items()
        if answer(templates, machine.audit_arch, number) == ALLOW
        and answer(ordinary, machine.audit_arch, number) != ALLOW
    }
    assert more == COPYING == {"setns", "seccomp"}
    sockets = machine.numbers["socket"]
    families = {
        each for each in range(64) if answer(templates, machine.audit_arch, sockets, each) == ALLOW
    }
    assert families == {1, 2, 10}, (
        "its copies hold a capability over their own interfaces for a moment"
    )


@pytest.mark.parametrize("name", MACHINES)
def test_no_socket_sees_raw_packets_or_sets_a_firewall(name: str) -> None:
    machine = MACHINES[name]
    program, numbers = build(machine), machine.numbers
    raw, close_on_exec = 3, 0o2000000
    for family in (2, 10):
        found = answer(program, machine.audit_arch, numbers["socket"], family, raw | close_on_exec)
        assert found == refused(errno.EPERM)
        assert answer(program, machine.audit_arch, numbers["socket"], family, 1) == ALLOW
    options = {
        (level, option)
        for level in (0, 1, 6, 41)
        for option in range(256)
        if answer(program, machine.audit_arch, numbers["setsockopt"], 5, level, option) != ALLOW
    }
    assert options == {(0, each) for each in (64, 65, 96, 97, 128, 129)} | {(41, 64), (41, 65)}


@pytest.mark.parametrize("name", MACHINES)
def test_no_call_costs_more_than_a_handful_of_comparisons(name: str) -> None:
    machine = MACHINES[name]
    program = build(machine)
    longest = max(steps(program, machine.audit_arch, number) for number in range(LAST_AUDITED + 1))
    assert longest <= 24


def test_the_only_node_that_can_be_made_is_a_named_pipe() -> None:
    machine = MACHINES["x86_64"]
    program = build(machine)
    for name, before in (("mknod", (0,)), ("mknodat", (0, 0))):
        number = machine.numbers[name]
        for kind, expected in ((stat.S_IFIFO, ALLOW), (stat.S_IFREG, refused(errno.EPERM))):
            assert answer(program, machine.audit_arch, number, *before, kind | 0o600) == expected
        for kind in (stat.S_IFCHR, stat.S_IFBLK, stat.S_IFSOCK):
            found = answer(program, machine.audit_arch, number, *before, kind)
            assert found == refused(errno.EPERM)


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
    for number in (LAST_AUDITED + 1, 1000, machine.numbers["clone3"]):
        assert answer(program, machine.audit_arch, number) == refused(errno.ENOSYS)


@pytest.mark.parametrize("name", MACHINES)
def test_only_four_socket_families_exist(name: str) -> None:
    machine = MACHINES[name]
    program = build(machine)
    for call in (machine.numbers["socket"], machine.numbers["socketpair"]):
        allowed = {
            family
            for family in range(64)
            if answer(program, machine.audit_arch, call, family) == ALLOW
        }
        assert allowed == {1, 2, 10, 16}
    netlink = [
        answer(program, machine.audit_arch, machine.numbers["socket"], 16, 3, p) for p in range(32)
    ]
    assert netlink == [ALLOW] + [refused(errno.EAFNOSUPPORT)] * 31


@pytest.mark.parametrize("name", MACHINES)
def test_clone_makes_threads_and_children_but_no_namespaces(name: str) -> None:
    machine = MACHINES[name]
    program = build(machine)
    thread_flags = 0x3D0F00
    assert answer(program, machine.audit_arch, machine.numbers["clone"], thread_flags) == ALLOW
    assert answer(program, machine.audit_arch, machine.numbers["clone"], 17) == ALLOW
    for bit in (7, 17, 25, 26, 27, 28, 29, 30):
        flags = thread_flags | 1 << bit
        assert answer(program, machine.audit_arch, machine.numbers["clone"], flags) == refused(
            errno.EPERM
        )


def test_terminals_cannot_be_typed_into_and_memory_maps_not_forged() -> None:
    machine = MACHINES["x86_64"]
    program = build(machine)
    for request in (0x5412, 0x541C, 0x5423):
        assert answer(program, machine.audit_arch, machine.numbers["ioctl"], 0, request) == refused(
            errno.EPERM
        )
    assert answer(program, machine.audit_arch, machine.numbers["ioctl"], 0, 0x5401) == ALLOW
    for option in (22, 35, 57, 59, 62):
        assert answer(program, machine.audit_arch, machine.numbers["prctl"], option) == refused(
            errno.EPERM
        )
    assert answer(program, machine.audit_arch, machine.numbers["prctl"], 38) == ALLOW
