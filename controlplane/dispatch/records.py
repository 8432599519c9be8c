"""What telemetry is told of one invocation, put together after its answer. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from controlplane.dispatch.running import Running
from controlplane.model.invocation import AttemptResult, InvocationRecord, Phase

ERROR_BYTES_MAX = 16 * 1024
"""A function's error that is larger than this is not kept with its trace."""


def record_of(
    running: Running,
    attempt: AttemptResult | None,
    *,
    end_ns: int,
    error_type: str,
    error_message: str = "",
) -> InvocationRecord:
    """The record of an invocation that has ended.

    Args:
        running: What dispatch knows of it.
        attempt: None when nothing ran.
        end_ns: When its answer left, in nanoseconds since the epoch.
        error_type: A function's error type or the reason of an error of ours; empty on success.
        error_message: Of an error of ours.
    """
    request, trace = running.request, running.request.trace
    revision = running.resolution.revision
    slots = running.resolution.provisioned
    failed = attempt is not None and attempt.function_error
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
        phases=tuple(_phases(running, attempt, end_ns)),
        start_level=attempt.start_level if attempt else None,
        host_id=running.host_id,
        sandbox_id=attempt.sandbox_id if attempt else "",
        error_type=error_type,
        billed_ms=attempt.billed_ms if attempt else 0,
        duration_ns=attempt.duration_ns if attempt else 0,
        init_duration_ns=attempt.init_duration_ns if attempt else 0,
        memory_peak_bytes=attempt.memory_peak_bytes if attempt else 0,
        architecture=revision.architecture,
        refused=tuple(running.refused),
        error_message=error_message,
        error_payload=attempt.payload
        if attempt and failed and len(attempt.payload) <= ERROR_BYTES_MAX
        else b"",
        said=request.said,
        provisioned=running.provisioned if slots and slots.slots else None,
    )


def _phases(running: Running, attempt: AttemptResult | None, end_ns: int) -> Iterable[Phase]:
    """From arrival to answer without a gap: what the host reports, and the ways there and back.

    A host's clock is its own. Where it is so far off that a way would take less than no time, the
    way is left out.
    """
    yield _phase("front", running.request.arrival_ns, running.start_ns)
    since_ns = running.start_ns
    for each in running.refused:
        yield _phase("schedule", since_ns, each.start_ns)
        since_ns = each.end_ns
    if since_ns <= running.placed_ns:
        yield _phase("schedule", since_ns, running.placed_ns)
    elif attempt is None:
        yield _phase("schedule", since_ns, end_ns)
    if attempt is None or not attempt.phases:
        return
    began_ns, ended_ns = attempt.phases[0].start_ns, attempt.phases[-1].end_ns
    if running.placed_ns < began_ns:
        yield _phase("dispatch", running.placed_ns, began_ns)
    yield from attempt.phases
    if ended_ns < end_ns:
        yield _phase("response", ended_ns, end_ns)


def _phase(name: str, start_ns: int, end_ns: int) -> Phase:
    return Phase(name=name, start_ns=start_ns, end_ns=end_ns, parent="")
