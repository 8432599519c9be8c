"""Who has the processor first where it is scarce: our own daemons, before what they run.

The first of them, the supervisor or a launcher of its own, makes a cgroup for itself and all that
it starts.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

DAEMONS_WEIGHT = 1000
"""Where any other cgroup has 100."""
DAEMONS = "emberd-daemons-"
"""Begins the names of such cgroups; the process that made one is the rest."""
_FULL_SHARES = 1024
"""What 100 is called on v1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a process is in the hierarchy that shares out the processor."""

    root: Path
    """Where that is mounted."""
    path: str
    """The process's cgroup in it."""
    is_v1: bool


@contextlib.contextmanager
def coming_first() -> Iterator[bool]:
    """Be in a cgroup of our daemons, which is heavier than any other.

    Whatever this process starts inherits it, until it is put elsewhere, and must have ended when
    this is left. Removes those whose daemons were killed.

    Yields:
        Whether it is in one. False where somebody has given this process a cgroup already, whose
        weight is theirs to set, and where the kernel refuses.
    """
    is_first = _come_first()
    try:
        yield is_first
    finally:
        _step_back()


def _come_first() -> bool:
    try:
        place = _own_place()
        if place is None:
            return False
        if place.path == "/":
            _sweep(place.root)
            _enter(place)
    except OSError:
        return False
    return place.path == "/" or place.path.startswith(f"/{DAEMONS}")


def _step_back() -> None:
    with contextlib.suppress(OSError):  # It ends where it is, and the next one sweeps.
        place = _own_place()
        if place is not None and place.path == f"/{_own_name()}":
            (place.root / "cgroup.procs").write_text(str(os.getpid()))
            _sweep(place.root)


def find_place(mountinfo: str, cgroups: str) -> Place | None:
    """Read it from /proc/self/mountinfo and /proc/self/cgroup; None where nothing is mounted."""
    roots: dict[str, Path] = {}
    for line in mountinfo.splitlines():
        left, _, right = line.partition(" - ")
        kind, _, options = right.split(" ", 2)
        if kind == "cgroup2" or (kind == "cgroup" and "cpu" in options.split(" ")[-1].split(",")):
            roots.setdefault(kind, Path(left.split()[4]))
    paths = {}
    for line in cgroups.splitlines():
        _, controllers, path = line.split(":", 2)
        paths.update(dict.fromkeys(controllers.split(","), path))
    for kind, name in (("cgroup", "cpu"), ("cgroup2", "")):
        if kind in roots and name in paths:
            return Place(root=roots[kind], path=paths[name], is_v1=kind == "cgroup")
    return None


def _own_place() -> Place | None:
    own = Path("/proc/self")
    return find_place((own / "mountinfo").read_text(), (own / "cgroup").read_text())


def _own_name() -> str:
    return f"{DAEMONS}{os.getpid()}"


def _sweep(root: Path) -> None:
    """Remove those in which nobody is."""
    for each in root.glob(f"{DAEMONS}*"):
        with contextlib.suppress(OSError):  # Its daemons live.
            each.rmdir()


def _enter(place: Place) -> None:
    folder = place.root / _own_name()
    if not place.is_v1:
        (place.root / "cgroup.subtree_control").write_text("+cpu")
    folder.mkdir(exist_ok=True)
    if place.is_v1:
        (folder / "cpu.shares").write_text(str(DAEMONS_WEIGHT * _FULL_SHARES // 100))
    else:
        (folder / "cpu.weight").write_text(str(DAEMONS_WEIGHT))
    (folder / "cgroup.procs").write_text(str(os.getpid()))
