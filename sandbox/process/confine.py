"""Takes privilege from our own daemons: the agent and the control plane run under their own uid.

What they need may lie where no ordinary user can go: a virtual environment whose interpreter is
below a 0700 home, a data folder of root's. In a mount table of their own the topmost unreachable
folder is covered by an empty one, into which only the needed paths are bound back, at the same
place. Nothing changes for anybody else.
"""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import stat
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from sandbox.process import capabilities, syscalls

_COVER_OPTIONS = "size=1m,mode=755"


@dataclass(frozen=True, slots=True, kw_only=True)
class Confinement:
    """Who a daemon is, and what it needs."""

    uid: int
    gid: int
    owned: tuple[Path, ...]
    """Folders that are made and belong to it."""
    needed: tuple[Path, ...] = ()
    """Paths it must be able to reach besides Python and our own code."""


def execute(confinement: Confinement, argv: Sequence[str]) -> NoReturn:
    """Become the daemon. Descriptors that are inheritable stay open.

    Raises:
        OSError: a path is missing or the kernel refused.
    """
    for folder in confinement.owned:
        _make_owned(folder, confinement.uid, confinement.gid)
    parent = os.getppid()
    _make_reachable([*confinement.owned, *confinement.needed, *python_paths()], confinement)
    os.chdir("/")
    os.setgroups([])
    capabilities.drop_bounding_set()
    os.setresgid(confinement.gid, confinement.gid, confinement.gid)
    os.setresuid(confinement.uid, confinement.uid, confinement.uid)
    capabilities.drop_all()
    capabilities.no_new_privileges()
    capabilities.die_with_parent(signal.SIGTERM)
    if os.getppid() != parent:
        raise ProcessLookupError("the parent ended while its daemon was being started")
    os.execv(argv[0], list(argv))


def raise_descriptor_limit(wanted: int = 65_536) -> None:
    """About ten descriptors belong to every sandbox."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    for limit in (max(wanted, hard), hard):
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
            return


def python_paths() -> list[Path]:
    """What this interpreter and everything it can import need."""
    paths = [sys.prefix, sys.base_prefix, *(each for each in sys.path if each)]
    return [Path(each) for each in dict.fromkeys(paths) if os.path.exists(each)]


def unreachable_ancestor(path: Path, uid: int, gid: int) -> Path | None:
    """The topmost folder on the way to path that this user cannot pass; None when it can go."""
    for folder in (*reversed(path.parents), path):
        found = folder.stat()
        if not stat.S_ISDIR(found.st_mode):
            return None
        owner, group = found.st_uid == uid, found.st_gid == gid
        bit = stat.S_IXUSR if owner else stat.S_IXGRP if group else stat.S_IXOTH
        if not found.st_mode & bit:
            return folder
    return None


def plan(paths: Iterable[Path], uid: int, gid: int) -> dict[Path, list[Path]]:
    """Which folders to cover, and which paths to bind back below each."""
    covers: dict[Path, list[Path]] = {}
    for path in sorted({each.resolve() for each in paths}):
        cover = unreachable_ancestor(path, uid, gid)
        if cover is None or cover == path:
            # A path that is itself closed is none of ours to open.
            continue
        kept = covers.setdefault(cover, [])
        if not any(path.is_relative_to(other) for other in kept):
            kept.append(path)
    return covers


def _make_reachable(paths: Iterable[Path], confinement: Confinement) -> None:
    covers = plan(paths, confinement.uid, confinement.gid)
    syscalls.unshare(syscalls.CLONE_NEWNS)
    syscalls.mount("none", "/", flags=syscalls.MS_REC | syscalls.MS_SLAVE)
    for cover, kept in covers.items():
        copies = [(syscalls.open_tree(str(path), recursive=True), path) for path in kept]
        flags = syscalls.MS_NOSUID | syscalls.MS_NODEV
        syscalls.mount("tmpfs", str(cover), "tmpfs", flags, _COVER_OPTIONS)
        for copy, path in copies:
            _make_mount_point(path, copy)
            syscalls.move_mount(copy, str(path))
            os.close(copy)
        remount = syscalls.MS_REMOUNT | syscalls.MS_BIND | syscalls.MS_RDONLY | flags
        syscalls.mount("none", str(cover), flags=remount)


def _make_mount_point(path: Path, copy_fd: int) -> None:
    if stat.S_ISDIR(os.fstat(copy_fd).st_mode):
        path.mkdir(parents=True, exist_ok=True)
    else:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def _make_owned(folder: Path, uid: int, gid: int) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = folder.stat()
    if (found.st_uid, found.st_gid) != (uid, gid):
        os.chown(folder, uid, gid)
