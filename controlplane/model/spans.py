"""The spans of one invocation, made from its record once the caller has its answer.

    <function name>  SERVER, from arrival to answer
      front, schedule                       the control plane's parts
      attempt                               a host that handed it back; the next one links it
      dispatch                              on its way to the host
      queue, artifact, sandbox, init, invoke   the host's; the parts of sandbox below it
      response                              on its way back
        <what the function's own SDK sent>  below the root, where its headers say so

Attributes follow OpenTelemetry's conventions for functions as a service (faas.*, cloud.*), whose
status is Development; ours begin with emberd.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import Enum

from controlplane.model.invocation import InvocationRecord, Phase, RefusedAttempt, StartLevel
from controlplane.model.trace import SPAN_ID_BITS

BYTES_PER_MB = 1024 * 1024

ERROR_TYPE_MAX = 256
MESSAGE_MAX = 1024
STACKTRACE_MAX = 8 * 1024
"""Characters that a trace keeps of an error."""

AttributeValue = str | int | bool | float

_NO_ATTRIBUTES: Mapping[str, AttributeValue] = {}


class SpanKind(Enum):
    """Whose work a span is."""

    SERVER = "server"
    """Answers a caller."""
    INTERNAL = "internal"
    """A part of something."""
    CLIENT = "client"
    """Asks another."""
    PRODUCER = "producer"
    """Hands something to a queue."""
    CONSUMER = "consumer"
    """Takes something from a queue."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpanEvent:
    """Something that happened during a span: an exception, for example."""

    name: str
    time_ns: int
    attributes: Mapping[str, AttributeValue]


