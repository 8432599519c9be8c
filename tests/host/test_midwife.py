"""A template that ends at any moment of its midwife's work: whoever is left is reaped.

Pid 1 of a namespace has not ended before everybody in it is reaped, and whom the midwife has borne
or is herself is the launcher's child: one that it forgets keeps the template for ever.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from sandbox.process import namespaces, syscalls
from sandbox.process.child import Policy
from sandbox.process.clock import SandboxClock
from sandbox.process.loop import Loop
from sandbox.process.midwife import Midwife

pytestmark = pytest.mark.host

POLICY = Policy(seccomp_programs={}, template_programs={}, landlock_abi=0)
ROUNDS = 30
MOMENT_S = 0.000_2
"""Between two rounds, by how much later the template ends: they cover what a start takes."""


@dataclass
class Doomed:
    """Pid 1 of a user and a pid namespace, which is about to be killed."""

    pid: int
    pidfd: int

    def kill_after(self, duration_s: float) -> None:
        until = time.perf_counter() + duration_s
        while time.perf_counter() < until:
            pass
        os.kill(self.pid, signal.SIGKILL)

    def allow_namespaces(self, count: int) -> None:
        """Of users, below its own: the limit is that of the namespace in which it is written."""
        namespace = os.open(f"/proc/{self.pid}/ns/user", os.O_RDONLY)
        writer = os.fork()
        if writer == 0:
            try:
                syscalls.setns(namespace, syscalls.CLONE_NEWUSER)
                Path("/proc/sys/user/max_user_namespaces").write_text(str(count))
            except BaseException:
                os._exit(1)
            os._exit(0)
        os.close(namespace)
        assert os.waitpid(writer, 0)[1] == 0

    def has_ended(self) -> bool:
        return bool(select.select([self.pidfd], [], [], 10)[0])


class KillingClock(SandboxClock):
    """Kills it a while after the midwife was forked."""

    def __init__(self, doomed: Doomed, duration_s: float) -> None:
        self.doomed, self.duration_s = doomed, duration_s

    def enter(self) -> None:
        """Nothing."""

    def leave(self) -> None:
        """Nothing of a clock."""
        self.doomed.kill_after(self.duration_s)


@pytest.fixture
def doomed() -> Iterator[Doomed]:
    pid, pidfd = syscalls.clone3(syscalls.CLONE_NEWUSER | syscalls.CLONE_NEWPID, None)
    if pid == 0:
        signal.pause()
        os._exit(0)
    namespaces.map_ids(pid, 1_000_000)
    yield Doomed(pid, pidfd)
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    os.waitid(os.P_PIDFD, pidfd, os.WEXITED)
    os.close(pidfd)


@pytest.mark.parametrize("moment", range(ROUNDS))
def test_a_template_that_ends_as_its_midwife_comes_is_reaped(doomed: Doomed, moment: int) -> None:
    loop = Loop(lambda: False)
    clock = KillingClock(doomed, moment * MOMENT_S)
    with contextlib.suppress(OSError):
        Midwife.start(doomed.pid, clock, POLICY, loop).end()
    assert doomed.has_ended()


@pytest.mark.parametrize("moment", range(ROUNDS))
def test_a_template_that_ends_in_a_birth_is_reaped(doomed: Doomed, moment: int) -> None:
    midwife = Midwife.start(doomed.pid, None, POLICY, Loop(lambda: False))
    killer = threading.Thread(target=doomed.kill_after, args=(moment * MOMENT_S,))
    killer.start()
    with contextlib.suppress(OSError):
        bear_and_reap(midwife)
    killer.join()
    midwife.end()
    assert doomed.has_ended()


def test_a_midwife_to_whom_the_kernel_refuses_a_birth_bears_the_next(doomed: Doomed) -> None:
    midwife = Midwife.start(doomed.pid, None, POLICY, Loop(lambda: False))
    doomed.allow_namespaces(0)
    with pytest.raises(OSError, match=r"no namespaces for a copy: .*No space left"):
        bear_and_reap(midwife)
    doomed.allow_namespaces(100)
    bear_and_reap(midwife)
    midwife.end()


def bear_and_reap(midwife: Midwife) -> None:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    devices_fd = os.open("/", os.O_PATH)
    try:
        born = midwife.bear(theirs, devices_fd, [])
        os.kill(born, signal.SIGKILL)
        os.waitpid(born, 0)
    finally:
        os.close(devices_fd)
        ours.close()
        theirs.close()
