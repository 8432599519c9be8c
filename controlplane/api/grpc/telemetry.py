"""The gRPC front of the local store: logs as they are and as they come, and traces."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import aclosing
from typing import Any, Protocol

from controlplane.model.audit import AUDIT
from controlplane.model.ids import ArnScheme
from controlplane.model.invocation import StartLevel
from controlplane.model.log import LogBatch, LogLine, LogQuery
from controlplane.model.log_levels import Level, level_of
from controlplane.model.log_patterns import matcher
from controlplane.model.spans import AttributeValue, Span, Trace, TraceQuery, TraceSummary
from emberd.telemetry.v1 import telemetry_pb2 as pb
from emberd.telemetry.v1 import telemetry_pb2_grpc
from emberd.wire.errors import InvalidArgumentError, NotFoundError
from emberd.wire.times import nanoseconds, timestamp

LINES_MAX = 10_000
"""Of a function's history in one answer."""

TRACES_MAX = 1_000
"""Invocations in one list."""

MESSAGE_BYTES = 1024 * 1024
"""A message is closed once it holds this much; a stock client takes 4 MB, a line has 256 KB."""

MESSAGE_LINES = 1_000


_FAILED = {pb.INVOCATION_STATUS_OK: False, pb.INVOCATION_STATUS_ERROR: True}


class Logs(Protocol):
    """What is asked of the store of logs."""

    async def read(self, query: LogQuery) -> tuple[LogLine, ...]:
        """The newest lines that match, oldest first."""

    def follow(self, query: LogQuery) -> AsyncGenerator[LogBatch, None]:
        """The same in one batch, then every new line."""

    def end_follows(self) -> None:
        """End every follow()."""


class Traces(Protocol):
    """What is asked of the store of traces. Those that want one raise NotFoundError."""

    async def by_trace_id(self, trace_id: str) -> Trace:
        """The whole trace."""

    async def by_request_id(self, request_id: str) -> Trace:
        """The trace to which an invocation belongs."""

    async def find(self, query: TraceQuery) -> tuple[TraceSummary, ...]:
        """The invocations that match, newest first."""


class TelemetryService(telemetry_pb2_grpc.TelemetryServiceServicer):
    """Reads the local store for clients."""

    def __init__(
        self,
        logs: Logs,
        traces: Traces,
        *,
        arns: ArnScheme,
        exists: Callable[[str], bool],
        settle: Callable[[], Awaitable[None]],
    ) -> None:
        """Serve these stores.

        Args:
            logs: The store of logs.
            traces: The store of traces.
            arns: Reads the function references of callers.
            exists: Whether there is a function of this name; its log may outlive it.
            settle: Returns once every invocation answered before the call is in the traces.
        """
        self._logs = logs
        self._traces = traces
        self._arns = arns
        self._exists = exists
        self._settle = settle

    def end_streams(self) -> None:
        """End every stream that follows a log, so that the server can stop."""
        self._logs.end_follows()

    async def ReadLogs(
        self, request: pb.ReadLogsRequest, context: Any
    ) -> AsyncIterator[pb.ReadLogsResponse]:
        """Stream what is kept of a function's log and, if asked, what comes."""
        query = self._query(request)
        if not request.follow:
            lines = await self._logs.read(query)
            self._demand_function(query.function_name, lines)
            for message in _messages(LogBatch(lines=lines, lost=0)):
                yield message
            return
        first = True
        # The follower is let go the moment the caller leaves, not when the generator is collected.
        async with aclosing(self._logs.follow(query)) as batches:
            async for batch in batches:
                if first:
                    self._demand_function(query.function_name, batch.lines)
                    # A log that is silent sends nothing else for hours: so the client knows.
                    await context.send_initial_metadata(())
                    first = False
                for message in _messages(batch):
                    yield message

    async def GetTrace(self, request: pb.GetTraceRequest, context: Any) -> pb.GetTraceResponse:
        """One trace with all that is kept of it."""
        await self._settle()
        match request.WhichOneof("key"):
            case "trace_id":
                trace = await self._traces.by_trace_id(request.trace_id.lower())
            case "request_id":
                trace = await self._traces.by_request_id(request.request_id.lower())
            case _:
                raise InvalidArgumentError(
                    "a trace is named by trace_id or by request_id: give one of them",
                    reason="INVALID_PARAMETER_VALUE",
                )
        return pb.GetTraceResponse(
            trace_id=trace.trace_id, spans=[_span(each) for each in trace.spans]
        )

    async def ListTraces(
        self, request: pb.ListTracesRequest, context: Any
    ) -> pb.ListTracesResponse:
        """The kept invocations that match, newest first."""
        query = self._trace_query(request)
        await self._settle()
        found = await self._traces.find(query)
        return pb.ListTracesResponse(traces=[_summary(each) for each in found])

    def _trace_query(self, request: pb.ListTracesRequest) -> TraceQuery:
        if not 0 <= request.max_traces <= TRACES_MAX:
            raise InvalidArgumentError(
                f"max_traces is {request.max_traces}: use 1 to {TRACES_MAX}, or 0 for {TRACES_MAX}",
                reason="INVALID_PARAMETER_VALUE",
                max_traces=str(request.max_traces),
            )
        name = request.function_name
        return TraceQuery(
            function_name=self._arns.parse_unqualified(name) if name else "",
            since_ns=nanoseconds(request.start_time),
            duration_min_ns=request.min_duration.ToNanoseconds(),
            failed=_FAILED.get(request.status),
            start_level=_start_level(request.start_level),
            most=request.max_traces or TRACES_MAX,
        )

    def _query(self, request: pb.ReadLogsRequest) -> LogQuery:
        if not 0 <= request.max_lines <= LINES_MAX:
            raise InvalidArgumentError(
                f"max_lines is {request.max_lines}: use 1 to {LINES_MAX}, or 0 for {LINES_MAX}",
                reason="INVALID_PARAMETER_VALUE",
                max_lines=str(request.max_lines),
            )
        return LogQuery(
            function_name=AUDIT
            if request.audit
            else self._arns.parse_unqualified(request.function_name),
            since_ns=nanoseconds(request.start_time),
            request_id=request.request_id.lower(),
            wants=_wants(request.filter_pattern, _level(request.min_level)),
            lines_max=request.max_lines or LINES_MAX,
        )

    def _demand_function(self, name: str, lines: Sequence[LogLine]) -> None:
        """A name that means nothing is an error, not an empty log or a wait without end."""
        if not lines and name != AUDIT and not self._exists(name):
            arn = self._arns.function_arn(name)
            raise NotFoundError(
                f"Function not found: {arn}", reason="RESOURCE_NOT_FOUND", function=arn
            )


