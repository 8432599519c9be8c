"""The traces of the newest invocations, kept whole: one row holds the spans of one invocation."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from controlplane.model.spans import Span, SpanKind, Trace, TraceQuery, TraceSummary
from controlplane.storage.telemetry_db import BatchWriter, TelemetryDatabase
from emberd.wire.errors import NotFoundError

KEPT_MAX = 5_000
"""Invocations whose traces are kept."""

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


@dataclass(frozen=True, slots=True)
class _Row:
    trace_id: str
    request_id: str
    spans: str


class TraceStore:
    """Takes spans without ever blocking, and finds a trace by its id or by a request's."""

    def __init__(self, database: TelemetryDatabase, kept_max: int = KEPT_MAX) -> None:
        self._database = database
        self._kept_max = kept_max
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
        self._writer.flush()
        rows = await self._database.submit(lambda connection: _select(connection, trace_id))
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
        self._writer.flush()
        trace_id = await self._database.submit(lambda connection: _trace_of(connection, request_id))
        if trace_id is None:
            raise _not_found(f"trace of request {request_id}", request_id)
        return await self.by_trace_id(trace_id)

    async def find(self, query: TraceQuery) -> tuple[TraceSummary, ...]:
        """The invocations that match, newest first."""
        self._writer.flush()
        return await self._database.submit(lambda connection: _find(connection, query))

    def close(self) -> None:
        """Hand over what is pending. The database, closed after this by its owner, writes it."""
        self._writer.flush()

    def _write(self, connection: sqlite3.Connection, rows: Sequence[_Row]) -> None:
        with connection:
            connection.executemany(
                "INSERT INTO trace_part (trace_id, request_id, spans) VALUES (?, ?, ?)",
                [(row.trace_id, row.request_id, row.spans) for row in rows],
            )
            # Rows are only ever deleted from the old end, so the ids say how many there are. A trim
            # goes a twentieth below the cap, so that not every write needs one.
            oldest, newest = connection.execute(
                "SELECT min(id), max(id) FROM trace_part"
            ).fetchone()
            if newest - oldest >= self._kept_max:
                connection.execute(
                    "DELETE FROM trace_part WHERE id <= ?",
                    (newest - self._kept_max + self._kept_max // 20,),
                )


def _encode(spans: Sequence[Span]) -> str:
    return json.dumps(
        [
            (
                span.span_id,
                span.parent_span_id,
                span.name,
                span.kind.value,
                span.start_ns,
                span.end_ns,
                span.attributes,
                span.error_type,
            )
            for span in spans
        ],
        separators=(",", ":"),
    )


def _decode(trace_id: str, row: str) -> list[Span]:
    return [
        Span(
            trace_id=trace_id,
            span_id=span_id,
            parent_span_id=parent_span_id,
            name=name,
            kind=SpanKind(kind),
            start_ns=start_ns,
            end_ns=end_ns,
            attributes=attributes,
            error_type=error_type,
        )
        for (
            span_id,
            parent_span_id,
            name,
            kind,
            start_ns,
            end_ns,
            attributes,
            error_type,
        ) in json.loads(row)
    ]


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
        "the newest few thousand invocations",
        reason="TRACE_NOT_FOUND",
        key=key,
    )
