"""Attacks on other processes, and on who we are."""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import struct

from tests.host.attacks.kit import add, probe, read, system_call

for _name, _request in {"trace me": 0, "attach": 16, "seize": 0x4206}.items():
    add(
        f"ptrace: {_name}",
        lambda request=_request: system_call("ptrace", request, 1, 0, 0),
        *("EPERM", "ESRCH"),
        escapes=_name != "trace me",
    )
for _name in ("process_vm_readv", "process_vm_writev"):
    add(
        f"{_name} of pid 1",
        lambda name=_name: system_call(name, 1, _eight_bytes(), 1, _eight_bytes(), 1, 0),
        "EPERM",
        escapes=True,
    )
for _name in ("mem", "environ", "maps", "stack", "auxv", "syscall", "fd/0", "pagemap"):
    add(
        f"read /proc/1/{_name}",
        lambda name=_name: read(f"/proc/1/{name}", 1),
        *("EACCES", "ENOENT", "EPERM"),
        escapes=True,
    )
for _name, _change in {
    "setuid": lambda: os.setuid(0),
    "setgid": lambda: os.setgid(0),
    "setresuid": lambda: os.setresuid(0, 0, 0),
    "setgroups": lambda: os.setgroups([0]),
    "become the host's root by number": lambda: os.setuid(1_000_000),
}.items():
    add(_name, _change, "EPERM", "EINVAL", escapes=True)


@probe("EPERM", escapes=True)
def take_a_descriptor_of_pid_1() -> None:
    system_call("pidfd_getfd", os.pidfd_open(1), 3, 0)


@probe("ignored", "EPERM", escapes=True)
def kill_pid_1() -> object:
    os.kill(1, signal.SIGKILL)
    return "ignored"


@probe("EPERM", "ESRCH", escapes=True)
def kill_processes_of_the_host() -> object:
    """None of the numbers that the host uses mean anything in here."""
    reached = [pid for pid in range(200, 4000) if _is_there(pid)]
    if not reached:
        raise ProcessLookupError(3, "")
    return reached


@probe([])
def see_other_processes() -> object:
    """Only the probe's own parent and itself, besides pid 1."""
    ours = {1, os.getpid(), os.getppid()}
    return sorted({int(name) for name in os.listdir("/proc") if name.isdigit()} - ours)


@probe("EPERM")
def mark_messages_with_anothers_ids() -> None:
    left, _ = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    credentials = b"".join(each.to_bytes(4, "little") for each in (1, 0, 0))
    left.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_CREDENTIALS, credentials)])


@probe([993, 990, []])
def our_own_ids() -> object:
    return [os.getuid(), os.getgid(), os.getgroups()]


for _field, _value in {
    **dict.fromkeys(("CapEff", "CapPrm", "CapBnd", "CapInh", "CapAmb"), "0" * 16),
    "NoNewPrivs": "1",
}.items():
    add(
        f"our {_field}",
        lambda field=_field: read("/proc/self/status").split(f"{field}:")[1].split()[0],
        _value,
        escapes=True,
    )
add("our Seccomp", lambda: read("/proc/self/status").split("Seccomp:")[1].split()[0], "2")


def _eight_bytes() -> bytes:
    """An iovec: where some eight bytes of our own are."""
    return struct.pack("QQ", ctypes.addressof(_ROOM), 8)


_ROOM = ctypes.create_string_buffer(8)


def _is_there(pid: int) -> bool:
    # Our own children have small numbers; the probe itself may be above the first of the range.
    if pid in (os.getpid(), os.getppid()):
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
