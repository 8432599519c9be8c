"""The shape of the SQLite database, and how an older one becomes today's.

MIGRATIONS[n] turns schema version n into n + 1; the version is SQLite's `user_version`. A released
migration is never edited: what follows is appended.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import TypeAlias

from emberd.wire.errors import ConflictError

Migrations: TypeAlias = tuple[tuple[str, ...], ...]
"""The statements of each step, in order."""

MIGRATIONS: Migrations = (
    (
        """
        CREATE TABLE records (
            key TEXT PRIMARY KEY NOT NULL,
            value BLOB,
            version INTEGER NOT NULL
        ) WITHOUT ROWID
        """,
        "CREATE UNIQUE INDEX records_by_version ON records (version, key)",
        # One row: the version given last, and the last deletion that the feed forgot.
        "CREATE TABLE feed (newest INTEGER NOT NULL, forgotten INTEGER NOT NULL)",
        "INSERT INTO feed VALUES (0, 0)",
    ),
)

CHECKED_BYTES_MAX = 64 * 1024 * 1024
"""Databases up to this size are checked whole at every start; it takes milliseconds."""


def prepare(
    connection: sqlite3.Connection, path: Path, migrations: Migrations = MIGRATIONS
) -> None:
    """Check the database and bring it to today's schema.

    Raises:
        ConflictError: it is damaged, unusable, or a newer emberd wrote it.
    """
    try:
        version = int(connection.execute("PRAGMA user_version").fetchone()[0])
        if version > len(migrations):
            raise _too_new(path, version, len(migrations))
        if path.stat().st_size <= CHECKED_BYTES_MAX:
            _check_pages(connection, path)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        _migrate(connection, version, migrations)
    except sqlite3.OperationalError as error:
        raise ConflictError(
            f"{path} cannot be used ({error}): see that its disk has room, that the file is "
            "writable and that no other program holds it",
            reason="DATABASE_UNUSABLE",
            path=str(path),
        ) from error
    except sqlite3.DatabaseError as error:
        raise _damaged(path, str(error)) from error


def _migrate(connection: sqlite3.Connection, version: int, migrations: Migrations) -> None:
    """Run the migrations after a version, each in a transaction of its own."""
    for number in range(version, len(migrations)):
        connection.execute("BEGIN IMMEDIATE")
        try:
            for statement in migrations[number]:
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {number + 1}")
            connection.execute("COMMIT")
        except sqlite3.Error:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise


def _check_pages(connection: sqlite3.Connection, path: Path) -> None:
    found = str(connection.execute("PRAGMA quick_check(1)").fetchone()[0])
    if found != "ok":
        raise _damaged(path, found)


def _too_new(path: Path, version: int, known: int) -> ConflictError:
    return ConflictError(
        f"{path} has schema version {version}, this emberd knows up to {known}: a newer "
        "emberd wrote it; run that one, or give this one another data folder with --data",
        reason="DATABASE_TOO_NEW",
        path=str(path),
        version=str(version),
    )


def _damaged(path: Path, cause: str) -> ConflictError:
    return ConflictError(
        f"{path} is damaged or not a database ({cause}): put back a backup of the data folder, or "
        "move the file away to begin with an empty one",
        reason="DATABASE_DAMAGED",
        path=str(path),
    )