def _wants(pattern: str, lowest: Level | None) -> Callable[[str], bool] | None:
    """Which texts are wanted; None for all."""
    matches = matcher(pattern) if pattern.strip() else None
    if lowest is None:
        return matches

    def wants(text: str) -> bool:
        level = level_of(text.encode()) or Level.INFO
        return level >= lowest and (matches is None or matches(text))

    return wants


def _level(text: str) -> Level | None:
    try:
        return Level[text] if text else None
    except KeyError as error:
        raise InvalidArgumentError(
            f"min_level is {text!r}: use one of {', '.join(each.name for each in Level)}",
            reason="INVALID_PARAMETER_VALUE",
            min_level=text,
        ) from error


def _messages(batch: LogBatch) -> Iterator[pb.ReadLogsResponse]:
    """A batch in messages that any client takes."""
    message = pb.ReadLogsResponse(lines_lost=batch.lost)
    size = 0
    for line in batch.lines:
        message.lines.append(
            pb.LogLine(
                time=timestamp(line.time_ns),
                message=line.message,
                request_id=line.request_id,
                log_stream=line.log_stream,
                version=line.version,
                trace_id=line.trace_id,
                span_id=line.span_id,
            )
        )
        size += len(line.message)
        if size >= MESSAGE_BYTES or len(message.lines) >= MESSAGE_LINES:
            yield message
            message, size = pb.ReadLogsResponse(), 0
    if message.lines or message.lines_lost:
        yield message


def _span(span: Span) -> pb.Span:
    attributes = {key: _text(value) for key, value in span.attributes.items()}
    return pb.Span(
        span_id=span.span_id,
        parent_span_id=span.parent_span_id,
        name=span.name,
        start_time=timestamp(span.start_ns),
        end_time=timestamp(span.end_ns),
        attributes=attributes,
        error=bool(span.error_type),
        function_name=span.function,
        error_message=span.error_message,
        events=[
            pb.SpanEvent(
                name=each.name,
                time=timestamp(each.time_ns),
                attributes={key: _text(value) for key, value in each.attributes.items()},
            )
            for each in span.events
        ],
        links=[pb.SpanLink(trace_id=each.trace_id, span_id=each.span_id) for each in span.links],
    )


def _summary(found: TraceSummary) -> pb.TraceSummary:
    return pb.TraceSummary(
        trace_id=found.trace_id,
        request_id=found.request_id,
        function_name=found.function_name,
        version=found.version,
        start_time=timestamp(found.start_ns),
        end_time=timestamp(found.end_ns),
        start_level=found.start_level,
        error_type=found.error_type,
    )


def _start_level(text: str) -> StartLevel | None:
    try:
        return StartLevel(text) if text else None
    except ValueError as error:
        levels = ", ".join(each.value for each in StartLevel)
        raise InvalidArgumentError(
            f"start_level is {text!r}: use one of {levels}",
            reason="INVALID_PARAMETER_VALUE",
            start_level=text,
        ) from error


def _text(value: AttributeValue) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
