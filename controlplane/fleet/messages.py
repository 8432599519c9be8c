"""Frames of the attach stream as our dataclasses and back."""

from __future__ import annotations

from functools import lru_cache

from google.protobuf.duration_pb2 import Duration

from controlplane.dispatch.ports import (
    HostHello,
    HostReport,
    Placement,
    SnapshotReport,
    SnapshotResult,
)
from controlplane.model.credentials import Credentials
from controlplane.model.invocation import AttemptResult, Phase, StartLevel, StreamLimits
from controlplane.model.log import LogLine, function_log_group
from controlplane.model.revision import Revision
from controlplane.model.trace import Caller, parse_xray_header
from controlplane.scheduler import RefusalReason
from emberd.fleet.v1 import fleet_pb2 as pb
from emberd.wire import FRAME_PAYLOAD_BYTES_MAX
from emberd.wire.times import NS_PER_S, duration, nanoseconds, timestamp

LEVELS = {
    pb.START_LEVEL_WARM: StartLevel.WARM,
    pb.START_LEVEL_TEMPLATE: StartLevel.TEMPLATE,
    pb.START_LEVEL_PARKED: StartLevel.PARKED,
    pb.START_LEVEL_FRESH: StartLevel.FRESH,
}
REASONS = {
    pb.REFUSAL_REASON_MEMORY: RefusalReason.MEMORY,
    pb.REFUSAL_REASON_BUSY: RefusalReason.BUSY,
    pb.REFUSAL_REASON_DISK: RefusalReason.DISK,
    pb.REFUSAL_REASON_DRAINING: RefusalReason.DRAINING,
    pb.REFUSAL_REASON_RUNTIME: RefusalReason.RUNTIME,
    pb.REFUSAL_REASON_START_FAILED: RefusalReason.START_FAILED,
    pb.REFUSAL_REASON_EPOCH: RefusalReason.EPOCH,
    pb.REFUSAL_REASON_RESTORE_FAILED: RefusalReason.RESTORE_FAILED,
    pb.REFUSAL_REASON_RESTORE_TIMED_OUT: RefusalReason.RESTORE_TIMED_OUT,
}
_SNAPSHOTS = {
    pb.SNAPSHOT_RESULT_READY: SnapshotResult.READY,
    pb.SNAPSHOT_RESULT_REFUSED: SnapshotResult.REFUSED,
    pb.SNAPSHOT_RESULT_INIT_FAILED: SnapshotResult.INIT_FAILED,
    pb.SNAPSHOT_RESULT_NOT_MADE: SnapshotResult.NOT_MADE,
}

TRACES_REMEMBERED = 1_024
"""Headers of invocations that write their lines just now."""

_ARCHITECTURES = {"aarch64": "arm64"}
"""Lambda's word for what the kernel calls otherwise."""


def hello_of(message: pb.Hello) -> HostHello:
    """A host as it introduced itself."""
    return HostHello(
        host_id=message.host_id,
        runtimes={each.runtime_id: each.version for each in message.runtimes},
        architecture=_ARCHITECTURES.get(message.architecture, message.architecture),
        memory_bytes=message.capacity.memory_bytes,
        cpu_millis=message.capacity.cpu_millis,
        sandboxes_max=message.capacity.sandboxes,
        labels=dict(message.labels),
        idle={each.revision_id: each.idle for each in message.idle},
        artifact_ids=frozenset(message.artifact_ids),
        isolation_notes=tuple(message.isolation_notes),
        networks=frozenset(message.networks),
    )


def dispatch_of(
    placement: Placement, revision: pb.Revision, credentials: pb.Credentials | None
) -> pb.ControlFrame:
    """One attempt as a frame; a large event stays here until the host fetches it."""
    request = placement.request
    large = len(request.payload) > FRAME_PAYLOAD_BYTES_MAX
    return pb.ControlFrame(
        dispatch=pb.Dispatch(
            epoch=placement.epoch,
            invocation_id=request.request_id,
            revision=revision,
            payload=b"" if large else request.payload,
            payload_to_fetch_bytes=len(request.payload) if large else 0,
            invoked_function_arn=placement.resolution.invoked_arn,
            client_context=request.client_context,
            want_log_tail=request.want_log_tail,
            trace_header=placement.trace_header,
            tracestate=placement.tracestate,
            queue_timeout=duration(int(placement.queue_timeout_s * 1e9)),
            credentials=credentials,
            stream=_stream_limits(placement.stream) if placement.stream else None,
        )
    )


