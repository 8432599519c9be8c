"""Process trees and the environments they live in, as the launcher sees them.

An Environment is what outlives a failed invocation: uid range, cgroups, network, /tmp, log pipe.
A Tree is one child in it: first an embryo that waits, then pid 1 of a running function.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import socket
from collections.abc import Callable
from dataclasses import dataclass

from sandbox.process import child, mounts, namespaces
from sandbox.process.cgroups import Group
from sandbox.process.child import Assignment, Policy
from sandbox.process.clock import SandboxClock
from sandbox.process.ephemeral import Volume
from sandbox.process.loop import Loop
from sandbox.process.network import HostNetwork, SandboxNetwork

_LOG_PIPE_BYTES = 256 * 1024


@dataclass(slots=True, kw_only=True)
class Environment:
    """Everything a sandbox has besides its processes."""

    name: str
    """Its cgroups' name; says nothing about whose it is."""
    first_id: int
    group: Group
    network: SandboxNetwork
    log_read_fd: int
    log_write_fd: int
    volume: Volume

    @classmethod
    def create(
        cls, name: str, first_id: int, group: Group, network: HostNetwork, volume: Volume
    ) -> Environment:
        """Make the parts that are cheap; the expensive ones are given."""
        volume.give_to(first_id)
        inside = network.create()
        read_fd, write_fd = os.pipe2(os.O_CLOEXEC)
        os.set_blocking(read_fd, False)
        # The host may cap pipes; a smaller one only wakes the agent more often.
        with contextlib.suppress(OSError):
            fcntl.fcntl(write_fd, fcntl.F_SETPIPE_SZ, _LOG_PIPE_BYTES)
        return cls(
            name=name,
            first_id=first_id,
            group=group,
            network=inside,
            log_read_fd=read_fd,
            log_write_fd=write_fd,
            volume=volume,
        )

    def replace_volume(self, volume: Volume) -> Volume:
        """Another size of /tmp, before anything runs; returns the one it had."""
        volume.give_to(self.first_id)
        before, self.volume = self.volume, volume
        return before

    def close(self) -> None:
        """Give back all but cgroups and volume, which need the kernel's leisure."""
        self.network.close()
        for fd in (self.log_read_fd, self.log_write_fd):
            os.close(fd)


Say = Callable[[str, str], None]
"""What a tree said: started, failed, exited or signalled, and the detail."""


class Tree:
    """One child process of the launcher, from birth to its reaped end."""

    def __init__(self, pid: int, pidfd: int, control: socket.socket) -> None:
        self._pid = pid
        self._pidfd = pidfd
        self._control = control
        self._loop: Loop | None = None
        self._on_said: Say = lambda what, value: None
        self._on_dead: Callable[[], None] = lambda: None
        self.is_dead = False

    @classmethod
    def be_born(
        cls,
        environment: Environment,
        network: HostNetwork,
        clock: SandboxClock | None,
        devices: str,
        policy: Policy,
    ) -> Tree:
        """Fork a child into the environment; it prepares itself and waits."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        devices_fd = mounts.detached(devices, devices=True)
        cgroup_fd = environment.group.open_for_birth()
        joining = environment.group.open_for_joining()
        try:
            network.enter(environment.network.namespace_fd)
            if clock is not None:
                clock.enter()
            pid, pidfd = namespaces.fork_into_new(cgroup_fd)
            if pid == 0:
                child.run(theirs, devices_fd, joining, policy)
        finally:
            if clock is not None:
                clock.leave()
            network.leave()
            for fd in (cgroup_fd, devices_fd, *joining):
                os.close(fd)
            theirs.close()
        tree = cls(pid, pidfd, ours)
        try:
            namespaces.map_ids(pid, environment.first_id)
            namespaces.offer_to_oom_killer(pid)
            ours.send(b"born")
        except OSError as error:
            last_words = tree.kill_and_reap()
            raise OSError(error.errno, f"{error.strerror} {last_words}".strip()) from error
        return tree

    def watch(self, loop: Loop, on_said: Say, on_dead: Callable[[], None]) -> None:
        """Report what it says and its end; before an end everything it said is reported."""
        self._loop, self._on_said, self._on_dead = loop, on_said, on_dead
        self._control.settimeout(0)
        loop.watch(self._control.fileno(), self._hear)
        loop.watch(self._pidfd, self._reap)

    def assign(self, assignment: Assignment) -> None:
        """Give the waiting child its function."""
        assignment.send(self._control)

    def kill_and_reap(self) -> str:
        """End it and wait: for a tree that has no callbacks or no future; its last words."""
        said: list[str] = []
        if not self.is_dead:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._pid, 9)
            self._on_said = lambda what, value: said.append(f"{what}: {value}")
            self._on_dead = lambda: None
            self._reap()
        return "; ".join(said)

    def _hear(self) -> None:
        if not self._hear_one() and self._loop is not None:
            self._loop.unwatch(self._control.fileno())

    def _hear_one(self) -> bool:
        """Report one message; False when there will be no more."""
        try:
            text = self._control.recv(8192).decode(errors="replace")
        except BlockingIOError:
            return not self.is_dead
        except ConnectionError:
            return False
        if not text:
            return False
        what, _, value = text.partition(" ")
        self._on_said(what, value)
        return True

    def _reap(self) -> None:
        """The pidfd is readable only when the whole pid namespace is empty."""
        os.waitid(os.P_PIDFD, self._pidfd, os.WEXITED)
        self.is_dead = True
        self._control.settimeout(0)
        while self._hear_one():
            pass
        if self._loop is not None:
            self._loop.unwatch(self._control.fileno())
            self._loop.unwatch(self._pidfd)
        self._control.close()
        os.close(self._pidfd)
        self._on_dead()
