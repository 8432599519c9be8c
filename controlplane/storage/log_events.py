"""Reads log lines as CloudWatch Logs shows them: by group, stream and time, in pages.

A page ends when it has what was asked for, a megabyte, or has looked at so many lines that others
should have their turn in the database's thread; the reader goes on from there.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from controlplane.model.log_groups import MS, EventPage, EventQuery, LogEvent, Position, StreamView
from controlplane.storage.logs import LogStore

PAGE_BYTES = 1024 * 1024
LINES_LOOKED_AT = 10_000
EVENT_OVERHEAD_BYTES = 26
"""What CloudWatch Logs counts for an event beside its message."""

LINE_END = b"\n"
"""What a line of a function has at its end in CloudWatch Logs; what somebody put there has not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptGroup:
    """What is kept of a group."""

    name: str
    first_ms: int
    stored_bytes: int


class LogEvents:
    """The lines of a LogStore, by group."""

    def __init__(self, logs: LogStore) -> None:
        self._logs = logs

    async def groups(self) -> tuple[KeptGroup, ...]:
        """Every group of which something is kept."""
        return await self._logs.query(_groups)

    async def first_ms(self, group: str) -> int | None:
        """The time of the first event of a group; None if nothing is kept of it."""
        return await self._logs.query(lambda connection: _first_ms(connection, group))

    async def has(self, group: str, stream: str) -> bool:
        """Whether anything is kept of a stream."""
        return await self._logs.query(lambda connection: _has(connection, group, stream))

    async def streams(self, group: str) -> tuple[StreamView, ...]:
        """Every stream of a group of which something is kept."""
        return await self._logs.query(lambda connection: _streams(connection, group))

    async def select(self, query: EventQuery) -> EventPage:
        """One page."""
        return await self._logs.query(lambda connection: _select(connection, query))


def _groups(connection: sqlite3.Connection) -> tuple[KeptGroup, ...]:
    rows = connection.execute(
        "SELECT log_group, min(time_ns), sum(size) FROM log_line "
        "WHERE log_group <> '' GROUP BY log_group"  # the audit log is in none
    )
    return tuple(
        KeptGroup(name=name, first_ms=first_ns // MS, stored_bytes=size)
        for name, first_ns, size in rows
    )


def _first_ms(connection: sqlite3.Connection, group: str) -> int | None:
    (first_ns,) = connection.execute(
        "SELECT min(time_ns) FROM log_line WHERE log_group = ?", (group,)
    ).fetchone()
    return None if first_ns is None else first_ns // MS


def _has(connection: sqlite3.Connection, group: str, stream: str) -> bool:
    found = connection.execute(
        "SELECT 1 FROM log_line WHERE log_group = ? AND log_stream = ? LIMIT 1", (group, stream)
    )
    return found.fetchone() is not None


def _streams(connection: sqlite3.Connection, group: str) -> tuple[StreamView, ...]:
    rows = connection.execute(
        "SELECT log_stream, min(time_ns), max(time_ns), sum(size) FROM log_line "
        "WHERE log_group = ? GROUP BY log_stream",
        (group,),
    )
    return tuple(
        StreamView(
            name=name,
            created_ms=first_ns // MS,
            first_event_ms=first_ns // MS,
            last_event_ms=last_ns // MS,
            stored_bytes=size,
        )
        for name, first_ns, last_ns, size in rows
    )


def _select(connection: sqlite3.Connection, query: EventQuery) -> EventPage:
    order, beyond = ("DESC", "<") if query.backward else ("ASC", ">")
    after = query.after or Position(
        time_ns=query.end_ns if query.backward else query.start_ns - 1,
        event_id=(1 << 63) - 1 if not query.backward else 0,
    )
    rows = connection.execute(
        f"""
        SELECT time_ns, id, log_stream, function_name, message FROM log_line
        WHERE log_group = ? AND time_ns >= ? AND time_ns < ? AND (time_ns, id) {beyond} (?, ?)
        ORDER BY time_ns {order}, id {order} LIMIT ?
        """,
        (
            query.group,
            query.start_ns,
            query.end_ns,
            after.time_ns,
            after.event_id,
            LINES_LOOKED_AT + 1,
        ),
    )
    events: list[LogEvent] = []
    size = 0
    position = after
    more = False
    for looked_at, (time_ns, event_id, stream, function_name, message) in enumerate(rows):
        if looked_at >= LINES_LOOKED_AT or len(events) >= query.events_max or size >= PAGE_BYTES:
            more = True
            break
        position = Position(time_ns=time_ns, event_id=event_id)
        if function_name:
            message += LINE_END
        event = LogEvent(position=position, stream=stream, message=message)
        if _is_wanted(event, query):
            events.append(event)
            size += len(message) + EVENT_OVERHEAD_BYTES
    rows.close()
    if query.backward:
        events.reverse()
    return EventPage(events=tuple(events), next=position if more else None)


def _is_wanted(event: LogEvent, query: EventQuery) -> bool:
    if query.streams is not None and event.stream not in query.streams:
        return False
    if not event.stream.startswith(query.stream_prefix):
        return False
    return query.wants is None or query.wants(event.text)
