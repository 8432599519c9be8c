"""The recipe of a parked sandbox: a fork of its runtime's template, locked down ahead of time.

    birth, stage   as every sandbox's first process (child.py)
    root           the image, its runtime and /tmp; code and layers have their places, still empty
    lockdown       the runtime forks off here and loses everything; it waits inside all its walls
    handover       this process, pid 1, attaches what is the function's, then locks itself down
    start          the runtime gets its variables, and only now can a byte of the tenant's run

The launcher says "born", later sends a Handover, then "go" when the limits are written; it is told
started, failed (with the step), exited or signalled.
"""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NoReturn

from sandbox.process import cgroups, child, dry_run, forks, mounts, pid1, syscalls
from sandbox.process.assignment import MESSAGE_BYTES_MAX, Handover
from sandbox.process.child import Walls

_LOCKED = b"locked"
_LOG_FD, _IMAGE_FD, _RUNTIME_FD, _TMP_FD = 5, 6, 7, 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Cradle:
    """The descriptors that a birth comes with."""

    control_fd: int
    devices_fd: int
    log_fd: int
    image_fd: int
    runtime_fd: int
    tmp_fd: int
    joining: Sequence[int]
    """Through which the child enters the v1 cgroups."""


def run(cradle: Cradle, walls: Walls, settle: Callable[[], None]) -> Mapping[str, str]:
    """Be a sandbox. Returns in the process that is to run the function: with its variables.

    That process settles once it is locked down, before it waits.
    """
    progress = child.Progress()
    control = socket.socket(fileno=cradle.control_fd)
    try:
        cgroups.join(cradle.joining)
        control = forks.forget_others(
            control,
            cradle.devices_fd,
            cradle.log_fd,
            cradle.image_fd,
            cradle.runtime_fd,
            cradle.tmp_fd,
        )
        child.wait_for_ids(control)
        progress.step = "stage"
        child.enter_stage()
        progress.step = "root"
        # /tmp must be there before Landlock is: a rule for what a mount hides means nothing.
        mounts.enter_root(_IMAGE_FD, [(_RUNTIME_FD, mounts.RUNTIME), (_TMP_FD, "/tmp")])
        progress.step = "lockdown"
        child.keep_only(_LOG_FD)
        ruleset = child.give_up_gains(walls.landlock_abi)
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        runtime = os.fork()
        if runtime == 0:
            control.close()
            ours.close()
            return _wait_locked(theirs, ruleset, walls, settle)
        theirs.close()
        _be_pid1(control, ours, runtime, ruleset, walls, progress)
    except BaseException as error:
        # Whatever it is, nothing must return into the template's code from here.
        pid1.tell(control, "failed", f"{progress.step}: {error}")
        os._exit(127)


def _wait_locked(
    pid1_says: socket.socket, ruleset: int, walls: Walls, settle: Callable[[], None]
) -> Mapping[str, str]:
    """The runtime's process: lose every right, then wait for the function's variables."""
    try:
        child.become_nobody()
        # Without an exec the change of uid has hidden /proc/self from us, /proc/self/fd with it.
        syscalls.prctl(syscalls.PR_SET_DUMPABLE, 1)
        child.close_doors(ruleset, walls.seccomp_program)
        settle()
        dry_run.variables()
        pid1_says.send(_LOCKED)
        text = pid1_says.recv(MESSAGE_BYTES_MAX)
        pid1_says.close()
    except BaseException as error:
        pid1_says.send(str(error).encode()[:4096] or b"interrupted")
        os._exit(127)
    if not text:
        os._exit(0)
    variables: Mapping[str, str] = json.loads(text)
    return variables


def _be_pid1(
    control: socket.socket,
    runtime_says: socket.socket,
    runtime: int,
    ruleset: int,
    walls: Walls,
    progress: child.Progress,
) -> NoReturn:
    """Wait for the function, let it in, lock up, and collect what dies."""
    dry_run.handover()
    word = runtime_says.recv(4096)
    if word != _LOCKED:
        raise OSError(word.decode(errors="replace") or "the runtime's process ended")
    given = Handover.receive(control)
    progress.step = "root"
    mounts.attach(given.attachments)
    for mount_fd, _ in given.attachments:
        os.close(mount_fd)
    progress.step = "lockdown"
    child.become_nobody()
    child.die_with_launcher()
    child.close_doors(ruleset, walls.seccomp_program)
    progress.step = "start"
    variables = json.dumps(dict(given.environment)).encode()
    child.wait_to_be_let_go(control)
    # The host prepares to hear of the runtime while that comes to life.
    pid1.tell(control, "started", "")
    runtime_says.send(variables)
    runtime_says.close()
    pid1.let_go_of_the_log()
    pid1.reap(runtime, control)
