"""Attempts to get more than one's share."""

from __future__ import annotations

import errno
import mmap
import os
import resource

from tests.host.attacks.kit import add, probe, system_call

for _name in ("NOFILE", "MEMLOCK", "CORE", "MSGQUEUE", "SIGPENDING", "RTPRIO", "NICE"):
    add(
        f"raise RLIMIT_{_name}",
        lambda name=_name: _raise_limit(name),
        "EPERM",
    )
for _name, _policy in {"round robin": 2, "first in first out": 1}.items():
    add(
        f"schedule in real time: {_name}",
        lambda policy=_policy: os.sched_setscheduler(0, policy, os.sched_param(1)),
        "EPERM",
    )


@probe("EPERM", "EACCES")
def be_nicer_to_oneself() -> None:
    os.nice(-5)


@probe("EPERM")
def read_disks_in_real_time() -> None:
    system_call("ioprio_set", 1, 0, 1 << 13)


@probe("EPERM")
def promise_a_deadline() -> None:
    attributes = (48).to_bytes(4, "little") + (6).to_bytes(4, "little") + bytes(16)
    attributes += b"".join(each.to_bytes(8, "little") for each in (10**7, 10**8, 10**8))
    system_call("sched_setattr", 0, attributes, 0)


@probe("ENOMEM", "EPERM", "EAGAIN")
def lock_much_memory() -> None:
    area = mmap.mmap(-1, 1 << 22)
    system_call("mlock", _address(area), 1 << 22)


@probe("EMFILE")
def open_too_many_files() -> None:
    for _ in range(2000):
        os.open("/dev/null", os.O_RDONLY)


@probe("ENOSPC", "EFBIG")
def reserve_more_than_tmp_has() -> None:
    fd = os.open("/tmp/huge", os.O_RDWR | os.O_CREAT)
    try:
        os.posix_fallocate(fd, 0, 1 << 40)
    finally:
        os.unlink("/tmp/huge")


@probe("EPERM", "EINVAL")
def grow_a_pipe_without_end() -> None:
    import fcntl

    read_fd, _ = os.pipe()
    fcntl.fcntl(read_fd, 1031, 1 << 30)


def _raise_limit(name: str) -> None:
    try:
        resource.prlimit(0, getattr(resource, f"RLIMIT_{name}"), (1 << 30, 1 << 30))
    except ValueError as error:
        # Python's word for EPERM in this one call.
        raise PermissionError(errno.EPERM, "") from error


def _address(area: mmap.mmap) -> int:
    import ctypes

    return ctypes.addressof(ctypes.c_char.from_buffer(area))
