"""Which namespaces a sandbox has, and whose ids it uses.

The network namespace is not in the set: the launcher makes it beforehand in the host's user
namespace, so that the sandbox lives in it and never owns it. The cgroup namespace is entered by
the child once it is attached everywhere, so that its own cgroup is the root of what it sees.
"""

from __future__ import annotations

import os

from sandbox.process import syscalls

IDS_PER_SANDBOX = 65_536
_OOM_SCORE = 500

_AT_BIRTH = (
    syscalls.CLONE_NEWUSER
    | syscalls.CLONE_NEWNS
    | syscalls.CLONE_NEWPID
    | syscalls.CLONE_NEWIPC
    | syscalls.CLONE_NEWUTS
)


def fork_into_new(cgroup_fd: int) -> tuple[int, int]:
    """Fork a child into its own namespaces and cgroup: (pid, pidfd), pid 0 in the child."""
    return syscalls.clone3(_AT_BIRTH, cgroup_fd)


def fork_sibling_into_new(cgroup_fd: int) -> tuple[int, int]:
    """The same, but the child is our parent's, which is to watch and to reap it."""
    return syscalls.clone3(_AT_BIRTH | syscalls.CLONE_PARENT, cgroup_fd)


def fork_sibling() -> int:
    """Fork a child that is our parent's, and lives where we do: its pid, 0 in the child."""
    pid, pidfd = syscalls.clone3(syscalls.CLONE_PARENT, None)
    if pid:
        os.close(pidfd)
    return pid


def fork_sibling_into_nest() -> tuple[int, int]:
    """As fork_sibling_into_new, with a network of its own, and staying in our cgroups."""
    return syscalls.clone3(_AT_BIRTH | syscalls.CLONE_NEWNET | syscalls.CLONE_PARENT, None)


def map_ids(pid: int, first_id: int) -> None:
    """Give the child the private range that starts at first_id on the host."""
    for name in ("uid_map", "gid_map"):
        with open(f"/proc/{pid}/{name}", "wb", buffering=0) as file:
            file.write(b"0 %d %d" % (first_id, IDS_PER_SANDBOX))


def offer_to_oom_killer(pid: int) -> None:
    """Let the kernel take sandboxes before anything else when the whole host is out of memory."""
    with open(f"/proc/{pid}/oom_score_adj", "wb", buffering=0) as file:
        file.write(b"%d" % _OOM_SCORE)


def enter_own_cgroup_view() -> None:
    """Make the sandbox's cgroups the roots of what it can see."""
    syscalls.unshare(syscalls.CLONE_NEWCGROUP)
