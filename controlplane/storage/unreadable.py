"""Files that can be begun anew: one that cannot be read is put aside, and nothing stops for it."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable
from pathlib import Path

logger = logging.getLogger(__name__)


def open_or_put_aside(
    path: Path, connect: Callable[[Path], sqlite3.Connection], what: str
) -> sqlite3.Connection:
    """Connect to the file; if it is damaged or of another emberd, to a new one in its place.

    Raises:
        sqlite3.OperationalError: the folder's fault, not the file's: no permission, no room.
    """
    try:
        return connect(path)
    except sqlite3.OperationalError:
        raise
    except sqlite3.DatabaseError as error:
        aside = path.with_name(path.name + ".unreadable")
        logger.warning(
            "%s cannot be read and is put aside",
            what,
            extra={"path": str(path), "aside": str(aside), "error": repr(error)},
        )
        for suffix in ("-wal", "-shm"):
            path.with_name(path.name + suffix).unlink(missing_ok=True)
        path.replace(aside)
        return connect(path)
