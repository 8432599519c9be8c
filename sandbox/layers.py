"""Lays the unpacked layers of a function one over the other: what it sees at /opt.

The files are the very ones of the layers (hard links), so a merged tree costs folders and names and
no second copy on disk or in memory. A later layer covers an earlier one: its file replaces whatever
has that name, its folder joins a folder and replaces anything else. Links are never followed.
"""

from __future__ import annotations

import errno
import os
import shutil
import stat
from collections.abc import Sequence
from pathlib import Path

from sandbox.unpack import DEPTH_MAX, UnpackError

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def merge(layers: Sequence[Path], target: Path) -> None:
    """Make a new folder with everything of the layers, the last one on top. Blocks.

    Raises:
        UnpackError: a folder lies deeper than any that is unpacked.
    """
    target.mkdir(mode=0o755)
    for layer in layers:
        source_fd, target_fd = os.open(layer, _DIRECTORY), os.open(target, _DIRECTORY)
        try:
            _lay(source_fd, target_fd, DEPTH_MAX)
        finally:
            os.close(source_fd)
            os.close(target_fd)


def _lay(source_fd: int, target_fd: int, depth: int) -> None:
    if depth < 0:
        raise UnpackError(f"a layer has folders deeper than {DEPTH_MAX}")
    with os.scandir(source_fd) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                _lay_folder(source_fd, target_fd, entry.name, depth)
            else:
                _lay_file(source_fd, target_fd, entry.name)


def _lay_folder(source_fd: int, target_fd: int, name: str, depth: int) -> None:
    try:
        os.mkdir(name, 0o755, dir_fd=target_fd)
    except FileExistsError:
        if not stat.S_ISDIR(os.lstat(name, dir_fd=target_fd).st_mode):
            os.unlink(name, dir_fd=target_fd)
            os.mkdir(name, 0o755, dir_fd=target_fd)
    inner_source = os.open(name, _DIRECTORY, dir_fd=source_fd)
    inner_target = os.open(name, _DIRECTORY, dir_fd=target_fd)
    try:
        _lay(inner_source, inner_target, depth - 1)
    finally:
        os.close(inner_source)
        os.close(inner_target)


def _lay_file(source_fd: int, target_fd: int, name: str) -> None:
    try:
        _link(source_fd, target_fd, name)
    except FileExistsError:
        if stat.S_ISDIR(os.lstat(name, dir_fd=target_fd).st_mode):
            shutil.rmtree(name, dir_fd=target_fd)
        else:
            os.unlink(name, dir_fd=target_fd)
        _link(source_fd, target_fd, name)


def _link(source_fd: int, target_fd: int, name: str) -> None:
    try:
        os.link(name, name, src_dir_fd=source_fd, dst_dir_fd=target_fd, follow_symlinks=False)
    except OSError as error:
        if error.errno != errno.EMLINK:
            raise
        # A file has as many names as its file system allows: this tree gets a copy.
        folder, copy = f"/proc/self/fd/{source_fd}", f"/proc/self/fd/{target_fd}"
        shutil.copy2(f"{folder}/{name}", f"{copy}/{name}", follow_symlinks=False)
