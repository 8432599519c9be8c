"""The recipe: what a sandbox's first process does, in the only order that is safe.

    birth      in new namespaces, joining its cgroups and waiting until its ids are mapped
    stage      leave the host's file tree for an empty one; then wait for a function
    root       the image, its runtime, code, layers and /tmp; nothing else exists any more
    lockdown   descriptors, capabilities, uid, Landlock, seccomp: each closes the door behind it
    start      once its limits are written the runtime is executed; this process stays as pid 1,
               reaps and reports

Pid 1 of a copy executes nothing: its runtime comes in from the function template (copies.py). That
of a template builds two walls less, which its copies build for themselves, and reports their ends.

The child talks to the launcher over one SEQPACKET socket: it is told "born", then gets an
Assignment with descriptors, then "go" when the limits are written; it says started, failed (with
the step), exited or signalled.
"""

from __future__ import annotations

import os
import select
import signal
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NoReturn

from sandbox.process import (
    capabilities,
    cgroups,
    forks,
    landlock,
    mounts,
    namespaces,
    pid1,
    rlimits,
    seccomp,
    syscalls,
)
from sandbox.process.assignment import Assignment

FUNCTION_UID, FUNCTION_GID = 993, 990
"""The ids of Lambda's sandbox user."""

HOSTNAME = "sandbox"
GO = b"go"
_DEVICES_FD = 4
_COPYING_FD = 4
"""In a template once it is locked down: where its runtime will be asked for copies."""
_RUNTIMES_COPYING_FD = 3
"""What the runtime knows it as."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Walls:
    """What the lockdown needs, the same for every sandbox of a runtime."""

    seccomp_program: bytes
    landlock_abi: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What is the same for every sandbox of a host, made before the first one."""

    seccomp_programs: Mapping[str, bytes]
    """By runtime."""
    template_programs: Mapping[str, bytes]
    """The same for function templates, whose copies build the last walls by themselves."""
    landlock_abi: int

    def walls(self, runtime_id: str) -> Walls:
        """What holds for the sandboxes of one runtime."""
        return Walls(
            seccomp_program=self.seccomp_programs[runtime_id], landlock_abi=self.landlock_abi
        )


class Progress:
    """Knows which step is under way, so that a failure can be named."""

    def __init__(self) -> None:
        self.step = "birth"


def run(
    control: socket.socket, devices_fd: int, joining: Sequence[int], policy: Policy
) -> NoReturn:
    """Be a sandbox's first process. Never returns."""
    progress = Progress()
    try:
        cgroups.join(joining)
        control = forks.forget_others(control, devices_fd)
        _recipe(control, policy, progress)
    except BaseException as error:
        # Whatever it is, nothing must return into the launcher's code from here.
        pid1.tell(control, "failed", f"{progress.step}: {error}")
    finally:
        os._exit(127)


def _recipe(control: socket.socket, policy: Policy, progress: Progress) -> NoReturn:
    wait_for_ids(control)
    progress.step = "stage"
    enter_stage()

    given = Assignment.receive(control)

    progress.step = "root"
    mounts.enter_root(given.image_fd, given.attachments())
    progress.step = "lockdown"
    os.chdir("/var/task")
    is_template = given.copying_fd is not None
    keep_only(given.log_fd, given.copying_fd)
    # Landlock would keep a template's copies from entering mounts of their own.
    ruleset = give_up_gains(0 if is_template else policy.landlock_abi)
    become_nobody()
    die_with_launcher()
    programs = policy.template_programs if is_template else policy.seccomp_programs
    close_doors(ruleset, programs[given.runtime_id])
    progress.step = "start"
    wait_to_be_let_go(control)
    if given.argv:
        _start(given, control)
    pid1.tell(control, "started", "")
    pid1.let_go_of_the_log()
    pid1.reap_for_ever()


def wait_for_ids(control: socket.socket) -> None:
    """Until the launcher has mapped our ids; then be root of the user namespace, and no more."""
    capabilities.die_with_parent()
    if control.recv(16) != b"born":
        os._exit(0)
    os.setresgid(0, 0, 0)
    os.setgroups([])
    os.setresuid(0, 0, 0)
    os.setsid()
    os.umask(0o022)


def enter_stage() -> None:
    """Leave all that is the host's."""
    namespaces.enter_own_cgroup_view()
    mounts.enter_stage(_DEVICES_FD)
    socket.sethostname(HOSTNAME)
    # Taking ids above has cleared the death signal; a launcher that died meanwhile is seen as EOF.
    capabilities.die_with_parent()


def give_up_gains(landlock_abi: int) -> int:
    """Nothing can add privilege or raise a limit any more; returns Landlock's ruleset, ready."""
    rlimits.apply()
    capabilities.no_new_privileges()
    capabilities.drop_bounding_set()
    return landlock.prepare(landlock_abi)


def become_nobody() -> None:
    """Be the function's user, without any capability."""
    os.setresgid(FUNCTION_GID, FUNCTION_GID, FUNCTION_GID)
    os.setresuid(FUNCTION_UID, FUNCTION_UID, FUNCTION_UID)
    capabilities.drop_all()


def close_doors(ruleset: int, program: bytes) -> None:
    """The last walls, in the order in which each still lets the next be built."""
    syscalls.join_new_session_keyring()
    landlock.enforce(ruleset)
    seccomp.install(program)


def keep_only(log_fd: int, copying_fd: int | None = None) -> None:
    """Standard streams, the control socket, and a template's; every other descriptor is closed."""
    null = os.open("/dev/null", os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(log_fd, 1)
    os.dup2(log_fd, 2)
    first_free = forks.SOCKET_FD + 1
    if copying_fd is not None:
        os.dup2(copying_fd, _COPYING_FD, inheritable=False)
        first_free = _COPYING_FD + 1
    syscalls.close_from(first_free)


def die_with_launcher() -> None:
    """The last change of credentials is done: ask for the death signal again, and check.

    A launcher that died before the request took hold shows as the end of the control socket.
    """
    capabilities.die_with_parent()
    watch = select.poll()
    watch.register(forks.SOCKET_FD, 0)
    if watch.poll(0):
        os._exit(0)


def wait_to_be_let_go(control: socket.socket) -> None:
    """Until limits, network and all else around this sandbox are as its function needs them."""
    if control.recv(len(GO)) != GO:
        os._exit(0)


def _start(given: Assignment, control: socket.socket) -> NoReturn:
    """Execute the runtime. Spawned without copying this process: nothing of it is needed."""
    is_template = given.copying_fd is not None
    actions = []
    if is_template:
        pid1.skip_a_pid()
        actions = [(os.POSIX_SPAWN_DUP2, _COPYING_FD, _RUNTIMES_COPYING_FD)]
    try:
        # Python ignores these two signals for itself; programs expect the defaults.
        runtime = os.posix_spawn(
            given.argv[0],
            given.argv,
            dict(given.handover.environment),
            file_actions=actions,
            setsigdef=(signal.SIGPIPE, signal.SIGXFSZ),
        )
    except OSError as error:
        raise OSError(f"cannot execute {given.argv[0]}: {error.strerror}") from error
    pid1.tell(control, "started", "")
    pid1.let_go_of_the_log()
    if is_template:
        os.close(_COPYING_FD)
        pid1.reap_copies(runtime, control)
    pid1.reap(runtime, control)
