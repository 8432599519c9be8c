"""Process trees, as the launcher sees them.

A Tree is one child in an environment: first an embryo that waits, then pid 1 of a running
function. It is the launcher's own fork, which will execute a program, or a fork of a runtime's
template, which has its program already and is parked in it.
"""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Callable

from sandbox.process import child, mounts, namespaces
from sandbox.process.assignment import Assignment, Handover
from sandbox.process.cgroups import Group
from sandbox.process.child import Policy
from sandbox.process.clock import SandboxClock
from sandbox.process.environments import Environment
from sandbox.process.loop import Loop
from sandbox.process.midwife import Midwife
from sandbox.process.network import HostNetwork
from sandbox.process.templates import Template

Say = Callable[[str, str], None]
"""What a tree said: started, failed, exited or signalled, and the detail."""


class Tree:
    """One child process of the launcher, from birth to its reaped end."""

    def __init__(
        self, pid: int, pidfd: int, control: socket.socket, *, is_parked: bool = False
    ) -> None:
        self.is_parked = is_parked
        """Whether it waits in its program."""
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
        tree._map(environment)
        return tree

    @classmethod
    def be_forked(cls, environment: Environment, template: Template) -> Tree:
        """Have the runtime's template fork a child into the environment; it parks itself.

        Raises:
            OSError: the kernel refused, or the template is gone.
        """
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            pid = template.bear(theirs, environment)
        except OSError:
            ours.close()
            raise
        finally:
            theirs.close()
        tree = cls(pid, os.pidfd_open(pid), ours, is_parked=True)
        tree._map(environment)
        return tree

    @classmethod
    def be_nested(cls, group: Group, midwife: Midwife, devices: str) -> tuple[Tree, int]:
        """Have a function template's midwife bear pid 1 of a copy, mapped and on its way.

        Returns:
            It, and a descriptor of its network's namespace.

        Raises:
            OSError: the kernel refused, or the midwife is gone.
        """
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        devices_fd = mounts.detached(devices, devices=True)
        joining = group.open_for_joining_all()
        try:
            pid = midwife.bear(theirs, devices_fd, joining)
        except OSError:
            ours.close()
            raise
        finally:
            for fd in (devices_fd, *joining):
                os.close(fd)
            theirs.close()
        tree = cls(pid, os.pidfd_open(pid), ours)
        try:
            namespaces.offer_to_oom_killer(pid)
            network_fd = os.open(f"/proc/{pid}/ns/net", os.O_RDONLY | os.O_CLOEXEC)
            ours.send(b"born")
        except OSError as error:
            last_words = tree.kill_and_reap()
            raise OSError(error.errno, f"{error.strerror} {last_words}".strip()) from error
        return tree, network_fd

    @property
    def pid(self) -> int:
        """Of its pid 1, on the host."""
        return self._pid

    def _map(self, environment: Environment) -> None:
        """Give the child its ids, and let it go on."""
        try:
            namespaces.map_ids(self._pid, environment.first_id)
            environment.hold_mounts(self._pid)
            namespaces.offer_to_oom_killer(self._pid)
            self._control.send(b"born")
        except OSError as error:
            last_words = self.kill_and_reap()
            raise OSError(error.errno, f"{error.strerror} {last_words}".strip()) from error

    def watch(self, loop: Loop, on_said: Say, on_dead: Callable[[], None]) -> None:
        """Report what it says and its end; before an end everything it said is reported."""
        self._loop, self._on_said, self._on_dead = loop, on_said, on_dead
        self._control.settimeout(0)
        loop.watch(self._control.fileno(), self._hear)
        loop.watch(self._pidfd, self._reap)

    def assign(self, given: Assignment | Handover) -> None:
        """Give the waiting child its function: a Handover where it is parked."""
        given.send(self._control)

    def let_go(self) -> None:
        """All is ready for its function, and as soon as its walls stand it may run."""
        self._control.send(child.GO)

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
