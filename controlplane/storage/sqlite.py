"""Records in one SQLite file: WAL, synchronous=FULL, one thread that alone touches it.

The event loop never waits on the disk, and no two statements ever run at once, so there is no lock
to wait for. A backup is `sqlite3 FILE .backup`, at any time.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from controlplane.storage.ports import (
    ABSENT,
    TOMBSTONES_MAX,
    Change,
    ChangesLostError,
    Delete,
    Put,
    Record,
    StaleRecordError,
    Write,
)
from controlplane.storage.schema import prepare
from emberd.wire.errors import ConflictError, UnavailableError

_Result = TypeVar("_Result")

_BEYOND_PREFIX = "\U0010ffff"
"""Sorts after every character that a key may go on with."""


class SqliteRecords:
    """A RecordStore on one file."""

    def __init__(self, connection: sqlite3.Connection, executor: ThreadPoolExecutor) -> None:
        self._connection = connection
        self._executor = executor
        self._closed = False

    @classmethod
    async def open(cls, path: Path) -> SqliteRecords:
        """Open the file, or make it.

        Raises:
            ConflictError: it is damaged, too new, or cannot be opened; says what to do.
        """
        executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="records")
        try:
            loop = asyncio.get_running_loop()
            connection = await loop.run_in_executor(executor, _connect, path)
        except BaseException:
            executor.shutdown(wait=False)
            raise
        return cls(connection, executor)

    async def get(self, key: str) -> Record | None:
        """One record, or None."""
        return await self._run(lambda: self._get(key))

    async def list(self, prefix: str, *, after: str = "", limit: int) -> Sequence[Record]:
        """Records below a prefix in order of keys."""
        return await self._run(lambda: self._list(prefix, after, limit))

    async def commit(self, writes: Sequence[Write]) -> int:
        """Do all writes in one transaction, on disk when this returns."""
        return await self._run(lambda: self._commit(writes))

    async def newest(self) -> int:
        """The version of the last transaction."""
        return await self._run(self._newest)

    async def changes(self, after: int, *, limit: int) -> Sequence[Change]:
        """What changed after a version, oldest first."""
        return await self._run(lambda: self._changes(after, limit))

    async def close(self) -> None:
        """Let go of the file."""
        if self._closed:
            return
        self._closed = True
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._executor, self._connection.close)
        self._executor.shutdown(wait=False)

    async def _run(self, work: Callable[[], _Result]) -> _Result:
        if self._closed:
            raise UnavailableError("the record store is closed", reason="STORE_CLOSED")
        try:
            return await asyncio.get_running_loop().run_in_executor(self._executor, work)
        except sqlite3.Error as error:
            raise UnavailableError(
                f"the database failed and kept nothing of this change ({error}): see that its "
                "disk has room and is writable, then try again",
                reason="STORE_FAILED",
            ) from error

    def _get(self, key: str) -> Record | None:
        row = self._connection.execute(
            "SELECT value, version FROM records WHERE key = ? AND value IS NOT NULL", (key,)
        ).fetchone()
        return None if row is None else Record(key=key, value=row[0], version=row[1])

    def _list(self, prefix: str, after: str, limit: int) -> Sequence[Record]:
        rows = self._connection.execute(
            "SELECT key, value, version FROM records "
            "WHERE key >= ? AND key < ? AND key > ? AND value IS NOT NULL ORDER BY key LIMIT ?",
            (prefix, prefix + _BEYOND_PREFIX, after, limit),
        )
        return [Record(key=row[0], value=row[1], version=row[2]) for row in rows]

    def _commit(self, writes: Sequence[Write]) -> int:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            version = self._apply(writes)
            self._connection.execute("COMMIT")
        except BaseException:
            # A failed COMMIT may have rolled back by itself.
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise
        return version

    def _apply(self, writes: Sequence[Write]) -> int:
        execute = self._connection.execute
        version = int(execute("UPDATE feed SET newest = newest + 1 RETURNING newest").fetchone()[0])
        for write in writes:
            self._demand(write)
            match write:
                case Put(key=key, value=value):
                    execute(
                        "INSERT INTO records (key, value, version) VALUES (?, ?, ?) "
                        "ON CONFLICT (key) DO UPDATE "
                        "SET value = excluded.value, version = excluded.version",
                        (key, value, version),
                    )
                case Delete(key=key):
                    execute(
                        "UPDATE records SET value = NULL, version = ? "
                        "WHERE key = ? AND value IS NOT NULL",
                        (version, key),
                    )
        if any(isinstance(write, Delete) for write in writes):
            self._forget(version - TOMBSTONES_MAX)
        return version

    def _demand(self, write: Write) -> None:
        if write.expected is None:
            return
        current = self._get(write.key)
        if (ABSENT if current is None else current.version) != write.expected:
            raise StaleRecordError(write.key)

    def _forget(self, version: int) -> None:
        """Drop the traces of deletions up to a version, and remember that it was done."""
        gone = self._connection.execute(
            "DELETE FROM records WHERE version <= ? AND value IS NULL", (version,)
        )
        if gone.rowcount:
            self._connection.execute("UPDATE feed SET forgotten = ?", (version,))

    def _newest(self) -> int:
        return int(self._connection.execute("SELECT newest FROM feed").fetchone()[0])

    def _changes(self, after: int, limit: int) -> Sequence[Change]:
        forgotten = self._connection.execute("SELECT forgotten FROM feed").fetchone()[0]
        if after < forgotten:
            raise ChangesLostError(after)
        rows = self._connection.execute(
            "SELECT key, value, version FROM records WHERE version > ?1 AND version <= ("
            " SELECT max(version) FROM"
            " (SELECT version FROM records WHERE version > ?1 ORDER BY version LIMIT ?2)"
            ") ORDER BY version, key",
            (after, limit),
        )
        return [Change(key=row[0], value=row[1], version=row[2]) for row in rows]


def _connect(path: Path) -> sqlite3.Connection:
    """Open, check and migrate; runs on the store's own thread, which then owns the connection."""
    try:
        # Made first with its mode, so that nobody else ever reads what functions are told.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        connection = sqlite3.connect(path, isolation_level=None)
    except (OSError, sqlite3.Error) as error:
        raise ConflictError(
            f"{path} cannot be opened ({error}): see that the data folder exists and belongs to "
            "the user that runs emberd",
            reason="DATABASE_UNREADABLE",
            path=str(path),
        ) from error
    try:
        prepare(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection
