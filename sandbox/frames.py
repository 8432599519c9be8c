"""Frames of the attach stream as our dataclasses and back: the session's only view of protobuf."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from google.protobuf.duration_pb2 import Duration

from emberd.fleet.v1 import fleet_pb2 as pb
from emberd.wire import WIRE_VERSION
from emberd.wire.times import NS_PER_S, duration, nanoseconds, timestamp
from sandbox.spec import EGRESS
from sandbox.tracing.spans import Kind, SpanRecord, Value
from sandbox.work import (
    Attempt,
    AttemptResult,
    Credentials,
    HostDescription,
    HostReport,
    LogRecord,
    Phase,
    RefusalReason,
    Revision,
    SnapshotMade,
    SnapshotResult,
    StartLevel,
    StreamLimits,
)

_LEVELS = {
    StartLevel.WARM: pb.START_LEVEL_WARM,
    StartLevel.TEMPLATE: pb.START_LEVEL_TEMPLATE,
    StartLevel.PARKED: pb.START_LEVEL_PARKED,
    StartLevel.FRESH: pb.START_LEVEL_FRESH,
}
_KINDS = {
    Kind.INTERNAL: pb.SPAN_KIND_UNSPECIFIED,
    Kind.SERVER: pb.SPAN_KIND_SERVER,
    Kind.CLIENT: pb.SPAN_KIND_CLIENT,
    Kind.PRODUCER: pb.SPAN_KIND_PRODUCER,
    Kind.CONSUMER: pb.SPAN_KIND_CONSUMER,
}
_REASONS = {
    RefusalReason.MEMORY: pb.REFUSAL_REASON_MEMORY,
    RefusalReason.BUSY: pb.REFUSAL_REASON_BUSY,
    RefusalReason.DISK: pb.REFUSAL_REASON_DISK,
    RefusalReason.DRAINING: pb.REFUSAL_REASON_DRAINING,
    RefusalReason.RUNTIME: pb.REFUSAL_REASON_RUNTIME,
    RefusalReason.START_FAILED: pb.REFUSAL_REASON_START_FAILED,
    RefusalReason.EPOCH: pb.REFUSAL_REASON_EPOCH,
    RefusalReason.RESTORE_FAILED: pb.REFUSAL_REASON_RESTORE_FAILED,
    RefusalReason.RESTORE_TIMED_OUT: pb.REFUSAL_REASON_RESTORE_TIMED_OUT,
}
_SNAPSHOTS = {
    SnapshotResult.READY: pb.SNAPSHOT_RESULT_READY,
    SnapshotResult.REFUSED: pb.SNAPSHOT_RESULT_REFUSED,
    SnapshotResult.INIT_FAILED: pb.SNAPSHOT_RESULT_INIT_FAILED,
    SnapshotResult.NOT_MADE: pb.SNAPSHOT_RESULT_NOT_MADE,
}


def hello(
    host: HostDescription,
    *,
    idle: Mapping[str, int],
    artifact_ids: Iterable[str],
    last_epoch: int,
) -> pb.HostFrame:
    """The first frame of a stream."""
    return pb.HostFrame(
        hello=pb.Hello(
            wire_version=WIRE_VERSION,
            host_id=host.host_id,
            runtimes=[
                pb.Runtime(runtime_id=runtime_id, version=version)
                for runtime_id, version in host.runtimes.items()
            ],
            capacity=pb.Capacity(
                memory_bytes=host.memory_bytes,
                cpu_millis=host.cpu_millis,
                sandboxes=host.sandboxes_max,
            ),
            labels=dict(host.labels),
            idle=[pb.PoolEntry(revision_id=each, idle=count) for each, count in idle.items()],
            artifact_ids=list(artifact_ids)[:10_000],
            architecture=host.architecture,
            last_epoch=last_epoch,
            isolation_notes=host.isolation_notes,
            networks=host.networks,
        )
    )


def revision_of(message: pb.Revision) -> Revision:
    """What runs; the same for every attempt of a revision, so the session keeps it."""
    return Revision(
        revision_id=message.revision_id,
        function_name=message.function_name,
        version=message.version,
        function_arn=message.function_arn,
        runtime_id=message.runtime_id,
        handler=message.handler,
        log_group=message.log_group,
        log_format=message.log_format,
        log_level=message.log_level,
        artifact_id=message.artifact_id,
        artifact_size_bytes=message.artifact_size_bytes,
        layers=tuple(message.layer_artifact_ids),
        memory_size_mb=message.memory_size_mb,
        ephemeral_storage_mb=message.ephemeral_storage_mb,
        timeout_s=_seconds(message.timeout),
        environment=dict(message.environment),
        network=message.network or EGRESS,
        snap_start=message.snap_start,
        region=message.region,
        account_id=message.account_id,
    )


def attempt_of(
    dispatch: pb.Dispatch, revision: Revision, credentials: Credentials | None
) -> Attempt:
    """What a Dispatch asks for."""
    return Attempt(
        invocation_id=dispatch.invocation_id,
        revision=revision,
        payload=dispatch.payload,
        payload_to_fetch_bytes=dispatch.payload_to_fetch_bytes,
        invoked_function_arn=dispatch.invoked_function_arn,
        client_context=dispatch.client_context,
        want_log_tail=dispatch.want_log_tail,
        trace_header=dispatch.trace_header,
        tracestate=dispatch.tracestate,
        queue_timeout_s=_seconds(dispatch.queue_timeout),
        stream=_stream_limits(dispatch.stream) if dispatch.HasField("stream") else None,
        credentials=credentials,
    )


def credentials_of(message: pb.Credentials) -> Credentials:
    """What a function signs with; the same for many attempts, so the session keeps it."""
    return Credentials(
        access_key_id=message.access_key_id,
        secret_access_key=message.secret_access_key,
        session_token=message.session_token,
        expires_s=nanoseconds(message.expire_time) / NS_PER_S,
    )


def result(ended: AttemptResult, *, pushed: bool) -> pb.HostFrame:
    """The end of an attempt; a pushed payload is left out."""
    return pb.HostFrame(
        result=pb.Result(
            invocation_id=ended.invocation_id,
            payload=b"" if pushed else ended.payload,
            payload_pushed=pushed,
            function_error=ended.function_error,
            log_tail=ended.log_tail,
            start_level=_LEVELS[ended.start_level],
            duration=duration(ended.duration_ns),
            billed_duration=duration(ended.billed_ms * 1_000_000),
            init_duration=duration(ended.init_duration_ns) if ended.init_duration_ns else None,
            restore_duration=(
                duration(ended.restore_duration_ns) if ended.restore_duration_ns else None
            ),
            memory_peak_bytes=ended.memory_peak_bytes,
            memory_charge_bytes=ended.memory_charge_bytes,
            phases=[_phase(each) for each in ended.phases],
            sandbox_id=ended.sandbox_id,
            sandbox_kept=ended.sandbox_kept,
            error_type=ended.error_type,
            content_type=ended.content_type,
        )
    )


def stream_began(invocation_id: str, content_type: str, chunk: bytes) -> pb.HostFrame:
    """The beginning of an answer that is passed on while it is written."""
    return pb.HostFrame(
        stream_began=pb.StreamBegan(
            invocation_id=invocation_id, content_type=content_type, chunk=chunk
        )
    )


def refused(invocation_id: str, reason: RefusalReason, message: str) -> pb.HostFrame:
    """An attempt that is handed back."""
    return pb.HostFrame(
        refused=pb.Refused(invocation_id=invocation_id, reason=_REASONS[reason], message=message)
    )


def pool_changed(revision_id: str, idle: int) -> pb.HostFrame:
    """A new count of idle sandboxes."""
    return pb.HostFrame(
        pool_changed=pb.PoolChanged(entry=pb.PoolEntry(revision_id=revision_id, idle=idle))
    )


def snapshot_made(made: SnapshotMade) -> pb.HostFrame:
    """How the making of a Snapshot ended."""
    return pb.HostFrame(
        snapshot_made=pb.SnapshotMade(
            revision_id=made.revision_id,
            result=_SNAPSHOTS[made.result],
            message=made.message,
            error_type=made.error_type,
        )
    )


def provisioned(revision_id: str, allocated: int, failure: str) -> pb.HostFrame:
    """How far a Provision has come."""
    return pb.HostFrame(
        provisioned=pb.Provisioned(revision_id=revision_id, allocated=allocated, failure=failure)
    )


def heartbeat(report: HostReport) -> pb.HostFrame:
    """The host lives."""
    return pb.HostFrame(
        heartbeat=pb.Heartbeat(
            memory_charged_bytes=report.memory_charged_bytes,
            sandboxes=report.sandboxes,
            logs_dropped=report.logs_dropped,
            disk_free_bytes=report.disk_free_bytes,
            parked_sandboxes=report.parked,
            runtime_templates=report.runtime_templates,
            function_templates=report.function_templates,
            starts_waiting=report.starts_waiting,
        )
    )


def log_batch(records: Sequence[LogRecord], *, dropped: int) -> pb.PushLogsRequest:
    """Lines on their way to the control plane, and how many were dropped since the agent began."""
    return pb.PushLogsRequest(records=[log_record(each) for each in records], dropped=dropped)


def span_batch(records: Sequence[SpanRecord], *, dropped: int) -> pb.PushSpansRequest:
    """The same for spans; of them, how many were dropped since the batch before."""
    return pb.PushSpansRequest(spans=[function_span(each) for each in records], dropped=dropped)


def log_record(record: LogRecord) -> pb.LogRecord:
    """One line on its way to the control plane."""
    return pb.LogRecord(
        time=timestamp(record.time_ns),
        function_name=record.function_name,
        version=record.version,
        invocation_id=record.invocation_id,
        message=record.message,
        log_stream=record.log_stream,
        log_group=record.log_group,
        trace_header=record.trace_header,
    )


def function_span(record: SpanRecord) -> pb.FunctionSpan:
    """What a function tells of its own work on its way to the control plane."""
    span = record.span
    return pb.FunctionSpan(
        function_name=record.function_name,
        version=record.version,
        invocation_id=record.invocation_id,
        trace_id=span.trace_id,
        span_id=span.span_id,
        parent_span_id=span.parent_span_id,
        name=span.name,
        kind=_KINDS[span.kind],
        start_time=timestamp(span.start_ns),
        end_time=timestamp(span.end_ns),
        attributes=_attributes(span.attributes),
        error_type=span.error_type,
        error_message=span.error_message,
        events=[
            pb.SpanEvent(
                name=each.name,
                time=timestamp(each.time_ns),
                attributes=_attributes(each.attributes),
            )
            for each in span.events
        ],
        links=[pb.SpanLink(trace_id=trace_id, span_id=span_id) for trace_id, span_id in span.links],
    )


def _attributes(attributes: Mapping[str, Value]) -> dict[str, pb.SpanValue]:
    return {key: _value(value) for key, value in attributes.items()}


def _value(value: Value) -> pb.SpanValue:
    match value:
        case bool():
            return pb.SpanValue(truth=value)
        case int():
            return pb.SpanValue(integer=value)
        case float():
            return pb.SpanValue(number=value)
        case _:
            return pb.SpanValue(text=value)


def _stream_limits(message: pb.StreamLimits) -> StreamLimits:
    return StreamLimits(
        size_bytes=message.size_bytes,
        burst_bytes=message.burst_bytes,
        bytes_per_s=message.bytes_per_second,
    )


def _phase(phase: Phase) -> pb.Phase:
    return pb.Phase(
        name=phase.name,
        start_time=timestamp(phase.start_ns),
        end_time=timestamp(phase.end_ns),
        parent=phase.parent,
    )


def _seconds(length: Duration) -> float:
    return nanoseconds(length) / NS_PER_S
