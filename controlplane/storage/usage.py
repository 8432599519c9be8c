"""The file usage.db: what every function used on every day. Off the path of every invocation."""

from __future__ import annotations

import asyncio
import json
import logging
import sqlite3
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TypeVar

from controlplane.metrics.metering import Meter, Usage
from controlplane.storage.unreadable import open_or_put_aside

logger = logging.getLogger(__name__)

FLUSH_S = 5.0
"""What is counted is on disk after this long: all that a kill can lose."""

DAYS_KEPT = 400
"""A year, and the month in which somebody looks back at it."""

ROWS_MAX = 200_000
"""Beyond it the oldest days go."""

SCHEMA = """
CREATE TABLE IF NOT EXISTS usage (
    day INTEGER NOT NULL,
    function_name TEXT NOT NULL,
    architecture TEXT NOT NULL,
    tags TEXT NOT NULL,
    requests INTEGER NOT NULL,
    billed_ms INTEGER NOT NULL,
    memory_mb_ms INTEGER NOT NULL,
    PRIMARY KEY (day, function_name, architecture, tags)
) WITHOUT ROWID;
"""

Result = TypeVar("Result")


class UsageStore:
    """One connection, used by one thread only."""

    def __init__(self, path: Path, meter: Meter) -> None:
        self._path = path
        self._meter = meter
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="usage-db")
        self._connection: sqlite3.Connection | None = None
        self._flushing: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Open the file, or make it; one that cannot be read is put aside."""
        loop = asyncio.get_running_loop()
        self._connection = await loop.run_in_executor(self._thread, _open, self._path)

    async def run(self, stopping: asyncio.Event) -> None:
        """Write what was counted every few seconds, until told to stop."""
        while not stopping.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(FLUSH_S):
                    await stopping.wait()
            await self.flush()

    async def flush(self) -> None:
        """Write what was counted; what cannot be written is kept for the next time."""
        # A caller that goes away in the middle takes nothing along that was taken from the meter.
        self._flushing = asyncio.create_task(self._flush())
        await asyncio.shield(self._flushing)

    async def _flush(self) -> None:
        usages = self._meter.take()
        if not usages:
            return
        try:
            await self._submit(lambda connection: _add(connection, usages))
        except sqlite3.Error as error:
            self._meter.give_back(usages)
            logger.warning("usage could not be written yet", extra={"error": repr(error)})

    async def read(self, first_day: int, last_day: int) -> list[Usage]:
        """What was used on these days, what was counted before the call included."""
        await self.flush()
        return await self._submit(lambda connection: _select(connection, first_day, last_day))

    async def close(self) -> None:
        """Write what is left and close the file."""
        if self._connection is not None:
            await self.flush()
            await self._submit(lambda connection: connection.close())
            self._connection = None
        self._thread.shutdown(wait=False)

    async def _submit(self, work: Callable[[sqlite3.Connection], Result]) -> Result:
        assert self._connection is not None, "open() comes first"
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, work, self._connection)


@asynccontextmanager
async def open_usage(path: Path, meter: Meter) -> AsyncIterator[UsageStore]:
    """A store that writes what the meter counts; when the context ends, the rest of it."""
    store = UsageStore(path, meter)
    try:
        await store.open()
        stopping = asyncio.Event()
        writing = asyncio.create_task(store.run(stopping))
        try:
            yield store
        finally:
            stopping.set()
            await writing
    finally:
        await store.close()


def _open(path: Path) -> sqlite3.Connection:
    return open_or_put_aside(path, _connect, "the record of usage")


def _connect(path: Path) -> sqlite3.Connection:
    # The executor's one thread is the only user.
    connection = sqlite3.connect(path)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.executescript(SCHEMA)
    except BaseException:
        connection.close()
        raise
    return connection


def _add(connection: sqlite3.Connection, usages: Sequence[Usage]) -> None:
    with connection:
        connection.executemany(
            "INSERT INTO usage VALUES (?, ?, ?, ?, ?, ?, ?) "
            "ON CONFLICT DO UPDATE SET requests = requests + excluded.requests, "
            "billed_ms = billed_ms + excluded.billed_ms, "
            "memory_mb_ms = memory_mb_ms + excluded.memory_mb_ms",
            [
                (
                    each.day,
                    each.function_name,
                    each.architecture,
                    json.dumps(dict(each.tags), sort_keys=True),
                    each.requests,
                    each.billed_ms,
                    each.memory_mb_ms,
                )
                for each in usages
            ],
        )
        newest = max(each.day for each in usages)
        connection.execute("DELETE FROM usage WHERE day <= ?", (newest - DAYS_KEPT,))
        (rows,) = connection.execute("SELECT count(*) FROM usage").fetchone()
        if rows > ROWS_MAX:
            connection.execute("DELETE FROM usage WHERE day = (SELECT min(day) FROM usage)")


def _select(connection: sqlite3.Connection, first_day: int, last_day: int) -> list[Usage]:
    rows = connection.execute(
        "SELECT * FROM usage WHERE day BETWEEN ? AND ? ORDER BY day, function_name",
        (first_day, last_day),
    )
    return [
        Usage(
            day=day,
            function_name=name,
            architecture=architecture,
            tags=json.loads(tags),
            requests=requests,
            billed_ms=billed_ms,
            memory_mb_ms=memory_mb_ms,
        )
        for day, name, architecture, tags, requests, billed_ms, memory_mb_ms in rows
    ]
