"""Looks at a copy from outside, before anybody is told that it is there.

A function template is the tenant's own process: what its fork says of itself counts for nothing.
The kernel's word does: whose ids it has, that every capability is gone for good, which filters lie
on it, and that it lives in the very namespaces and cgroups of the pid 1 that we made for it. Not to
be seen from outside is whether it entered Landlock.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from sandbox.process.child import FUNCTION_GID, FUNCTION_UID

NAMESPACES = ("user", "mnt", "ipc", "uts", "net", "cgroup", "pid")
"""Those that a copy enters, in the order in which it must."""
_ALL_NAMESPACES = (*NAMESPACES, "time")
_CAPABILITIES = ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")
_NO_SOCKETS = ("raw", "raw6", "packet", "icmp", "icmp6")


class NotLockedError(Exception):
    """A copy is not as it must be; the message says in what."""


def verify(pid: int, pid1: int, first_id: int, filters: int) -> int:
    """Demand that a process is a copy that is locked in.

    Args:
        pid: The process, on the host.
        pid1: Its tree's pid 1, which is ours.
        first_id: The first of its private range of ids.
        filters: How many system call filters must lie on it.

    Returns:
        Its pid in its template's namespace.

    Raises:
        NotLockedError: it is not.
        OSError: it has ended.
    """
    if pid == pid1:
        raise NotLockedError("it names another process")
    status = parse_status(Path(f"/proc/{pid}/status").read_text())
    flaw = flaw_of(status, first_id, filters)
    if flaw:
        raise NotLockedError(flaw)
    for name in _ALL_NAMESPACES:
        if _namespace(pid, name) != _namespace(pid1, name):
            raise NotLockedError(f"it lives in another {name} namespace")
    for name in _NO_SOCKETS:
        # A raw socket works without the capability that made it.
        if len(Path(f"/proc/{pid}/net/{name}").read_text().splitlines()) > 1:
            raise NotLockedError(f"its network has {name} sockets")
    return int(status["NSpid"].split()[-2])


def demand_same_cgroups(pid: int, pid1: int) -> None:
    """Demand that a process is limited by all that limits its tree.

    Raises:
        NotLockedError: it is not.
        OSError: it has ended.
    """
    mine, trees = (Path(f"/proc/{each}/cgroup").read_text() for each in (pid, pid1))
    if mine != trees:
        raise NotLockedError("it is in other cgroups than its tree")


def parse_status(text: str) -> Mapping[str, str]:
    """The fields of /proc/PID/status."""
    lines = (line.partition(":") for line in text.splitlines())
    return {name: value.strip() for name, _, value in lines}


def flaw_of(status: Mapping[str, str], first_id: int, filters: int) -> str:
    """In what a process's status is not as it must be; empty when it is. Pure."""
    wanted = {
        "Uid": "\t".join([str(first_id + FUNCTION_UID)] * 4),
        "Gid": "\t".join([str(first_id + FUNCTION_GID)] * 4),
        "Groups": "",
        "Threads": "1",
        "NoNewPrivs": "1",
        **dict.fromkeys(_CAPABILITIES, "0" * 16),
    }
    for name, value in wanted.items():
        if status.get(name) != value:
            return f"{name} is {status.get(name)!r}, not {value!r}"
    found = int(status.get("Seccomp_filters", "0"))
    if found < filters or (filters and status.get("Seccomp") != "2"):
        return f"{found} system call filters lie on it, not {filters}"
    return ""


def _namespace(pid: int, name: str) -> str:
    return os.readlink(f"/proc/{pid}/ns/{name}")
