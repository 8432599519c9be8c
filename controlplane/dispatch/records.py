"""What telemetry is told of one invocation, put together after its answer. Pure."""

from __future__ import annotations

from controlplane.dispatch.running import Running
from controlplane.model.invocation import AttemptResult, InvocationRecord, Phase


def record_of(
    running: Running, attempt: AttemptResult | None, *, end_ns: int, error_type: str
) -> InvocationRecord:
    """The record of an invocation that has ended.

    Args:
        running: What dispatch knows of it.
        attempt: None when nothing ran.
        end_ns: When its answer left, in nanoseconds since the epoch.
        error_type: A function's error type or the reason of an error of ours; empty on success.
    """
    request, trace, start_ns = running.request, running.trace, running.start_ns
    revision = running.resolution.revision
    slots = running.resolution.provisioned
    placed_ns = running.placed_ns or end_ns
    front = Phase(name="front", start_ns=request.arrival_ns, end_ns=start_ns, parent="")
    schedule = Phase(name="schedule", start_ns=start_ns, end_ns=placed_ns, parent="")
    return InvocationRecord(
        request_id=request.request_id,
        trace_id=trace.trace_id,
        parent_span_id=trace.parent_span_id,
        span_id=trace.span_id,
        sampled=trace.sampled,
        function_name=revision.function_name,
        function_arn=revision.function_arn,
        invoked_arn=running.resolution.invoked_arn,
        version=revision.version,
        memory_size_mb=revision.memory_size_mb,
        start_ns=request.arrival_ns,
        end_ns=end_ns,
        phases=(front, schedule, *(attempt.phases if attempt else ())),
        start_level=attempt.start_level if attempt else None,
        host_id=running.host_id,
        sandbox_id=attempt.sandbox_id if attempt else "",
        error_type=error_type,
        billed_ms=attempt.billed_ms if attempt else 0,
        duration_ns=attempt.duration_ns if attempt else 0,
        init_duration_ns=attempt.init_duration_ns if attempt else 0,
        memory_peak_bytes=attempt.memory_peak_bytes if attempt else 0,
        architecture=revision.architecture,
        provisioned=running.provisioned if slots and slots.slots else None,
    )
