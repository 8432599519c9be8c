"""Unpacks a package on the host: nothing lands outside the target, whatever the archive says.

The control plane checked the archive when it was uploaded; a host does not rely on it. Files are
created one path component at a time with O_NOFOLLOW and O_EXCL below an open directory, sizes are
counted while bytes are written, and only permission bits survive of a file's mode (no setuid).
"""

from __future__ import annotations

import contextlib
import os
import stat
import struct
import zipfile
import zlib
from pathlib import Path, PurePosixPath

UNZIPPED_BYTES_MAX = 262_144_000
"""250 MB, Lambda's limit for a package with its layers."""

ENTRIES_MAX = 50_000
DEPTH_MAX = 200
"""Folders in folders: whoever walks an unpacked tree may do it by recursion."""
CHUNK_BYTES = 256 * 1024
# What zipfile raises over a damaged archive; encrypted entries are a RuntimeError.
_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    OSError,
    ValueError,
    RuntimeError,
    EOFError,
    struct.error,
)
_FILE_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_DIR_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class UnpackError(Exception):
    """The archive cannot be unpacked; the message names the entry."""


def unpack(archive: Path, target: Path) -> int:
    """Unpack into a new directory and return the bytes written.

    Raises:
        UnpackError: the archive is malformed, too large, or tries to leave the target.
    """
    target.mkdir(mode=0o755)
    root = os.open(target, _DIR_FLAGS)
    try:
        with zipfile.ZipFile(archive) as package:
            return _unpack_all(package, root)
    except _DAMAGE as error:
        raise UnpackError(f"{archive.name} cannot be unpacked: {error}") from error
    finally:
        os.close(root)


def _unpack_all(package: zipfile.ZipFile, root: int) -> int:
    entries = package.infolist()
    if len(entries) > ENTRIES_MAX:
        raise UnpackError(f"{len(entries)} entries; at most {ENTRIES_MAX} are unpacked")
    written = 0
    for entry in entries:
        parts = _safe_parts(entry.filename)
        mode = entry.external_attr >> 16
        if entry.is_dir():
            os.close(_open_directory(root, parts))
            continue
        parent = _open_directory(root, parts[:-1])
        try:
            if stat.S_ISLNK(mode):
                _link(package, entry, parent, parts)
            else:
                written += _write(package, entry, parent, parts[-1], UNZIPPED_BYTES_MAX - written)
        finally:
            os.close(parent)
    return written


def _safe_parts(name: str) -> tuple[str, ...]:
    parts = PurePosixPath(name).parts
    if not parts or name.startswith("/") or ".." in parts or "\\" in name or "\0" in name:
        raise UnpackError(f"entry {name!r} leaves the package")
    if len(parts) > DEPTH_MAX:
        raise UnpackError(f"entry {name[:80]!r}... lies deeper than {DEPTH_MAX} folders")
    return parts


def _open_directory(root: int, parts: tuple[str, ...]) -> int:
    """Open (and make) a directory below the root without following a link on the way."""
    current = os.dup(root)
    for part in parts:
        with contextlib.suppress(FileExistsError):
            os.mkdir(part, 0o755, dir_fd=current)
        following = os.open(part, _DIR_FLAGS, dir_fd=current)
        os.close(current)
        current = following
    return current


def _write(
    package: zipfile.ZipFile, entry: zipfile.ZipInfo, parent: int, name: str, room: int
) -> int:
    permissions = _permissions(entry.external_attr >> 16)
    written = 0
    with (
        package.open(entry) as source,
        os.fdopen(os.open(name, _FILE_FLAGS, 0o600, dir_fd=parent), "wb") as sink,
    ):
        while chunk := source.read(CHUNK_BYTES):
            written += len(chunk)
            if written > room:
                raise UnpackError(f"more than {UNZIPPED_BYTES_MAX} bytes when unpacked")
            sink.write(chunk)
        os.fchmod(sink.fileno(), permissions)
    return written


def _permissions(mode: int) -> int:
    """The archive's permissions, as Lambda keeps them: without o+r the function cannot read it.

    An entry without a file type was not copied from a file (a program wrote it, with whatever
    default its library has), so there are no permissions to keep.
    """
    if stat.S_IFMT(mode):
        return mode & 0o777
    return 0o644 | mode & 0o111


def _link(
    package: zipfile.ZipFile, entry: zipfile.ZipInfo, parent: int, parts: tuple[str, ...]
) -> None:
    """Make a symbolic link that stays inside: it is resolved in the sandbox, never here."""
    if entry.file_size > 4096:
        raise UnpackError(f"link {entry.filename!r} has a target of {entry.file_size} bytes")
    target = package.read(entry).decode("utf-8", "strict")
    depth = len(parts) - 1
    for part in PurePosixPath(target).parts:
        depth += -1 if part == ".." else 1
        if part == "/" or depth < 0:
            raise UnpackError(f"link {entry.filename!r} leaves the package")
    os.symlink(target, parts[-1], dir_fd=parent)