@dataclass(frozen=True, slots=True, kw_only=True)
class SpanLink:
    """Another span that a span has to do with, without being below it."""

    trace_id: str
    span_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """One timed part of a trace."""

    trace_id: str
    span_id: str
    parent_span_id: str
    """Empty for the first span of a trace."""
    name: str
    kind: SpanKind
    start_ns: int
    """Nanoseconds since the epoch."""
    end_ns: int
    attributes: Mapping[str, AttributeValue]
    error_type: str
    """Why it failed, or empty."""
    error_message: str = ""
    """The same for people."""
    events: tuple[SpanEvent, ...] = ()
    links: tuple[SpanLink, ...] = ()
    function: str = ""
    """Whose code made it; empty for what emberd made. Nothing in such a span is to be believed."""

    @property
    def request_id(self) -> str:
        """Of the invocation whose root this is; empty on every other span."""
        return "" if self.function else str(self.attributes.get("faas.invocation_id", ""))


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """What is kept of one trace, in the order in which its spans began."""

    trace_id: str
    spans: tuple[Span, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceQuery:
    """Which of the kept invocations are wanted."""

    function_name: str = ""
    """Empty for every function."""
    since_ns: int = 0
    """Arrived then or later."""
    duration_min_ns: int = 0
    failed: bool | None = None
    """None for both."""
    start_level: StartLevel | None = None
    """None for all, also those that never ran."""
    most: int
    """The newest so many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceSummary:
    """One invocation whose trace is kept."""

    trace_id: str
    request_id: str
    function_name: str
    version: str
    start_ns: int
    end_ns: int
    start_level: str
    """Empty when nothing ran."""
    error_type: str
    """Empty on success."""


def spans_of(record: InvocationRecord, draw_bits: Callable[[int], int]) -> list[Span]:
    """The spans of one invocation, the root first, the others as they began.

    Args:
        record: What is known of the invocation.
        draw_bits: Returns that many random bits, for the ids of the spans below the root.
    """
    message, events = _failure(record)
    root = Span(
        trace_id=record.trace_id,
        span_id=record.span_id,
        parent_span_id=record.parent_span_id,
        name=record.function_name,
        kind=SpanKind.SERVER,
        start_ns=record.start_ns,
        end_ns=record.end_ns,
        attributes=_attributes(record),
        error_type=record.error_type,
        error_message=message,
        events=events,
    )
    ids = [f"{draw_bits(SPAN_ID_BITS) or 1:016x}" for _ in record.phases]
    by_name = {phase.name: each for phase, each in zip(record.phases, ids, strict=True)}
    parts = [
        _part(phase, each, record, by_name) for phase, each in zip(record.phases, ids, strict=True)
    ]
    if record.error_type and record.start_level is not None:
        parts = _with_culprit(parts, record.error_type)
    if record.refused:
        parts = _with_attempts(parts, record, draw_bits)
    return [root, *parts]


def _part(phase: Phase, span_id: str, record: InvocationRecord, by_name: Mapping[str, str]) -> Span:
    # A phase whose parent nobody reported still belongs somewhere: to the invocation. One that
    # names itself would make a trace without end.
    parent_span_id = by_name.get(phase.parent, record.span_id)
    return Span(
        trace_id=record.trace_id,
        span_id=span_id,
        parent_span_id=record.span_id if parent_span_id == span_id else parent_span_id,
        name=phase.name,
        kind=SpanKind.INTERNAL,
        start_ns=phase.start_ns,
        end_ns=phase.end_ns,
        attributes=_NO_ATTRIBUTES,
        error_type="",
    )


def _with_culprit(parts: list[Span], error_type: str) -> list[Span]:
    """The same with the part that failed marked: what ran failed in its invoke."""
    return [
        replace(each, error_type=error_type) if each.name == "invoke" else each for each in parts
    ]


def _with_attempts(
    parts: list[Span], record: InvocationRecord, draw_bits: Callable[[int], int]
) -> list[Span]:
    """The same with one span for each host that handed it back; what came next links it."""
    attempts: list[Span] = []
    for each in record.refused:
        span_id = f"{draw_bits(SPAN_ID_BITS) or 1:016x}"
        attempts.append(_attempt(each, span_id, record, attempts[-1:]))
    last = record.refused[-1]
    link = SpanLink(trace_id=record.trace_id, span_id=attempts[-1].span_id)
    own = ("front", "schedule", "response")
    at = next(
        (
            index
            for index, part in enumerate(parts)
            if part.name not in own and part.start_ns >= last.start_ns
        ),
        None,
    )
    if at is not None:
        parts = [*parts[:at], replace(parts[at], links=(link,)), *parts[at + 1 :]]
    return sorted([*parts, *attempts], key=lambda span: span.start_ns)


def _attempt(
    refused: RefusedAttempt, span_id: str, record: InvocationRecord, before: list[Span]
) -> Span:
    return Span(
        trace_id=record.trace_id,
        span_id=span_id,
        parent_span_id=record.span_id,
        name="attempt",
        kind=SpanKind.INTERNAL,
        start_ns=refused.start_ns,
        end_ns=refused.end_ns,
        attributes={"host.id": refused.host_id, "error.type": refused.reason},
        error_type=refused.reason,
        error_message=refused.message[:MESSAGE_MAX],
        links=tuple(SpanLink(trace_id=each.trace_id, span_id=each.span_id) for each in before),
    )


def _failure(record: InvocationRecord) -> tuple[str, tuple[SpanEvent, ...]]:
    """What a failure says, and the exception that it was."""
    if not record.error_type:
        return "", ()
    said: dict[str, str] = {}
    if record.error_payload:
        said = _function_error(record.error_payload)
    message = said.get("exception.message") or record.error_message[:MESSAGE_MAX]
    attributes: dict[str, AttributeValue] = {
        "exception.type": record.error_type,
        **said,
        **({"exception.message": message} if message else {}),
    }
    event = SpanEvent(name="exception", time_ns=record.end_ns, attributes=attributes)
    return message, (event,)


def _function_error(payload: bytes) -> dict[str, str]:
    """What a runtime tells of an exception: Lambda's errorType, errorMessage and stackTrace."""
    try:
        told = json.loads(payload)
    except (ValueError, RecursionError):
        return {}
    if not isinstance(told, dict):
        return {}
    said: dict[str, str] = {}
    if isinstance(told.get("errorType"), str):
        said["exception.type"] = told["errorType"][:ERROR_TYPE_MAX]
    if isinstance(told.get("errorMessage"), str):
        said["exception.message"] = told["errorMessage"][:MESSAGE_MAX]
    trace = told.get("stackTrace") or told.get("trace")
    if isinstance(trace, list) and all(isinstance(line, str) for line in trace):
        said["exception.stacktrace"] = "\n".join(line.rstrip("\n") for line in trace)[
            :STACKTRACE_MAX
        ]
    return said


def _attributes(record: InvocationRecord) -> dict[str, AttributeValue]:
    region, account_id = _place(record.function_arn)
    attributes: dict[str, AttributeValue] = {
        "faas.name": record.function_name,
        "faas.version": record.version,
        "faas.invocation_id": record.request_id,
        "faas.trigger": "other",
        **record.said,
        "faas.max_memory": record.memory_size_mb * BYTES_PER_MB,
        "cloud.resource_id": f"{record.function_arn}:{record.version}",
        "cloud.region": region,
        "cloud.account.id": account_id,
        "aws.lambda.invoked_arn": record.invoked_arn,
    }
    if record.start_level is not None:
        attributes["faas.coldstart"] = record.start_level is not StartLevel.WARM
        attributes["faas.instance"] = record.sandbox_id
        attributes["emberd.start_level"] = record.start_level.value
        attributes["emberd.billed_duration_ms"] = record.billed_ms
    if record.host_id:
        attributes["host.id"] = record.host_id
    if record.error_type:
        attributes["error.type"] = record.error_type
    return attributes


def _place(arn: str) -> tuple[str, str]:
    """Region and account of arn:partition:lambda:REGION:ACCOUNT:function:name."""
    parts = arn.split(":")
    return (parts[3], parts[4]) if len(parts) > 4 else ("", "")
