"""A birth and a handover with places and descriptors that are none: nothing comes of it.

Every call is refused by the kernel. But the interpreter has specialised the code afterwards, and
ctypes has made what it makes once: in a template, so that no fork need do it and copy the pages it
is done in; in a fork that waits, so that its handover finds these pages copied.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
from collections.abc import Callable

from sandbox.process import child, landlock, mounts, pid1, syscalls
from sandbox.process.assignment import Handover

_NOWHERE = "/nonexistent"
_NOTHING = -1
_PR_CAPBSET_READ = 23
VARIABLES = {f"NAME_{number}": "." * 8 * number for number in range(40)}
"""About as many as functions have, of all usual lengths: each length is its own to malloc."""


def birth(landlock_abi: int) -> None:
    """What a child does before it waits."""
    _refused(lambda: syscalls.mount("none", _NOWHERE, "tmpfs", options="size=64k"))
    _refused(lambda: syscalls.umount(_NOWHERE))
    _refused(lambda: syscalls.pivot_root(_NOWHERE, _NOWHERE))
    _refused(lambda: syscalls.unshare(_NOTHING))
    syscalls.prctl(_PR_CAPBSET_READ)
    ruleset = landlock.prepare(landlock_abi)
    if ruleset >= 0:
        os.close(ruleset)


def handover() -> None:
    """What pid 1 does with a function's mounts and variables."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs:
        sample = Handover(environment=VARIABLES, attachments=[(theirs.fileno(), _NOWHERE)])
        sample.send(ours)
        given = Handover.receive(theirs)
        for fd in given.descriptors:
            os.close(fd)
        ours.send(json.dumps(dict(given.environment)).encode())
        pid1.tell(ours, "started", "")
    _refused(lambda: mounts.attach([(_NOTHING, _NOWHERE)]))
    os.setresgid(*os.getresgid())
    os.setresuid(*os.getresuid())
    child.die_with_launcher()
    _refused(lambda: syscalls.landlock_restrict_self(_NOTHING))
    _refused(lambda: syscalls.seccomp_filter(b""))


def variables() -> None:
    """How the runtime's process reads those that it is told at last."""
    json.loads(json.dumps(VARIABLES).encode())


def _refused(call: Callable[[], None]) -> None:
    with contextlib.suppress(OSError):
        call()
