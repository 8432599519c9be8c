"""Bears pid 1 of a function template's copies: a process of ours beside each template.

A copy's namespaces must belong to a user namespace that the function's user owns and that lies
right below the template's: only then may the template's own fork, which has no capability, enter
them. So whoever makes them must live in the template's user and pid namespaces. The midwife joins
these once, as root of them, and sees the host's files as the launcher does; the template sees
nothing of it and cannot touch it. It ends with the template or with the launcher.

    launcher -> midwife   a birth at a time: descriptors
    midwife -> launcher   the pid on the host, or "nobody" and why, or "failed" as her last word

The template may end at any moment, and the kernel ends the midwife with it, in the middle of a
birth too. Whoever is then left is the launcher's to reap: until that is done the template's own
end is not complete. So the midwife leads a process group, in which the unknown ones are found.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
from collections.abc import Sequence
from typing import NoReturn

from sandbox.process import capabilities, child, forks, namespaces, syscalls
from sandbox.process.child import FUNCTION_UID, Policy
from sandbox.process.clock import SandboxClock
from sandbox.process.loop import Loop

_DESCRIPTORS_MAX = 16
_BIRTH_TIMEOUT_S = 5.0
_NOBODY = b"nobody "
"""What she says of a birth that the kernel refused; she may bear others."""


class Midwife:
    """The launcher's side."""

    def __init__(self, pid: int, connection: socket.socket, loop: Loop) -> None:
        self._pid = pid
        self._connection = connection
        self._loop = loop
        self.is_dead = False

    @classmethod
    def start(
        cls, template_pid: int, clock: SandboxClock | None, policy: Policy, loop: Loop
    ) -> Midwife:
        """Fork one that joins the namespaces of a template's pid 1.

        Raises:
            OSError: the kernel refused.
        """
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.settimeout(_BIRTH_TIMEOUT_S)
        try:
            if clock is not None:
                clock.enter()
            try:
                forerunner = os.fork()
                if forerunner == 0:
                    _join(template_pid, theirs, policy)
            finally:
                if clock is not None:
                    clock.leave()
                theirs.close()
            os.waitpid(forerunner, 0)
            started = cls(_pid_in(ours.recv(4096)), ours, loop)
        except OSError:
            ours.close()
            raise
        loop.watch(ours.fileno(), started.end)
        try:
            started._begin()
        except OSError as error:
            started.end()
            raise OSError(f"a template's midwife cannot be started: {error}") from error
        return started

    def _begin(self) -> None:
        ours = self._connection
        os.setpgid(self._pid, self._pid)
        ours.send(b"begin")
        said = ours.recv(4096)
        if said != b"ready":
            raise OSError(said.decode(errors="replace") or "it has ended")

    def bear(self, control: socket.socket, devices_fd: int, joining: Sequence[int]) -> int:
        """Pid 1 of a copy, which hears us through control; our own child. Returns its pid.

        Raises:
            OSError: the kernel refused, or the midwife is gone.
        """
        if self.is_dead:
            raise OSError("the template's midwife is gone")
        try:
            fds = (control.fileno(), devices_fd, *joining)
            socket.send_fds(self._connection, [b"bear"], fds)
            said = self._connection.recv(4096)
            if not said.startswith(_NOBODY):
                pid = _pid_in(said)
                # It is known from here on: the tree that it becomes reaps it.
                os.setpgid(pid, os.getpgrp())
                return pid
        except OSError as error:
            # Somebody may be born whom we do not know.
            self.end()
            raise OSError(f"no namespaces for a copy: {error}") from error
        raise OSError(f"no namespaces for a copy: {said.decode(errors='replace')}")

    def end(self) -> None:
        """Kill and reap it and whoever it bore without our knowing, unless that is done."""
        if self.is_dead:
            return
        self.is_dead = True
        self._loop.unwatch(self._connection.fileno())
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._pid, signal.SIGKILL)
            # No group yet, if it ended before it began.
            os.killpg(self._pid, signal.SIGKILL)
        os.waitpid(self._pid, 0)
        with contextlib.suppress(ChildProcessError):
            while True:
                os.waitpid(-self._pid, 0)
        self._connection.close()


def _pid_in(said: bytes) -> int:
    """What was born, on the host.

    Raises:
        OSError: nothing; the message says why.
    """
    if not said.isdigit():
        raise OSError(said.decode(errors="replace") or "the template has ended")
    return int(said)


def _join(template_pid: int, connection: socket.socket, policy: Policy) -> NoReturn:
    """The forerunner: a pid namespace holds for children only, so the midwife is the next one."""
    try:
        fds = [os.open(f"/proc/{template_pid}/ns/{name}", os.O_RDONLY) for name in ("user", "pid")]
        syscalls.setns(fds[0], syscalls.CLONE_NEWUSER)
        syscalls.setns(fds[1], syscalls.CLONE_NEWPID)
        midwife = namespaces.fork_sibling()
        if midwife == 0:
            _serve(connection, policy)
        connection.send(b"%d" % midwife)
    except BaseException as error:
        connection.send(f"failed {error!r}".encode()[:4096])
    finally:
        os._exit(0)


def _serve(connection: socket.socket, policy: Policy) -> NoReturn:
    """The midwife: one birth for every packet, until the launcher is gone."""
    try:
        if connection.recv(16) != b"begin":
            os._exit(0)
        forks.have_own_signals()
        connection = forks.forget_others(connection)
        os.setresgid(0, 0, 0)
        os.setgroups([])
        os.setresuid(0, 0, 0)
        capabilities.die_with_parent()
        _be_visible()
        connection.send(b"ready")
        while True:
            text, fds, _, _ = socket.recv_fds(connection, 16, _DESCRIPTORS_MAX)
            if not text:
                os._exit(0)
            connection.send(_bear(fds, policy))
            for fd in fds:
                os.close(fd)
    except BaseException as error:
        # Whatever it is, nothing must return into the launcher's code from here.
        connection.send(f"failed {error!r}".encode()[:4096])
    finally:
        os._exit(0)


def _bear(fds: Sequence[int], policy: Policy) -> bytes:
    """One birth; what goes wrong once somebody is born ends the midwife too, and so both."""
    control_fd, devices_fd, *joining = fds
    # Who makes a user namespace owns it: the function's user, so that its fork may enter.
    _as(FUNCTION_UID)
    try:
        pid, pidfd = namespaces.fork_sibling_into_nest()
        if pid == 0:
            child.run(socket.socket(fileno=control_fd), devices_fd, joining, policy)
    except OSError as error:
        return _NOBODY + str(error).encode()[:4000]
    finally:
        _as(0)
    try:
        on_host = _pid_on_host(pidfd)
        # The template's ids are all that its copies have, under the same numbers.
        namespaces.map_ids(on_host, 0)
    finally:
        os.close(pidfd)
    return b"%d" % on_host


def _as(uid: int) -> None:
    os.seteuid(uid)
    _be_visible()


def _be_visible() -> None:
    """A change of ids hides our part of /proc from ourselves."""
    syscalls.prctl(syscalls.PR_SET_DUMPABLE, 1)


def _pid_on_host(pidfd: int) -> int:
    """What /proc, which is the host's, calls the process behind a descriptor."""
    # As bytes: a codec that is not loaded yet lies where the midwife may not go.
    with open(f"/proc/self/fdinfo/{pidfd}", "rb") as file:
        return next(int(line.split()[1]) for line in file if line.startswith(b"Pid:"))
