"""The recipe: what a sandbox's first process does, in the only order that is safe.

    birth      in new namespaces, joining its cgroups and waiting until its ids are mapped
    stage      leave the host's file tree for an empty one; then wait for a function
    root       the image, its runtime, code, layers and /tmp; nothing else exists any more
    lockdown   descriptors, capabilities, uid, Landlock, seccomp: each closes the door behind it
    start      the runtime is executed; this process stays as pid 1, reaps and reports

The child talks to the launcher over one SEQPACKET socket: it is told "born", then gets an
Assignment with descriptors; it says started, failed (with the step), exited or signalled.
"""

from __future__ import annotations

import errno
import json
import os
import select
import signal
import socket
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NoReturn

from sandbox.process import (
    capabilities,
    cgroups,
    landlock,
    mounts,
    namespaces,
    rlimits,
    seccomp,
    syscalls,
)

FUNCTION_UID, FUNCTION_GID = 993, 990
"""The ids of Lambda's sandbox user."""

HOSTNAME = "sandbox"
MESSAGE_BYTES_MAX = 256 * 1024
_CONTROL_FD = 3
_DEVICES_FD = 4
_DESCRIPTORS_MAX = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What is the same for every sandbox of a host, made before the first one."""

    seccomp_programs: Mapping[str, bytes]
    """By runtime."""
    landlock_abi: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """What a waiting child is given: a program, and the mounts and log it runs with."""

    runtime_id: str
    argv: tuple[str, ...]
    environment: Mapping[str, str] = field(repr=False)
    image_fd: int
    runtime_fd: int
    code_fd: int
    layers_fd: int | None
    """None: /opt is the image's empty folder."""
    tmp_fd: int
    log_fd: int

    def send(self, control: socket.socket) -> None:
        """Launcher: pass it on; the descriptors remain open here."""
        told = {
            "runtime_id": self.runtime_id,
            "argv": self.argv,
            "environment": dict(self.environment),
        }
        fds = [self.image_fd, self.runtime_fd, self.code_fd, self.tmp_fd, self.log_fd]
        if self.layers_fd is not None:
            fds.append(self.layers_fd)
        socket.send_fds(control, [json.dumps(told).encode()], fds)

    @classmethod
    def receive(cls, control: socket.socket) -> Assignment:
        """Child: wait for it; the launcher's end means our end."""
        text, fds, _, _ = socket.recv_fds(control, MESSAGE_BYTES_MAX, _DESCRIPTORS_MAX)
        if not text:
            os._exit(0)
        told = json.loads(text)
        image_fd, runtime_fd, code_fd, tmp_fd, log_fd, *layers_fds = fds
        return cls(
            runtime_id=told["runtime_id"],
            argv=tuple(told["argv"]),
            environment=told["environment"],
            image_fd=image_fd,
            runtime_fd=runtime_fd,
            code_fd=code_fd,
            layers_fd=layers_fds[0] if layers_fds else None,
            tmp_fd=tmp_fd,
            log_fd=log_fd,
        )

    def attachments(self) -> Sequence[tuple[int, str]]:
        """What is attached where, on top of the image."""
        layers = [] if self.layers_fd is None else [(self.layers_fd, "/opt")]
        return [
            (self.runtime_fd, "/var/runtime"),
            (self.code_fd, "/var/task"),
            *layers,
            (self.tmp_fd, "/tmp"),
        ]


class _Progress:
    """Knows which step is under way, so that a failure can be named."""

    def __init__(self) -> None:
        self.step = "birth"


def run(
    control: socket.socket, devices_fd: int, joining: Sequence[int], policy: Policy
) -> NoReturn:
    """Be a sandbox's first process. Never returns."""
    progress = _Progress()
    try:
        cgroups.join(joining)
        control = _forget_others(control, devices_fd)
        _recipe(control, policy, progress)
    except BaseException as error:
        # Whatever it is, nothing must return into the launcher's code from here.
        _tell(control, "failed", f"{progress.step}: {error}")
    finally:
        os._exit(127)


