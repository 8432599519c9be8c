"""A folder as a zip archive that is the same, byte for byte, for the same files.

Names are sorted, times fixed, permission bits kept (and reading allowed to all, because a sandbox
has a user of its own). Links may point within the package only.
"""

from __future__ import annotations

import os
import shutil
import stat
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from controlplane.cli.exits import BadParameterError

SKIPPED_FOLDERS = frozenset(
    {".git", ".hg", ".svn", "__pycache__", ".venv", ".mypy_cache", ".pytest_cache", ".ruff_cache"}
)
VENV_MARK = "pyvenv.cfg"

ZIPPED_BYTES_MAX = 50 * 1024 * 1024
UNZIPPED_BYTES_MAX = 250 * 1024 * 1024
"""Lambda's quotas of a package."""

TIME = (1980, 1, 1, 0, 0, 0)
"""The earliest a zip archive can say."""
UNIX = 3
SHOWN_LARGEST = 3

Progress = Callable[[int, int], None]
"""Told how many bytes of how many are done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One file, link or empty folder of a package."""

    source: Path
    mode: int
    size_bytes: int


def members_of(folder: Path) -> dict[str, Member]:
    """What of a folder belongs into a package, by name in it.

    Raises:
        BadParameterError: something in it cannot be packed, with its path and the reason.
    """
    root = folder.resolve()
    return {path.relative_to(root).as_posix(): _member(path, root) for path in _paths(root)}


def members_of_file(path: Path) -> dict[str, Member]:
    """A package of one file.

    Raises:
        BadParameterError: it cannot be packed.
    """
    real = path.resolve()
    return {path.name: _member(real, real.parent)}


def write_zip(members: Mapping[str, Member], archive: Path, progress: Progress) -> int:
    """Write an archive and return its size in bytes.

    Raises:
        BadParameterError: it is empty or too large, or a file cannot be read.
    """
    _check_unzipped(members)
    total = sum(member.size_bytes for member in members.values())
    done = 0
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as package:
        for name in sorted(members):
            _write_member(package, name, members[name])
            done += members[name].size_bytes
            progress(done, total)
    size = archive.stat().st_size
    check_zipped(size)
    return size


def check_zipped(size_bytes: int) -> None:
    """Raise BadParameterError for an archive that no upload would take."""
    if size_bytes > ZIPPED_BYTES_MAX:
        raise BadParameterError(
            f"the package is too large: {_mb(size_bytes)} zipped, and {_mb(ZIPPED_BYTES_MAX)} is "
            "the most; leave out what the function does not need"
        )


def _check_unzipped(members: Mapping[str, Member]) -> None:
    if not members:
        raise BadParameterError("there is nothing in the folder to deploy")
    total = sum(member.size_bytes for member in members.values())
    if total <= UNZIPPED_BYTES_MAX:
        return
    parts: dict[str, int] = {}
    for name, member in members.items():
        top = name.partition("/")[0]
        parts[top] = parts.get(top, 0) + member.size_bytes
    largest = sorted(parts.items(), key=lambda part: -part[1])[:SHOWN_LARGEST]
    raise BadParameterError(
        f"the package is too large: {_mb(total)} unzipped, and {_mb(UNZIPPED_BYTES_MAX)} is the "
        f"most; largest: {', '.join(f'{name} {_mb(size)}' for name, size in largest)}"
    )


def _paths(root: Path) -> Iterator[Path]:
    """Every file and link below root, and the folders with nothing in them."""
    for place, folders, files in os.walk(root, onerror=_refuse_unreadable):
        here = Path(place)
        links = [name for name in folders if (here / name).is_symlink()]
        folders[:] = [name for name in folders if name not in links and _belongs(here / name)]
        yield from (here / name for name in (*files, *links))
        if here != root and not (folders or files or links):
            yield here


def _belongs(folder: Path) -> bool:
    return folder.name not in SKIPPED_FOLDERS and not (folder / VENV_MARK).exists()


def _member(path: Path, root: Path) -> Member:
    found = path.lstat()
    kind = stat.S_IFMT(found.st_mode)
    if kind == stat.S_IFLNK:
        _check_link(path, root)
        return Member(source=path, mode=stat.S_IFLNK | 0o777, size_bytes=0)
    if kind == stat.S_IFDIR:
        return Member(source=path, mode=stat.S_IFDIR | 0o755, size_bytes=0)
    if kind != stat.S_IFREG:
        raise BadParameterError(f"{path} is neither a file nor a folder: it cannot be packed")
    if not os.access(path, os.R_OK):
        raise BadParameterError(f"{path} is not readable: chmod +r it or remove it")
    mode = stat.S_IMODE(found.st_mode) | 0o444
    if mode & stat.S_IXUSR:
        mode |= 0o111
    return Member(source=path, mode=stat.S_IFREG | mode, size_bytes=found.st_size)


def _check_link(path: Path, root: Path) -> None:
    target = path.readlink()
    if target.is_absolute() or not (path.parent / target).resolve().is_relative_to(root):
        raise BadParameterError(
            f"{path} is a link to {target}, which is not in the package: put a copy there, or a "
            "relative link to something in the folder"
        )


def _write_member(package: zipfile.ZipFile, name: str, member: Member) -> None:
    kind = stat.S_IFMT(member.mode)
    info = zipfile.ZipInfo(name + "/" if kind == stat.S_IFDIR else name, TIME)
    info.create_system = UNIX
    info.external_attr = member.mode << 16
    info.compress_type = zipfile.ZIP_DEFLATED
    if kind == stat.S_IFDIR:
        package.writestr(info, b"", zipfile.ZIP_STORED)
        return
    if kind == stat.S_IFLNK:
        package.writestr(info, os.fsencode(member.source.readlink()), zipfile.ZIP_STORED)
        return
    try:
        with member.source.open("rb") as source, package.open(info, "w") as sink:
            shutil.copyfileobj(source, sink, 1 << 20)
    except OSError as error:
        raise BadParameterError(f"{member.source} cannot be read: {error.strerror}") from error


def _refuse_unreadable(error: OSError) -> None:
    raise BadParameterError(f"{error.filename} cannot be read: {error.strerror}") from error


def _mb(size_bytes: int) -> str:
    return f"{size_bytes / (1 << 20):.1f} MB"
