"""The spans of one invocation, made from its record once the caller has its answer.

    <function name>  SERVER, from arrival to answer
      front, schedule                       the control plane's parts
      queue, artifact, sandbox, init, invoke   the host's; the parts of sandbox below it

Attributes follow OpenTelemetry's conventions for functions as a service (faas.*, cloud.*), whose
status is Development; ours begin with emberd.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum

from controlplane.model.invocation import InvocationRecord, Phase, StartLevel
from controlplane.model.trace import SPAN_ID_BITS

BYTES_PER_MB = 1024 * 1024

AttributeValue = str | int | bool

_NO_ATTRIBUTES: Mapping[str, AttributeValue] = {}


class SpanKind(Enum):
    """Whose work a span is."""

    SERVER = "server"
    """Answers a caller."""
    INTERNAL = "internal"
    """A part of something."""


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

    @property
    def request_id(self) -> str:
        """Of the invocation whose root this is; empty on every other span."""
        return str(self.attributes.get("faas.invocation_id", ""))


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
    """The spans of one invocation, the root first.

    Args:
        record: What is known of the invocation.
        draw_bits: Returns that many random bits, for the ids of the spans below the root.
    """
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
    )
    ids = [f"{draw_bits(SPAN_ID_BITS) or 1:016x}" for _ in record.phases]
    by_name = {phase.name: each for phase, each in zip(record.phases, ids, strict=True)}
    return [
        root,
        *(
            _part(phase, each, record, by_name)
            for phase, each in zip(record.phases, ids, strict=True)
        ),
    ]


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


def _attributes(record: InvocationRecord) -> dict[str, AttributeValue]:
    region, account_id = _place(record.function_arn)
    attributes: dict[str, AttributeValue] = {
        "faas.name": record.function_name,
        "faas.version": record.version,
        "faas.invocation_id": record.request_id,
        "faas.trigger": "other",
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