def _stream_limits(limits: StreamLimits) -> pb.StreamLimits:
    return pb.StreamLimits(
        size_bytes=limits.size_bytes,
        burst_bytes=limits.burst_bytes,
        bytes_per_second=limits.bytes_per_s,
    )


def credentials_message(credentials: Credentials) -> pb.Credentials:
    """What a function signs with; the same for many attempts, so streams keep it."""
    return pb.Credentials(
        access_key_id=credentials.access_key_id,
        secret_access_key=credentials.secret_access_key,
        session_token=credentials.session_token,
        expire_time=timestamp((credentials.expires_s or 0) * NS_PER_S),
    )


def attempt_of(result: pb.Result) -> AttemptResult:
    """How an attempt ended."""
    return AttemptResult(
        payload=result.payload,
        content_type=result.content_type,
        function_error=result.function_error,
        error_type=result.error_type,
        log_tail=result.log_tail,
        start_level=LEVELS[result.start_level],
        duration_ns=nanoseconds(result.duration),
        billed_ms=nanoseconds(result.billed_duration) // 1_000_000,
        init_duration_ns=nanoseconds(result.init_duration),
        restore_duration_ns=nanoseconds(result.restore_duration),
        memory_peak_bytes=result.memory_peak_bytes,
        memory_charge_bytes=result.memory_charge_bytes,
        phases=tuple(
            Phase(
                name=each.name,
                start_ns=nanoseconds(each.start_time),
                end_ns=nanoseconds(each.end_time),
                parent=each.parent,
            )
            for each in result.phases
        ),
        sandbox_id=result.sandbox_id,
        sandbox_kept=result.sandbox_kept,
    )


def host_report_of(beat: pb.Heartbeat) -> HostReport:
    """What a host says of itself."""
    return HostReport(
        memory_charged_bytes=beat.memory_charged_bytes,
        sandboxes=beat.sandboxes,
        parked=beat.parked_sandboxes,
        runtime_templates=beat.runtime_templates,
        function_templates=beat.function_templates,
        starts_waiting=beat.starts_waiting,
        logs_dropped=beat.logs_dropped,
        disk_free_bytes=beat.disk_free_bytes,
    )


def snapshot_report_of(made: pb.SnapshotMade) -> SnapshotReport:
    """How the making of a snapshot ended."""
    return SnapshotReport(
        result=_SNAPSHOTS.get(made.result, SnapshotResult.NOT_MADE),
        message=made.message,
        error_type=made.error_type,
    )


def log_line_of(record: pb.LogRecord) -> LogLine:
    """A line of a function's log."""
    place = _place(record.trace_header)
    return LogLine(
        function_name=record.function_name,
        version=record.version,
        request_id=record.invocation_id,
        log_group=record.log_group or function_log_group(record.function_name),
        log_stream=record.log_stream,
        time_ns=nanoseconds(record.time),
        message=record.message,
        trace_id=place.trace_id if place else "",
        span_id=place.span_id if place else "",
    )


@lru_cache(TRACES_REMEMBERED)
def _place(trace_header: str) -> Caller | None:
    """Where in its trace a line stands; the lines of an invocation come one after the other."""
    return parse_xray_header(trace_header) if trace_header else None


def revision_message(revision: Revision) -> pb.Revision:
    """What runs; the same for every attempt of a revision, so streams keep it."""
    return pb.Revision(
        revision_id=revision.revision_id,
        function_name=revision.function_name,
        version=revision.version,
        function_arn=revision.function_arn,
        runtime_id=revision.runtime_id,
        handler=revision.handler,
        log_group=revision.log_group,
        log_format=revision.log_format,
        log_level=revision.log_level,
        artifact_id=revision.artifact_id,
        artifact_size_bytes=revision.artifact_size_bytes,
        layer_artifact_ids=revision.layers,
        memory_size_mb=revision.memory_size_mb,
        ephemeral_storage_mb=revision.ephemeral_storage_mb,
        timeout=Duration(seconds=revision.timeout_s),
        environment=dict(revision.environment),
        network=revision.network,
        snap_start=revision.snap_start,
        region=revision.region,
        account_id=revision.account_id,
    )