def _forget_others(control: socket.socket, devices_fd: int) -> socket.socket:
    """Close every descriptor of the launcher's but two.

    A waiting child that kept them would keep the networks and volumes of destroyed sandboxes.
    """
    high = os.dup(devices_fd)
    copy = os.dup(control.detach())
    os.dup2(copy, _CONTROL_FD, inheritable=False)
    os.dup2(high, _DEVICES_FD, inheritable=False)
    syscalls.close_from(_DEVICES_FD + 1)
    return socket.socket(fileno=_CONTROL_FD)


def _recipe(control: socket.socket, policy: Policy, progress: _Progress) -> NoReturn:
    capabilities.die_with_parent()
    if control.recv(16) != b"born":
        os._exit(0)
    os.setresgid(0, 0, 0)
    os.setgroups([])
    os.setresuid(0, 0, 0)
    os.setsid()
    os.umask(0o022)
    progress.step = "stage"
    namespaces.enter_own_cgroup_view()
    mounts.enter_stage(_DEVICES_FD)
    socket.sethostname(HOSTNAME)
    # Taking ids above has cleared the death signal; a launcher that died meanwhile is seen as EOF.
    capabilities.die_with_parent()

    given = Assignment.receive(control)

    progress.step = "root"
    mounts.enter_root(given.image_fd, given.attachments())
    progress.step = "lockdown"
    os.chdir("/var/task")
    _keep_only(given.log_fd)
    rlimits.apply()
    capabilities.no_new_privileges()
    capabilities.drop_bounding_set()
    ruleset = landlock.prepare(policy.landlock_abi)
    os.setresgid(FUNCTION_GID, FUNCTION_GID, FUNCTION_GID)
    os.setresuid(FUNCTION_UID, FUNCTION_UID, FUNCTION_UID)
    capabilities.drop_all()
    _die_with_launcher()
    syscalls.join_new_session_keyring()
    landlock.enforce(ruleset)
    seccomp.install(policy.seccomp_programs[given.runtime_id])
    progress.step = "start"
    _start(given, control)


def _keep_only(log_fd: int) -> None:
    """Standard streams and the control socket; every other descriptor is closed."""
    null = os.open("/dev/null", os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(log_fd, 1)
    os.dup2(log_fd, 2)
    syscalls.close_from(_CONTROL_FD + 1)


def _die_with_launcher() -> None:
    """The last change of credentials is done: ask for the death signal again, and check.

    A launcher that died before the request took hold shows as the end of the control socket.
    """
    capabilities.die_with_parent()
    watch = select.poll()
    watch.register(_CONTROL_FD, 0)
    if watch.poll(0):
        os._exit(0)


def _start(given: Assignment, control: socket.socket) -> NoReturn:
    """Execute the runtime. Spawned without copying this process: nothing of it is needed."""
    try:
        # Python ignores these two signals for itself; programs expect the defaults.
        defaults = (signal.SIGPIPE, signal.SIGXFSZ)
        runtime = os.posix_spawn(
            given.argv[0], given.argv, dict(given.environment), setsigdef=defaults
        )
    except OSError as error:
        raise OSError(f"cannot execute {given.argv[0]}: {error.strerror}") from error
    _tell(control, "started", "")
    # What the function writes must not wait for pid 1 to close its copy.
    for fd in (1, 2):
        os.dup2(0, fd)
    _reap(runtime, control)


def _reap(runtime: int, control: socket.socket) -> NoReturn:
    """Pid 1: collect every orphan; end when the runtime ends, and with it the whole tree."""
    while True:
        try:
            pid, status = os.waitpid(-1, 0)
        except OSError as error:
            if error.errno == errno.EINTR:
                continue
            raise
        if pid != runtime:
            continue
        if os.WIFSIGNALED(status):
            _tell(control, "signalled", str(os.WTERMSIG(status)))
        elif os.WIFEXITED(status):
            _tell(control, "exited", str(os.WEXITSTATUS(status)))
        else:
            continue
        os._exit(0)


def _tell(control: socket.socket, what: str, value: str) -> None:
    try:
        control.send(f"{what} {value}".encode()[:4096])
    except OSError as error:
        # The launcher is gone, and this process is about to be.
        print(f"launcher unreachable: {error}", file=sys.stderr)  # noqa: T201
