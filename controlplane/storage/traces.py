"""The traces of the newest invocations, kept whole: one row holds the spans of one invocation."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from controlplane.model.spans import (
    AttributeValue,
    Span,
    SpanEvent,
    SpanKind,
    SpanLink,
    Trace,
    TraceQuery,
    TraceSummary,
)
from controlplane.storage.telemetry_db import BatchWriter, TelemetryDatabase
from emberd.wire.errors import NotFoundError

Found = TypeVar("Found")

MIB = 1024 * 1024
DAY_S = 86_400.0

PENDING_MAX = 2_000
"""Invocations on their way to the disk; beyond it they are dropped and counted."""


_LIST = """
SELECT trace_id, request_id, name, version, start_ns, end_ns, start_level, error_type FROM (
    SELECT
        id,
        trace_id,
        request_id,
        spans ->> '$[0][2]' AS name,
        coalesce(spans ->> '$[0][6]."faas.version"', '') AS version,
        spans ->> '$[0][4]' AS start_ns,
        spans ->> '$[0][5]' AS end_ns,
        coalesce(spans ->> '$[0][6]."emberd.start_level"', '') AS start_level,
        spans ->> '$[0][7]' AS error_type
    FROM trace_part WHERE request_id <> ''
)
WHERE (:function = '' OR name = :function)
    AND start_ns >= :since_ns
    AND end_ns - start_ns >= :duration_min_ns
    AND (:failed IS NULL OR (error_type <> '') = :failed)
    AND (:start_level = '' OR start_level = :start_level)
ORDER BY id DESC LIMIT :most
"""
"""Reads the root of each invocation's spans, as _encode() lays them out: newest first, so that it
stops as soon as enough were found."""


_NO_MORE: Mapping[str, Any] = {}

_OLDEST_FIRST = "SELECT id, length(spans), spans ->> '$[0][5]' FROM trace_part ORDER BY id"


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceCaps:
    """How much is kept; what goes beyond any of them goes, the oldest first."""

    parts: int = 5_000
    """Pieces: one of each invocation, and one of each push of a function's own spans."""
    size_bytes: int = 64 * MIB
    age_s: float = 7 * DAY_S


DEFAULT_CAPS = TraceCaps()


@dataclass(frozen=True, slots=True)
class _Row:
    trace_id: str
    request_id: str
    spans: str


