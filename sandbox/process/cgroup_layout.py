"""Where a host has its cgroups: pure v2, v1 with v2 beside it (hybrid), or v1 alone.

Found, never assumed: the text of /proc/self/mountinfo and what v2 says it controls.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from sandbox.process import syscalls

CONTROLLERS = ("memory", "pids", "cpu")
"""What sandboxes are limited with."""


class CgroupError(Exception):
    """The host has no cgroup layout that sandboxes can be limited with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Where the hierarchies are mounted."""

    unified: Path | None
    """The v2 tree; None when nobody has mounted it."""
    v1: Mapping[str, Path]
    """The v1 hierarchy of each of CONTROLLERS that v2 does not have."""

    @property
    def shares_disks(self) -> bool:
        """Whether v2 has the io controller; v1's knows nothing of the writes of others' pages."""
        return self.unified is not None and "io" in _controllers_of(self.unified)

    @property
    def missing(self) -> tuple[str, ...]:
        """Controllers that are nowhere: compiled out, or switched off at boot."""
        if self.unified is None:
            return tuple(name for name in CONTROLLERS if name not in self.v1)
        return tuple(
            name
            for name in CONTROLLERS
            if name not in self.v1 and name not in _controllers_of(self.unified)
        )


def _controllers_of(unified: Path) -> frozenset[str]:
    return frozenset((unified / "cgroup.controllers").read_text().split())


def find_layout(
    mountinfo: str, controllers_of: Callable[[Path], frozenset[str]] = _controllers_of
) -> Layout:
    """Read the layout from the text of /proc/self/mountinfo."""
    unified: Path | None = None
    v1: dict[str, Path] = {}
    for line in mountinfo.splitlines():
        left, _, right = line.partition(" - ")
        where = Path(left.split()[4])
        kind, _, options = right.split(" ", 2)
        if kind == "cgroup2" and unified is None:
            unified = where
        elif kind == "cgroup":
            for name in set(options.split(" ")[-1].split(",")) & set(CONTROLLERS):
                v1.setdefault(name, where)
    in_v2 = controllers_of(unified) if unified is not None else frozenset()
    return Layout(
        unified=unified, v1={name: path for name, path in v1.items() if name not in in_v2}
    )


def mount_unified(layout: Layout, folder: Path) -> Layout:
    """Give a v1-only host a v2 tree, seen by the launcher alone."""
    if layout.unified is not None:
        return layout
    folder.mkdir(parents=True, exist_ok=True)
    syscalls.mount("emberd", str(folder), "cgroup2")
    return Layout(unified=folder, v1=layout.v1)
