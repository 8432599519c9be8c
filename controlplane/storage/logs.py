"""The log lines of every function, kept for a while: the newest are kept, the oldest go first."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections import deque
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass
from itertools import islice

from controlplane.model.log import LogBatch, LogLine, LogQuery
from controlplane.storage.log_retention import DEFAULT_CAPS, MIB, Caps, Retention, size_of
from controlplane.storage.telemetry_db import BatchWriter, Result, TelemetryDatabase

PENDING_BYTES_MAX = 16 * MIB
"""Lines on their way to the disk; beyond it they are dropped and counted."""

NO_LIMIT = -1
"""SQLite's word for all rows."""

FOLLOWER_BYTES_MAX = 4 * MIB
"""Lines that wait for one follower; beyond it the oldest are lost to it, and it is told."""


@dataclass(frozen=True, slots=True)
class _Row:
    id: int
    line: LogLine


_INSERT = """
INSERT INTO log_line
(id, function_name, version, request_id, log_group, log_stream, time_ns, size, message,
 trace_id, span_id)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""


class LogStore:
    """Takes lines without ever blocking, and reads or follows one function's."""

    def __init__(
        self,
        database: TelemetryDatabase,
        caps: Caps = DEFAULT_CAPS,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """The clock tells seconds since the epoch."""
        self._database = database
        self._retention = Retention(caps, clock)
        self._writer = BatchWriter[_Row](
            database,
            self._write,
            weigh=lambda row: size_of(row.line),
            weight_max=PENDING_BYTES_MAX,
        )
        self._followers: dict[str, set[_Follower]] = {}
        self._next_id = 1

    async def open(self) -> None:
        """Go on where an earlier life stopped. The database must be open."""
        self._next_id = await self._database.submit(_newest_id) + 1

    @property
    def dropped(self) -> int:
        """Lines that could not be kept."""
        return self._writer.dropped

    @property
    def followers(self) -> int:
        """Readers that follow now."""
        return sum(map(len, self._followers.values()))

    def append(self, lines: Sequence[LogLine]) -> None:
        """Keep lines and wake who follows them. Called on the event loop."""
        for line in lines:
            if not self._writer.add(_Row(self._next_id, line)):
                continue
            self._next_id += 1
            for follower in self._followers.get(line.function_name, ()):
                follower.offer(line)

    async def read(self, query: LogQuery) -> tuple[LogLine, ...]:
        """The newest lines that match, oldest first, everything appended so far included."""
        return await self._select(query, self._next_id - 1)

    async def follow(self, query: LogQuery) -> AsyncGenerator[LogBatch, None]:
        """What read() returns, in one batch, then every new line as it comes, without gap."""
        follower = _Follower(query)
        followers = self._followers.setdefault(query.function_name, set())
        followers.add(follower)
        # Taken in the same turn of the loop as the registration: a line is either at most this
        # number or offered to the follower, never both.
        newest_id = self._next_id - 1
        try:
            yield LogBatch(lines=await self._select(query, newest_id), lost=0)
            while (batch := await follower.next()) is not None:
                if query.wants is not None:
                    # A reader's pattern must not hold up the loop, which answers invocations.
                    wanted = await asyncio.to_thread(query.matching, batch.lines)
                    batch = LogBatch(lines=wanted, lost=batch.lost)
                if batch.lines or batch.lost:
                    yield batch
        finally:
            followers.discard(follower)
            if not followers and self._followers.get(query.function_name) is followers:
                del self._followers[query.function_name]

    def end_follows(self) -> None:
        """Let every follow() end after what it has, so that a server can stop."""
        for followers in self._followers.values():
            for follower in followers:
                follower.end()

    def close(self) -> None:
        """Hand over what is pending. The database, closed after this by its owner, writes it."""
        self.end_follows()
        self._writer.flush()

    async def query(self, work: Callable[[sqlite3.Connection], Result]) -> Result:
        """What a job in the database's thread finds, with everything appended so far.

        Raises:
            UnavailableError: the database is closed.
        """
        self._writer.flush()
        return await self._database.submit(work)

    async def delete(self, log_group: str, log_stream: str | None = None) -> None:
        """Remove the lines of a group, or of one stream of it."""
        await self.query(lambda connection: self._delete(connection, log_group, log_stream))

    def _delete(
        self, connection: sqlite3.Connection, log_group: str, log_stream: str | None
    ) -> None:
        with connection:
            connection.execute(
                "DELETE FROM log_line WHERE log_group = ? AND (? IS NULL OR log_stream = ?)",
                (log_group, log_stream, log_stream),
            )
        self._retention.forget()

    async def _select(self, query: LogQuery, newest_id: int) -> tuple[LogLine, ...]:
        return await self.query(lambda connection: _read(connection, query, newest_id))

    def _write(self, connection: sqlite3.Connection, rows: Sequence[_Row]) -> None:
        try:
            with connection:
                self._retention.age(connection)
                self._retention.load(connection)
                connection.executemany(_INSERT, map(_values, rows))
                self._retention.added(connection, [row.line for row in rows])
        except sqlite3.Error:
            # Rolled back, so what retention counted did not happen.
            self._retention.forget()
            raise


class _Follower:
    """What waits for one reader, bounded."""

    def __init__(self, query: LogQuery) -> None:
        self._request_id = query.request_id
        self._lines: deque[LogLine] = deque()
        self._size = 0
        self._lost = 0
        self._ended = False
        self._news = asyncio.Event()

    def offer(self, line: LogLine) -> None:
        """Queue a line if it is wanted; what no longer fits is lost to this reader."""
        if self._ended or (self._request_id and line.request_id != self._request_id):
            return
        self._lines.append(line)
        self._size += size_of(line)
        while self._size > FOLLOWER_BYTES_MAX:
            self._size -= size_of(self._lines.popleft())
            self._lost += 1
        self._news.set()

    def end(self) -> None:
        """No more will come."""
        self._ended = True
        self._news.set()

    async def next(self) -> LogBatch | None:
        """Everything that waits, once there is something; None at the end."""
        await self._news.wait()
        if not self._lines and not self._lost:
            return None
        batch = LogBatch(lines=tuple(self._lines), lost=self._lost)
        self._lines.clear()
        self._size = self._lost = 0
        if not self._ended:
            self._news.clear()
        return batch


def _newest_id(connection: sqlite3.Connection) -> int:
    (newest,) = connection.execute("SELECT coalesce(max(id), 0) FROM log_line").fetchone()
    return int(newest)


def _read(connection: sqlite3.Connection, query: LogQuery, newest_id: int) -> tuple[LogLine, ...]:
    rows = connection.execute(
        """
        SELECT version, request_id, log_group, log_stream, time_ns, message, trace_id, span_id
        FROM log_line
        WHERE function_name = ? AND time_ns >= ? AND ? IN ('', request_id) AND id <= ?
        ORDER BY id DESC LIMIT ?
        """,
        (
            query.function_name,
            query.since_ns,
            query.request_id,
            newest_id,
            query.lines_max if query.wants is None else NO_LIMIT,
        ),
    )
    # One line after the other, so that a pattern that few lines match holds few in memory.
    lines = (
        LogLine(
            function_name=query.function_name,
            version=version,
            request_id=request_id,
            log_group=log_group,
            log_stream=log_stream,
            time_ns=time_ns,
            message=message,
            trace_id=trace_id,
            span_id=span_id,
        )
        for version, request_id, log_group, log_stream, time_ns, message, trace_id, span_id in rows
    )
    newest = islice((line for each in lines for line in query.matching((each,))), query.lines_max)
    return tuple(newest)[::-1]


def _values(row: _Row) -> tuple[int | str | bytes, ...]:
    line = row.line
    return (
        row.id,
        line.function_name,
        line.version,
        line.request_id,
        line.log_group,
        line.log_stream,
        line.time_ns,
        size_of(line),
        line.message,
        line.trace_id,
        line.span_id,
    )
