"""The file telemetry.db: one SQLite connection on a thread of its own, written in batches.

Nothing here is a promise: what does not fit is dropped and counted, a file that cannot be read is
put aside. The thread works through its jobs in order, so a read sees every write asked for before.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Generic, TypeVar

from controlplane.storage.unreadable import open_or_put_aside
from emberd.wire.errors import UnavailableError

logger = logging.getLogger(__name__)

SCHEMA_VERSION = 3
SCHEMA = """
CREATE TABLE log_line (
    id INTEGER PRIMARY KEY,
    function_name TEXT NOT NULL,
    version TEXT NOT NULL,
    request_id TEXT NOT NULL,
    log_group TEXT NOT NULL,
    log_stream TEXT NOT NULL,
    time_ns INTEGER NOT NULL,
    size INTEGER NOT NULL,
    message BLOB NOT NULL,
    trace_id TEXT NOT NULL DEFAULT '',
    span_id TEXT NOT NULL DEFAULT ''
);
CREATE INDEX log_line_by_function ON log_line (function_name);
CREATE INDEX log_line_by_group ON log_line (log_group, time_ns, id);
CREATE TABLE trace_part (
    id INTEGER PRIMARY KEY,
    trace_id TEXT NOT NULL,
    request_id TEXT NOT NULL,
    spans TEXT NOT NULL
);
CREATE INDEX trace_part_by_trace ON trace_part (trace_id);
CREATE INDEX trace_part_by_request ON trace_part (request_id);
"""

FROM_VERSION_1 = """
ALTER TABLE log_line ADD COLUMN log_group TEXT NOT NULL DEFAULT '';
UPDATE log_line SET log_group = '/aws/lambda/' || function_name;
CREATE INDEX log_line_by_group ON log_line (log_group, time_ns, id);
"""

FROM_VERSION_2 = """
ALTER TABLE log_line ADD COLUMN trace_id TEXT NOT NULL DEFAULT '';
ALTER TABLE log_line ADD COLUMN span_id TEXT NOT NULL DEFAULT '';
"""

BATCH_DELAY_S = 0.1
"""Rows wait this long for company: one transaction for many invocations."""

T = TypeVar("T")
Result = TypeVar("Result")


class TelemetryDatabase:
    """One connection, used by one thread only."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="telemetry-db")
        self._connection: sqlite3.Connection | None = None

    async def open(self) -> None:
        """Open the file, or begin a new one where there is none or one that is of no use."""
        loop = asyncio.get_running_loop()
        self._connection = await loop.run_in_executor(self._thread, _open, self._path)

    @property
    def is_open(self) -> bool:
        """Whether work is taken."""
        return self._connection is not None

    def submit(self, work: Callable[[sqlite3.Connection], Result]) -> asyncio.Future[Result]:
        """Queue a job for the thread; it runs after all that were queued before it.

        Raises:
            UnavailableError: the database is closed.
        """
        if self._connection is None:
            raise UnavailableError(
                "the store of logs and traces is closed: emberd is stopping", reason="STORE_CLOSED"
            )
        loop = asyncio.get_running_loop()
        return loop.run_in_executor(self._thread, work, self._connection)

    async def close(self) -> None:
        """Finish what was queued and close the file. Idempotent."""
        connection, self._connection = self._connection, None
        if connection is not None:
            loop = asyncio.get_running_loop()
            await loop.run_in_executor(self._thread, connection.close)
        self._thread.shutdown(wait=False)


class BatchWriter(Generic[T]):
    """Gathers rows and writes them together; never blocks, never grows beyond its limit."""

    def __init__(
        self,
        database: TelemetryDatabase,
        write: Callable[[sqlite3.Connection, Sequence[T]], None],
        *,
        weigh: Callable[[T], int],
        weight_max: int,
    ) -> None:
        self._database = database
        self._write = write
        self._weigh = weigh
        self._weight_max = weight_max
        self._weight = 0
        self._pending: list[T] = []
        self._timer: asyncio.TimerHandle | None = None
        self._failing = False
        self.dropped = 0
        """Rows that did not fit or could not be written."""

    def add(self, row: T) -> bool:
        """Take a row; False when it was dropped because the thread is too far behind."""
        weight = self._weigh(row)
        if self._weight + weight > self._weight_max or not self._database.is_open:
            self.dropped += 1
            return False
        self._weight += weight
        self._pending.append(row)
        if self._timer is None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(BATCH_DELAY_S, self.flush)
        return True

    def flush(self) -> None:
        """Hand what was gathered to the thread; a read that is queued after this sees it."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if not self._pending or not self._database.is_open:
            return
        batch, self._pending = self._pending, []
        weight = sum(map(self._weigh, batch))
        future = self._database.submit(lambda connection: self._write(connection, batch))
        future.add_done_callback(lambda done: self._written(done, len(batch), weight))

    def _written(self, done: asyncio.Future[None], rows: int, weight: int) -> None:
        self._weight -= weight
        error = None if done.cancelled() else done.exception()
        if error is None:
            self._failing = False
            return
        self.dropped += rows
        if not self._failing:
            # Once per outage: a full disk fails every batch, and its log may be on it.
            self._failing = True
            logger.warning(
                "logs or traces could not be written and are dropped",
                extra={"rows": rows, "error": repr(error)},
            )


def _open(path: Path) -> sqlite3.Connection:
    return open_or_put_aside(path, _connect, "the store of logs and traces")


def _connect(path: Path) -> sqlite3.Connection:
    # The executor's one thread is the only user, also when close() comes from a later job.
    connection = sqlite3.connect(path)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        # Losing the last moments in a power cut is allowed; a broken file is not wanted.
        connection.execute("PRAGMA synchronous = NORMAL")
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        steps = {0: SCHEMA, 1: FROM_VERSION_1 + FROM_VERSION_2, 2: FROM_VERSION_2}
        if version in steps:
            connection.executescript(
                f"BEGIN; {steps[version]} PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;"
            )
        elif version != SCHEMA_VERSION:
            raise sqlite3.DatabaseError(
                f"schema version {version}, this emberd knows {SCHEMA_VERSION}"
            )
    except BaseException:
        connection.close()
        raise
    return connection
