"""What an agent hands over: directories of code and layers, believed only as descriptors."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from emberd.wire.errors import InvalidArgumentError
from sandbox.process import syscalls
from sandbox.process.protocol import refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class Directories:
    """What one sandbox sees of its function, opened in the launcher's mount table."""

    folders: Mapping[str, int]
    """A descriptor by the place where it is attached."""

    def close(self) -> None:
        """Let go of them."""
        for fd in self.folders.values():
            os.close(fd)


class CodeFolder:
    """Tells whether a descriptor from the agent is a directory of the agent's own."""

    def __init__(self, folder: Path, owner_id: int) -> None:
        resolved = folder.resolve()
        self._below = f"{resolved}/"
        self._folder_fd = os.open(resolved, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        self._owner_id = owner_id

    def own_views(self, targets: Sequence[str], fds: Sequence[int]) -> Directories:
        """The directories of a request, opened in the launcher's mount table.

        Raises:
            InvalidArgumentError: one is something else.
        """
        opened: dict[str, int] = {}
        try:
            for target, fd in zip(targets, fds, strict=True):
                opened[target] = self.own_view(fd)
        except InvalidArgumentError:
            Directories(folders=opened).close()
            raise
        return Directories(folders=opened)

    def own_view(self, fd: int) -> int:
        """The same directory, opened in the launcher's mount table.

        A descriptor of another mount table cannot be copied into a sandbox; its name is only a
        hint, and what is found there must be the very same inode.

        Raises:
            InvalidArgumentError: it is something else.
        """
        given = os.fstat(fd)
        if not stat.S_ISDIR(given.st_mode) or given.st_uid != self._owner_id:
            raise refusal("a descriptor of code or layers is no directory of the agent's")
        try:
            # One that is elsewhere keeps its absolute name, which the kernel refuses as well.
            name = os.readlink(f"/proc/self/fd/{fd}").removeprefix(self._below)
            resolve = syscalls.RESOLVE_BENEATH | syscalls.RESOLVE_NO_SYMLINKS
            own = syscalls.openat2(self._folder_fd, name, os.O_PATH | os.O_DIRECTORY, resolve)
        except OSError as error:
            raise refusal(
                "a directory of code or layers is not below the agent's folder"
            ) from error
        found = os.fstat(own)
        if (found.st_dev, found.st_ino) != (given.st_dev, given.st_ino):
            os.close(own)
            raise refusal("a directory of code or layers was replaced while it was opened")
        return own