class TraceStore:
    """Takes spans without ever blocking, and finds a trace by its id or by a request's."""

    def __init__(
        self,
        database: TelemetryDatabase,
        caps: TraceCaps = DEFAULT_CAPS,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._database = database
        self._caps = caps
        self._clock = clock
        self._kept: tuple[int, int] | None = None
        """Parts and bytes in the file; the database's thread counts and uses it."""
        self._writer = BatchWriter[_Row](
            database, self._write, weigh=lambda _row: 1, weight_max=PENDING_MAX
        )

    @property
    def dropped(self) -> int:
        """Invocations whose spans could not be kept."""
        return self._writer.dropped

    def put(self, spans: Sequence[Span]) -> None:
        """Keep spans of one trace, the first of them the root of an invocation if one is there.

        Called on the event loop. A trace may be put in several pieces; get() joins them.
        """
        if spans:
            first = spans[0]
            self._writer.add(_Row(first.trace_id, first.request_id, _encode(spans)))

    async def by_trace_id(self, trace_id: str) -> Trace:
        """The whole trace.

        Raises:
            NotFoundError: nothing of it is kept.
        """
        rows = await self._read(lambda connection: _select(connection, trace_id))
        if not rows:
            raise _not_found(f"trace {trace_id}", trace_id)
        spans = [span for row in rows for span in _decode(trace_id, row)]
        spans.sort(key=lambda span: span.start_ns)
        return Trace(trace_id=trace_id, spans=tuple(spans))

    async def by_request_id(self, request_id: str) -> Trace:
        """The whole trace to which an invocation belongs.

        Raises:
            NotFoundError: nothing of it is kept.
        """
        trace_id = await self._read(lambda connection: _trace_of(connection, request_id))
        if trace_id is None:
            raise _not_found(f"trace of request {request_id}", request_id)
        return await self.by_trace_id(trace_id)

    async def find(self, query: TraceQuery) -> tuple[TraceSummary, ...]:
        """The invocations that match, newest first."""
        return await self._read(lambda connection: _find(connection, query))

    def close(self) -> None:
        """Hand over what is pending. The database, closed after this by its owner, writes it."""
        self._writer.flush()

    async def _read(self, read: Callable[[sqlite3.Connection], Found]) -> Found:
        """What is found of all that was put before, and is not too old."""
        self._writer.flush()

        def work(connection: sqlite3.Connection) -> Found:
            self._trim(connection)
            return read(connection)

        return await self._database.submit(work)

    def _write(self, connection: sqlite3.Connection, rows: Sequence[_Row]) -> None:
        with connection:
            connection.executemany(
                "INSERT INTO trace_part (trace_id, request_id, spans) VALUES (?, ?, ?)",
                [(row.trace_id, row.request_id, row.spans) for row in rows],
            )
        if self._kept is not None:
            parts, size = self._kept
            self._kept = (parts + len(rows), size + sum(len(row.spans) for row in rows))
        self._trim(connection)

    def _trim(self, connection: sqlite3.Connection) -> None:
        """Let the oldest go, until all caps hold.

        A full store goes a twentieth below its caps, so that not every write needs a trim.
        """
        if self._kept is None:
            (parts, size) = connection.execute(
                "SELECT count(*), coalesce(sum(length(spans)), 0) FROM trace_part"
            ).fetchone()
            self._kept = (parts, size)
        caps, (parts, size) = self._caps, self._kept
        full = parts > caps.parts or size > caps.size_bytes
        share = 0.95 if full else 1.0
        horizon_ns = int((self._clock() - caps.age_s) * 1e9)
        last = 0
        for row_id, length, end_ns in connection.execute(_OLDEST_FIRST):
            small = parts <= caps.parts * share and size <= caps.size_bytes * share
            if small and (end_ns or 0) >= horizon_ns:
                break
            last, parts, size = row_id, parts - 1, size - length
        if last:
            with connection:
                connection.execute("DELETE FROM trace_part WHERE id <= ?", (last,))
            self._kept = (parts, size)


def _encode(spans: Sequence[Span]) -> str:
    return json.dumps([_row_of(span) for span in spans], separators=(",", ":"))


def _row_of(span: Span) -> list[object]:
    row: list[object] = [
        span.span_id,
        span.parent_span_id,
        span.name,
        span.kind.value,
        span.start_ns,
        span.end_ns,
        span.attributes,
        span.error_type,
    ]
    more: dict[str, object] = {}
    if span.error_message:
        more["message"] = span.error_message
    if span.function:
        more["function"] = span.function
    if span.events:
        more["events"] = [(each.name, each.time_ns, each.attributes) for each in span.events]
    if span.links:
        more["links"] = [(each.trace_id, each.span_id) for each in span.links]
    # Rows of before 0.8 have no more either.
    return [*row, more] if more else row


def _decode(trace_id: str, row: str) -> list[Span]:
    return [_span_of(trace_id, *fields) for fields in json.loads(row)]


def _span_of(
    trace_id: str,
    span_id: str,
    parent_span_id: str,
    name: str,
    kind: str,
    start_ns: int,
    end_ns: int,
    attributes: dict[str, AttributeValue],
    error_type: str,
    more: Mapping[str, Any] = _NO_MORE,
) -> Span:
    return Span(
        trace_id=trace_id,
        span_id=span_id,
        parent_span_id=parent_span_id,
        name=name,
        kind=SpanKind(kind),
        start_ns=start_ns,
        end_ns=end_ns,
        attributes=attributes,
        error_type=error_type,
        error_message=more.get("message", ""),
        function=more.get("function", ""),
        events=tuple(
            SpanEvent(name=name, time_ns=time_ns, attributes=attributes)
            for name, time_ns, attributes in more.get("events", ())
        ),
        links=tuple(
            SpanLink(trace_id=trace_id, span_id=span_id)
            for trace_id, span_id in more.get("links", ())
        ),
    )


def _select(connection: sqlite3.Connection, trace_id: str) -> list[str]:
    rows = connection.execute(
        "SELECT spans FROM trace_part WHERE trace_id = ? ORDER BY id", (trace_id,)
    )
    return [spans for (spans,) in rows]


def _find(connection: sqlite3.Connection, query: TraceQuery) -> tuple[TraceSummary, ...]:
    rows = connection.execute(
        _LIST,
        {
            "function": query.function_name,
            "since_ns": query.since_ns,
            "duration_min_ns": query.duration_min_ns,
            "failed": query.failed,
            "start_level": query.start_level.value if query.start_level else "",
            "most": query.most,
        },
    )
    return tuple(
        TraceSummary(
            trace_id=trace_id,
            request_id=request_id,
            function_name=name,
            version=version,
            start_ns=start_ns,
            end_ns=end_ns,
            start_level=start_level,
            error_type=error_type,
        )
        for (
            trace_id,
            request_id,
            name,
            version,
            start_ns,
            end_ns,
            start_level,
            error_type,
        ) in rows
    )


def _trace_of(connection: sqlite3.Connection, request_id: str) -> str | None:
    row = connection.execute(
        "SELECT trace_id FROM trace_part WHERE request_id = ? ORDER BY id DESC LIMIT 1",
        (request_id,),
    ).fetchone()
    return None if row is None else str(row[0])


def _not_found(what: str, key: str) -> NotFoundError:
    return NotFoundError(
        f"no {what} is kept: it never ran here, was not sampled, or is older than "
        "what the store holds",
        reason="TRACE_NOT_FOUND",
        key=key,
    )
