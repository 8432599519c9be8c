"""The one thing an agent hands over: a directory of code, believed only as a descriptor."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from sandbox.process import syscalls
from sandbox.process.protocol import refusal


class CodeFolder:
    """Tells whether a descriptor from the agent is a directory of the agent's own."""

    def __init__(self, folder: Path, owner_id: int) -> None:
        self._folder = folder.resolve()
        self._folder_fd = os.open(self._folder, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        self._owner_id = owner_id

    def own_view(self, fd: int) -> int:
        """The same directory, opened in the launcher's mount table.

        A descriptor of another mount table cannot be copied into a sandbox; its name is only a
        hint, and what is found there must be the very same inode.

        Raises:
            InvalidArgumentError: it is something else.
        """
        given = os.fstat(fd)
        if not stat.S_ISDIR(given.st_mode) or given.st_uid != self._owner_id:
            raise refusal("the code descriptor is no directory of the agent's")
        try:
            name = Path(os.readlink(f"/proc/self/fd/{fd}")).relative_to(self._folder)
            resolve = syscalls.RESOLVE_BENEATH | syscalls.RESOLVE_NO_SYMLINKS
            flags = os.O_PATH | os.O_DIRECTORY
            own = syscalls.openat2(self._folder_fd, str(name), flags, resolve)
        except (OSError, ValueError) as error:
            raise refusal("the code directory is not below the agent's folder") from error
        found = os.fstat(own)
        if (found.st_dev, found.st_ino) != (given.st_dev, given.st_ino):
            os.close(own)
            raise refusal("the code directory was replaced while it was opened")
        return own
