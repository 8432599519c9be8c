"""One control plane per data folder: a lock that dies with its holder."""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path

from emberd.wire.errors import ConflictError

PATIENCE_S = 5.0
"""A predecessor that was killed a moment ago may still be dying."""


def lock_data_folder(folder: Path, patience_s: float = PATIENCE_S) -> int:
    """Take the folder's lock and return its descriptor, which is closed on exec.

    Raises:
        ConflictError: another control plane holds it.
    """
    fd = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    until = time.monotonic() + patience_s
    while True:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return fd
        except BlockingIOError:
            if time.monotonic() >= until:
                os.close(fd)
                raise ConflictError(
                    f"another emberd serves the data folder {folder.parent}: stop it first, or "
                    "give this one a folder of its own with --data",
                    reason="DATA_FOLDER_IN_USE",
                    folder=str(folder.parent),
                ) from None
            time.sleep(0.05)
