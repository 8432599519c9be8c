"""What telemetry is told of one invocation, put together after its answer. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from controlplane.model.invocation import (
    AttemptResult,
    InvocationRecord,
    InvocationRequest,
    Phase,
)
from controlplane.model.revision import Resolution
from controlplane.model.trace import TraceContext


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """How an invocation went."""

    request: InvocationRequest
    resolution: Resolution
    trace: TraceContext
    start_ns: int
    """When dispatch began with it."""
    placed_ns: int
    """When it was sent to a host; 0 when it never was."""
    end_ns: int
    host_id: str
    attempt: AttemptResult | None
    """None when nothing ran."""
    error_type: str
    """A function's error type or the reason of an error of ours; empty on success."""


def record_of(story: Story) -> InvocationRecord:
    """The record of an invocation that has ended."""
    request, trace, attempt = story.request, story.trace, story.attempt
    revision = story.resolution.revision
    placed_ns = story.placed_ns or story.end_ns
    front = Phase(name="front", start_ns=request.arrival_ns, end_ns=story.start_ns, parent="")
    schedule = Phase(name="schedule", start_ns=story.start_ns, end_ns=placed_ns, parent="")
    return InvocationRecord(
        request_id=request.request_id,
        trace_id=trace.trace_id,
        parent_span_id=trace.parent_span_id,
        span_id=trace.span_id,
        sampled=trace.sampled,
        function_name=revision.function_name,
        function_arn=revision.function_arn,
        invoked_arn=story.resolution.invoked_arn,
        version=revision.version,
        memory_size_mb=revision.memory_size_mb,
        start_ns=request.arrival_ns,
        end_ns=story.end_ns,
        phases=(front, schedule, *(attempt.phases if attempt else ())),
        start_level=attempt.start_level if attempt else None,
        host_id=story.host_id,
        sandbox_id=attempt.sandbox_id if attempt else "",
        error_type=story.error_type,
        billed_ms=attempt.billed_ms if attempt else 0,
    )
