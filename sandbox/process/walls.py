"""The walls of this host: which are here, which are missing, and the remedy.

For doctor, for the launcher, which refuses to start without one unless the operator allows that by
name, and for the notes that the agent passes on. Every line is tried or read, never assumed from a
kernel version.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from sandbox.process import syscalls
from sandbox.process.cgroup_layout import CONTROLLERS, Layout
from sandbox.process.ephemeral import find_weakness
from sandbox.process.router import find_weakness as find_router_weakness
from sandbox.process.seccomp_tables import MACHINES

_LANDLOCK_REQUIRED_ABI = 2
_LANDLOCK_SCOPES_ABI = 6
_NAMESPACES = ("user", "mnt", "pid", "ipc", "uts", "net", "cgroup")


class Need(StrEnum):
    """What becomes of a host without the wall."""

    ALWAYS = "always"
    """Nothing can be isolated at all."""
    REQUIRED = "required"
    """Refused, unless the operator allows the host to do without this one."""
    EXTRA = "extra"
    """Newer than the kernel of Debian 12: used where it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wall:
    """One thing that contains a function."""

    name: str
    """Also what `--allow-missing` calls it."""
    need: Need
    ok: bool
    detail: str
    remedy: str = ""
    """What to do when it is missing."""

    @property
    def note(self) -> str:
        """In words, for somebody who looks at the host from afar."""
        return f"{self.name}: {self.detail}; {self.remedy}"


class WallMissingError(Exception):
    """The host lacks a wall that nobody allowed it to lack."""


def survey(layout: Layout, *, without: Collection[str] = ()) -> tuple[Wall, ...]:
    """All walls of this host; those named in `without` count as missing (tests)."""
    abi = syscalls.landlock_abi()
    found = (
        *(_namespace(name, Need.ALWAYS) for name in _NAMESPACES),
        _namespace("time", Need.REQUIRED),
        *(_cgroup(layout, name) for name in CONTROLLERS),
        seccomp_wall(os.uname().machine),
        *landlock_walls(abi),
        ephemeral_wall(find_weakness()),
        egress_wall(find_router_weakness()),
    )
    return tuple(
        replace(each, ok=False, detail="left out") if each.name in without else each
        for each in found
    )


def demand(walls: Sequence[Wall], allowed: Collection[str]) -> tuple[str, ...]:
    """The names of the missing walls, all of which the operator allowed to be missing.

    Raises:
        WallMissingError: one may not be missing, or there is no wall of an allowed name.
    """
    for name in allowed:
        if name not in {each.name for each in walls if each.need is Need.REQUIRED}:
            raise WallMissingError(f"--allow-missing {name}: {_what_may_be_missing(walls)}")
    missing = [each for each in walls if not each.ok and each.need is not Need.EXTRA]
    refused = [each for each in missing if each.name not in allowed or each.need is Need.ALWAYS]
    if refused:
        raise WallMissingError("\n".join(_refusal(each) for each in refused))
    return tuple(each.name for each in missing)


def notes_of(walls: Sequence[Wall]) -> tuple[str, ...]:
    """What is missing, in words, with the remedies."""
    return tuple(each.note for each in walls if not each.ok)


def _what_may_be_missing(walls: Sequence[Wall]) -> str:
    names = (each.name for each in walls if each.need is Need.REQUIRED)
    return f"no such wall can be left out, only {', '.join(names)}"


def _refusal(wall: Wall) -> str:
    text = f"this host has no {wall.name} ({wall.detail}): {wall.remedy}"
    if wall.need is Need.REQUIRED:
        text += f"; or let functions run without this wall: --allow-missing {wall.name}"
    return text


def _namespace(name: str, need: Need) -> Wall:
    return Wall(
        name=f"{name}-namespace",
        need=need,
        ok=os.path.exists(f"/proc/self/ns/{name}"),
        detail="",
        remedy="use a kernel with namespaces (every distribution's)",
    )


def _cgroup(layout: Layout, name: str) -> Wall:
    where: Mapping[str, str] = {each: f"v1 at {path}" for each, path in layout.v1.items()}
    is_missing = name in layout.missing
    return Wall(
        name=f"cgroup-{name}",
        need=Need.ALWAYS,
        ok=not is_missing,
        detail="missing" if is_missing else where.get(name, "v2"),
        remedy=f"boot with cgroup_enable={name}",
    )


def seccomp_wall(machine: str) -> Wall:
    """The system call filter, which must know the machine's numbers."""
    return Wall(
        name="seccomp",
        need=Need.REQUIRED,
        ok=machine in MACHINES,
        detail="an allow-list for each runtime" if machine in MACHINES else f"unknown: {machine}",
        remedy=f"emberd knows the system calls of {', '.join(MACHINES)} only",
    )


def landlock_walls(abi: int) -> tuple[Wall, ...]:
    """The file rules that hold when everything else fails, and what newer kernels add."""
    detail = f"ABI {abi}" if abi else "not in this kernel"
    return (
        Wall(
            name="landlock",
            need=Need.REQUIRED,
            ok=abi >= _LANDLOCK_REQUIRED_ABI,
            detail=detail,
            remedy="boot a 5.19 or newer kernel with lsm=landlock,...",
        ),
        Wall(
            name="landlock-scopes",
            need=Need.EXTRA,
            ok=abi >= _LANDLOCK_SCOPES_ABI,
            detail=detail,
            remedy="boot a 6.12 or newer kernel to scope signals and abstract sockets too",
        ),
    )


def ephemeral_wall(weakness: str) -> Wall:
    """Whether /tmp is capped apart from memory."""
    what, _, remedy = weakness.partition(" (")
    return Wall(
        name="tmp-image",
        need=Need.REQUIRED,
        ok=not weakness,
        detail=what or "ext4 on loop devices",
        remedy=remedy.rstrip(")"),
    )


def egress_wall(weakness: str) -> Wall:
    """Whether what functions may reach is filtered; without that they reach nothing."""
    what, _, remedy = weakness.partition(" (")
    return Wall(
        name="egress",
        need=Need.REQUIRED,
        ok=not weakness,
        detail=what or "a router with nftables; while a host runs, this machine forwards IPv4",
        remedy=remedy.rstrip(")"),
    )
