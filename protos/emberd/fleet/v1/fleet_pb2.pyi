import datetime

from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class StartLevel(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    START_LEVEL_UNSPECIFIED: _ClassVar[StartLevel]
    START_LEVEL_WARM: _ClassVar[StartLevel]
    START_LEVEL_TEMPLATE: _ClassVar[StartLevel]
    START_LEVEL_PARKED: _ClassVar[StartLevel]
    START_LEVEL_FRESH: _ClassVar[StartLevel]

class SnapshotResult(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SNAPSHOT_RESULT_UNSPECIFIED: _ClassVar[SnapshotResult]
    SNAPSHOT_RESULT_READY: _ClassVar[SnapshotResult]
    SNAPSHOT_RESULT_REFUSED: _ClassVar[SnapshotResult]
    SNAPSHOT_RESULT_INIT_FAILED: _ClassVar[SnapshotResult]
    SNAPSHOT_RESULT_NOT_MADE: _ClassVar[SnapshotResult]

class RefusalReason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    REFUSAL_REASON_UNSPECIFIED: _ClassVar[RefusalReason]
    REFUSAL_REASON_MEMORY: _ClassVar[RefusalReason]
    REFUSAL_REASON_BUSY: _ClassVar[RefusalReason]
    REFUSAL_REASON_DISK: _ClassVar[RefusalReason]
    REFUSAL_REASON_DRAINING: _ClassVar[RefusalReason]
    REFUSAL_REASON_RUNTIME: _ClassVar[RefusalReason]
    REFUSAL_REASON_START_FAILED: _ClassVar[RefusalReason]
    REFUSAL_REASON_EPOCH: _ClassVar[RefusalReason]
    REFUSAL_REASON_RESTORE_FAILED: _ClassVar[RefusalReason]
    REFUSAL_REASON_RESTORE_TIMED_OUT: _ClassVar[RefusalReason]

class SpanKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SPAN_KIND_UNSPECIFIED: _ClassVar[SpanKind]
    SPAN_KIND_SERVER: _ClassVar[SpanKind]
    SPAN_KIND_CLIENT: _ClassVar[SpanKind]
    SPAN_KIND_PRODUCER: _ClassVar[SpanKind]
    SPAN_KIND_CONSUMER: _ClassVar[SpanKind]

class HostState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    HOST_STATE_UNSPECIFIED: _ClassVar[HostState]
    HOST_STATE_ATTACHED: _ClassVar[HostState]
    HOST_STATE_DRAINING: _ClassVar[HostState]
START_LEVEL_UNSPECIFIED: StartLevel
START_LEVEL_WARM: StartLevel
START_LEVEL_TEMPLATE: StartLevel
START_LEVEL_PARKED: StartLevel
START_LEVEL_FRESH: StartLevel
SNAPSHOT_RESULT_UNSPECIFIED: SnapshotResult
SNAPSHOT_RESULT_READY: SnapshotResult
SNAPSHOT_RESULT_REFUSED: SnapshotResult
SNAPSHOT_RESULT_INIT_FAILED: SnapshotResult
SNAPSHOT_RESULT_NOT_MADE: SnapshotResult
REFUSAL_REASON_UNSPECIFIED: RefusalReason
REFUSAL_REASON_MEMORY: RefusalReason
REFUSAL_REASON_BUSY: RefusalReason
REFUSAL_REASON_DISK: RefusalReason
REFUSAL_REASON_DRAINING: RefusalReason
REFUSAL_REASON_RUNTIME: RefusalReason
REFUSAL_REASON_START_FAILED: RefusalReason
REFUSAL_REASON_EPOCH: RefusalReason
REFUSAL_REASON_RESTORE_FAILED: RefusalReason
REFUSAL_REASON_RESTORE_TIMED_OUT: RefusalReason
SPAN_KIND_UNSPECIFIED: SpanKind
SPAN_KIND_SERVER: SpanKind
SPAN_KIND_CLIENT: SpanKind
SPAN_KIND_PRODUCER: SpanKind
SPAN_KIND_CONSUMER: SpanKind
HOST_STATE_UNSPECIFIED: HostState
HOST_STATE_ATTACHED: HostState
HOST_STATE_DRAINING: HostState

class HostMessage(_message.Message):
    __slots__ = ("frames",)
    FRAMES_FIELD_NUMBER: _ClassVar[int]
    frames: _containers.RepeatedCompositeFieldContainer[HostFrame]
    def __init__(self, frames: _Optional[_Iterable[_Union[HostFrame, _Mapping]]] = ...) -> None: ...

class ControlMessage(_message.Message):
    __slots__ = ("frames",)
    FRAMES_FIELD_NUMBER: _ClassVar[int]
    frames: _containers.RepeatedCompositeFieldContainer[ControlFrame]
    def __init__(self, frames: _Optional[_Iterable[_Union[ControlFrame, _Mapping]]] = ...) -> None: ...

class HostFrame(_message.Message):
    __slots__ = ("hello", "heartbeat", "result", "refused", "pool_changed", "provisioned", "stream_began", "snapshot_made")
    HELLO_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    REFUSED_FIELD_NUMBER: _ClassVar[int]
    POOL_CHANGED_FIELD_NUMBER: _ClassVar[int]
    PROVISIONED_FIELD_NUMBER: _ClassVar[int]
    STREAM_BEGAN_FIELD_NUMBER: _ClassVar[int]
    SNAPSHOT_MADE_FIELD_NUMBER: _ClassVar[int]
    hello: Hello
    heartbeat: Heartbeat
    result: Result
    refused: Refused
    pool_changed: PoolChanged
    provisioned: Provisioned
    stream_began: StreamBegan
    snapshot_made: SnapshotMade
    def __init__(self, hello: _Optional[_Union[Hello, _Mapping]] = ..., heartbeat: _Optional[_Union[Heartbeat, _Mapping]] = ..., result: _Optional[_Union[Result, _Mapping]] = ..., refused: _Optional[_Union[Refused, _Mapping]] = ..., pool_changed: _Optional[_Union[PoolChanged, _Mapping]] = ..., provisioned: _Optional[_Union[Provisioned, _Mapping]] = ..., stream_began: _Optional[_Union[StreamBegan, _Mapping]] = ..., snapshot_made: _Optional[_Union[SnapshotMade, _Mapping]] = ...) -> None: ...

class ControlFrame(_message.Message):
    __slots__ = ("welcome", "dispatch", "cancel", "retire", "drain", "provision", "snapshot")
    WELCOME_FIELD_NUMBER: _ClassVar[int]
    DISPATCH_FIELD_NUMBER: _ClassVar[int]
    CANCEL_FIELD_NUMBER: _ClassVar[int]
    RETIRE_FIELD_NUMBER: _ClassVar[int]
    DRAIN_FIELD_NUMBER: _ClassVar[int]
    PROVISION_FIELD_NUMBER: _ClassVar[int]
    SNAPSHOT_FIELD_NUMBER: _ClassVar[int]
    welcome: Welcome
    dispatch: Dispatch
    cancel: Cancel
    retire: Retire
    drain: Drain
    provision: Provision
    snapshot: Snapshot
    def __init__(self, welcome: _Optional[_Union[Welcome, _Mapping]] = ..., dispatch: _Optional[_Union[Dispatch, _Mapping]] = ..., cancel: _Optional[_Union[Cancel, _Mapping]] = ..., retire: _Optional[_Union[Retire, _Mapping]] = ..., drain: _Optional[_Union[Drain, _Mapping]] = ..., provision: _Optional[_Union[Provision, _Mapping]] = ..., snapshot: _Optional[_Union[Snapshot, _Mapping]] = ...) -> None: ...

class Hello(_message.Message):
    __slots__ = ("wire_version", "host_id", "runtimes", "capacity", "labels", "idle", "artifact_ids", "architecture", "last_epoch", "isolation_notes", "networks", "takes_link")
    class LabelsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    WIRE_VERSION_FIELD_NUMBER: _ClassVar[int]
    HOST_ID_FIELD_NUMBER: _ClassVar[int]
    RUNTIMES_FIELD_NUMBER: _ClassVar[int]
    CAPACITY_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    IDLE_FIELD_NUMBER: _ClassVar[int]
    ARTIFACT_IDS_FIELD_NUMBER: _ClassVar[int]
    ARCHITECTURE_FIELD_NUMBER: _ClassVar[int]
    LAST_EPOCH_FIELD_NUMBER: _ClassVar[int]
    ISOLATION_NOTES_FIELD_NUMBER: _ClassVar[int]
    NETWORKS_FIELD_NUMBER: _ClassVar[int]
    TAKES_LINK_FIELD_NUMBER: _ClassVar[int]
    wire_version: int
    host_id: str
    runtimes: _containers.RepeatedCompositeFieldContainer[Runtime]
    capacity: Capacity
    labels: _containers.ScalarMap[str, str]
    idle: _containers.RepeatedCompositeFieldContainer[PoolEntry]
    artifact_ids: _containers.RepeatedScalarFieldContainer[str]
    architecture: str
    last_epoch: int
    isolation_notes: _containers.RepeatedScalarFieldContainer[str]
    networks: _containers.RepeatedScalarFieldContainer[str]
    takes_link: bool
    def __init__(self, wire_version: _Optional[int] = ..., host_id: _Optional[str] = ..., runtimes: _Optional[_Iterable[_Union[Runtime, _Mapping]]] = ..., capacity: _Optional[_Union[Capacity, _Mapping]] = ..., labels: _Optional[_Mapping[str, str]] = ..., idle: _Optional[_Iterable[_Union[PoolEntry, _Mapping]]] = ..., artifact_ids: _Optional[_Iterable[str]] = ..., architecture: _Optional[str] = ..., last_epoch: _Optional[int] = ..., isolation_notes: _Optional[_Iterable[str]] = ..., networks: _Optional[_Iterable[str]] = ..., takes_link: _Optional[bool] = ...) -> None: ...

class Runtime(_message.Message):
    __slots__ = ("runtime_id", "version")
    RUNTIME_ID_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    runtime_id: str
    version: str
    def __init__(self, runtime_id: _Optional[str] = ..., version: _Optional[str] = ...) -> None: ...

class Capacity(_message.Message):
    __slots__ = ("memory_bytes", "cpu_millis", "sandboxes")
    MEMORY_BYTES_FIELD_NUMBER: _ClassVar[int]
    CPU_MILLIS_FIELD_NUMBER: _ClassVar[int]
    SANDBOXES_FIELD_NUMBER: _ClassVar[int]
    memory_bytes: int
    cpu_millis: int
    sandboxes: int
    def __init__(self, memory_bytes: _Optional[int] = ..., cpu_millis: _Optional[int] = ..., sandboxes: _Optional[int] = ...) -> None: ...

class PoolEntry(_message.Message):
    __slots__ = ("revision_id", "idle")
    REVISION_ID_FIELD_NUMBER: _ClassVar[int]
    IDLE_FIELD_NUMBER: _ClassVar[int]
    revision_id: str
    idle: int
    def __init__(self, revision_id: _Optional[str] = ..., idle: _Optional[int] = ...) -> None: ...

class Heartbeat(_message.Message):
    __slots__ = ("memory_charged_bytes", "sandboxes", "logs_dropped", "disk_free_bytes", "parked_sandboxes", "runtime_templates", "starts_waiting", "function_templates")
    MEMORY_CHARGED_BYTES_FIELD_NUMBER: _ClassVar[int]
    SANDBOXES_FIELD_NUMBER: _ClassVar[int]
    LOGS_DROPPED_FIELD_NUMBER: _ClassVar[int]
    DISK_FREE_BYTES_FIELD_NUMBER: _ClassVar[int]
    PARKED_SANDBOXES_FIELD_NUMBER: _ClassVar[int]
    RUNTIME_TEMPLATES_FIELD_NUMBER: _ClassVar[int]
    STARTS_WAITING_FIELD_NUMBER: _ClassVar[int]
    FUNCTION_TEMPLATES_FIELD_NUMBER: _ClassVar[int]
    memory_charged_bytes: int
    sandboxes: int
    logs_dropped: int
    disk_free_bytes: int
    parked_sandboxes: int
    runtime_templates: int
    starts_waiting: int
    function_templates: int
    def __init__(self, memory_charged_bytes: _Optional[int] = ..., sandboxes: _Optional[int] = ..., logs_dropped: _Optional[int] = ..., disk_free_bytes: _Optional[int] = ..., parked_sandboxes: _Optional[int] = ..., runtime_templates: _Optional[int] = ..., starts_waiting: _Optional[int] = ..., function_templates: _Optional[int] = ...) -> None: ...

class Welcome(_message.Message):
    __slots__ = ("epoch", "wire_version", "link")
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    WIRE_VERSION_FIELD_NUMBER: _ClassVar[int]
    LINK_FIELD_NUMBER: _ClassVar[int]
    epoch: int
    wire_version: int
    link: Link
    def __init__(self, epoch: _Optional[int] = ..., wire_version: _Optional[int] = ..., link: _Optional[_Union[Link, _Mapping]] = ...) -> None: ...

class Link(_message.Message):
    __slots__ = ("address", "ticket")
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    TICKET_FIELD_NUMBER: _ClassVar[int]
    address: str
    ticket: bytes
    def __init__(self, address: _Optional[str] = ..., ticket: _Optional[bytes] = ...) -> None: ...

class Revision(_message.Message):
    __slots__ = ("revision_id", "function_name", "version", "function_arn", "runtime_id", "handler", "artifact_id", "artifact_size_bytes", "memory_size_mb", "ephemeral_storage_mb", "timeout", "environment", "region", "account_id", "layer_artifact_ids", "log_group", "log_format", "log_level", "network", "snap_start")
    class EnvironmentEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    REVISION_ID_FIELD_NUMBER: _ClassVar[int]
    FUNCTION_NAME_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    FUNCTION_ARN_FIELD_NUMBER: _ClassVar[int]
    RUNTIME_ID_FIELD_NUMBER: _ClassVar[int]
    HANDLER_FIELD_NUMBER: _ClassVar[int]
    ARTIFACT_ID_FIELD_NUMBER: _ClassVar[int]
    ARTIFACT_SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    MEMORY_SIZE_MB_FIELD_NUMBER: _ClassVar[int]
    EPHEMERAL_STORAGE_MB_FIELD_NUMBER: _ClassVar[int]
    TIMEOUT_FIELD_NUMBER: _ClassVar[int]
    ENVIRONMENT_FIELD_NUMBER: _ClassVar[int]
    REGION_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    LAYER_ARTIFACT_IDS_FIELD_NUMBER: _ClassVar[int]
    LOG_GROUP_FIELD_NUMBER: _ClassVar[int]
    LOG_FORMAT_FIELD_NUMBER: _ClassVar[int]
    LOG_LEVEL_FIELD_NUMBER: _ClassVar[int]
    NETWORK_FIELD_NUMBER: _ClassVar[int]
    SNAP_START_FIELD_NUMBER: _ClassVar[int]
    revision_id: str
    function_name: str
    version: str
    function_arn: str
    runtime_id: str
    handler: str
    artifact_id: str
    artifact_size_bytes: int
    memory_size_mb: int
    ephemeral_storage_mb: int
    timeout: _duration_pb2.Duration
    environment: _containers.ScalarMap[str, str]
    region: str
    account_id: str
    layer_artifact_ids: _containers.RepeatedScalarFieldContainer[str]
    log_group: str
    log_format: str
    log_level: str
    network: str
    snap_start: bool
    def __init__(self, revision_id: _Optional[str] = ..., function_name: _Optional[str] = ..., version: _Optional[str] = ..., function_arn: _Optional[str] = ..., runtime_id: _Optional[str] = ..., handler: _Optional[str] = ..., artifact_id: _Optional[str] = ..., artifact_size_bytes: _Optional[int] = ..., memory_size_mb: _Optional[int] = ..., ephemeral_storage_mb: _Optional[int] = ..., timeout: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., environment: _Optional[_Mapping[str, str]] = ..., region: _Optional[str] = ..., account_id: _Optional[str] = ..., layer_artifact_ids: _Optional[_Iterable[str]] = ..., log_group: _Optional[str] = ..., log_format: _Optional[str] = ..., log_level: _Optional[str] = ..., network: _Optional[str] = ..., snap_start: _Optional[bool] = ...) -> None: ...

class Credentials(_message.Message):
    __slots__ = ("access_key_id", "secret_access_key", "session_token", "expire_time")
    ACCESS_KEY_ID_FIELD_NUMBER: _ClassVar[int]
    SECRET_ACCESS_KEY_FIELD_NUMBER: _ClassVar[int]
    SESSION_TOKEN_FIELD_NUMBER: _ClassVar[int]
    EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    access_key_id: str
    secret_access_key: str
    session_token: str
    expire_time: _timestamp_pb2.Timestamp
    def __init__(self, access_key_id: _Optional[str] = ..., secret_access_key: _Optional[str] = ..., session_token: _Optional[str] = ..., expire_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class Dispatch(_message.Message):
    __slots__ = ("epoch", "invocation_id", "revision", "payload", "payload_to_fetch_bytes", "invoked_function_arn", "client_context", "want_log_tail", "trace_header", "queue_timeout", "stream", "credentials", "tracestate")
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    INVOCATION_ID_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    PAYLOAD_FIELD_NUMBER: _ClassVar[int]
    PAYLOAD_TO_FETCH_BYTES_FIELD_NUMBER: _ClassVar[int]
    INVOKED_FUNCTION_ARN_FIELD_NUMBER: _ClassVar[int]
    CLIENT_CONTEXT_FIELD_NUMBER: _ClassVar[int]
    WANT_LOG_TAIL_FIELD_NUMBER: _ClassVar[int]
    TRACE_HEADER_FIELD_NUMBER: _ClassVar[int]
    QUEUE_TIMEOUT_FIELD_NUMBER: _ClassVar[int]
    STREAM_FIELD_NUMBER: _ClassVar[int]
    CREDENTIALS_FIELD_NUMBER: _ClassVar[int]
    TRACESTATE_FIELD_NUMBER: _ClassVar[int]
    epoch: int
    invocation_id: str
    revision: Revision
    payload: bytes
    payload_to_fetch_bytes: int
    invoked_function_arn: str
    client_context: str
    want_log_tail: bool
    trace_header: str
    queue_timeout: _duration_pb2.Duration
    stream: StreamLimits
    credentials: Credentials
    tracestate: str
    def __init__(self, epoch: _Optional[int] = ..., invocation_id: _Optional[str] = ..., revision: _Optional[_Union[Revision, _Mapping]] = ..., payload: _Optional[bytes] = ..., payload_to_fetch_bytes: _Optional[int] = ..., invoked_function_arn: _Optional[str] = ..., client_context: _Optional[str] = ..., want_log_tail: _Optional[bool] = ..., trace_header: _Optional[str] = ..., queue_timeout: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., stream: _Optional[_Union[StreamLimits, _Mapping]] = ..., credentials: _Optional[_Union[Credentials, _Mapping]] = ..., tracestate: _Optional[str] = ...) -> None: ...

class StreamLimits(_message.Message):
    __slots__ = ("size_bytes", "burst_bytes", "bytes_per_second")
    SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    BURST_BYTES_FIELD_NUMBER: _ClassVar[int]
    BYTES_PER_SECOND_FIELD_NUMBER: _ClassVar[int]
    size_bytes: int
    burst_bytes: int
    bytes_per_second: int
    def __init__(self, size_bytes: _Optional[int] = ..., burst_bytes: _Optional[int] = ..., bytes_per_second: _Optional[int] = ...) -> None: ...

class Cancel(_message.Message):
    __slots__ = ("invocation_id",)
    INVOCATION_ID_FIELD_NUMBER: _ClassVar[int]
    invocation_id: str
    def __init__(self, invocation_id: _Optional[str] = ...) -> None: ...

class Retire(_message.Message):
    __slots__ = ("revision_id",)
    REVISION_ID_FIELD_NUMBER: _ClassVar[int]
    revision_id: str
    def __init__(self, revision_id: _Optional[str] = ...) -> None: ...

class Drain(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class Provision(_message.Message):
    __slots__ = ("revision", "wanted", "credentials")
    REVISION_FIELD_NUMBER: _ClassVar[int]
    WANTED_FIELD_NUMBER: _ClassVar[int]
    CREDENTIALS_FIELD_NUMBER: _ClassVar[int]
    revision: Revision
    wanted: int
    credentials: Credentials
    def __init__(self, revision: _Optional[_Union[Revision, _Mapping]] = ..., wanted: _Optional[int] = ..., credentials: _Optional[_Union[Credentials, _Mapping]] = ...) -> None: ...

class Snapshot(_message.Message):
    __slots__ = ("revision", "credentials")
    REVISION_FIELD_NUMBER: _ClassVar[int]
    CREDENTIALS_FIELD_NUMBER: _ClassVar[int]
    revision: Revision
    credentials: Credentials
    def __init__(self, revision: _Optional[_Union[Revision, _Mapping]] = ..., credentials: _Optional[_Union[Credentials, _Mapping]] = ...) -> None: ...

class Phase(_message.Message):
    __slots__ = ("name", "start_time", "end_time", "parent")
    NAME_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    PARENT_FIELD_NUMBER: _ClassVar[int]
    name: str
    start_time: _timestamp_pb2.Timestamp
    end_time: _timestamp_pb2.Timestamp
    parent: str
    def __init__(self, name: _Optional[str] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., parent: _Optional[str] = ...) -> None: ...

class Result(_message.Message):
    __slots__ = ("invocation_id", "payload", "payload_pushed", "function_error", "log_tail", "start_level", "duration", "billed_duration", "init_duration", "memory_peak_bytes", "phases", "sandbox_id", "sandbox_kept", "error_type", "content_type", "restore_duration", "memory_charge_bytes")
    INVOCATION_ID_FIELD_NUMBER: _ClassVar[int]
    PAYLOAD_FIELD_NUMBER: _ClassVar[int]
    PAYLOAD_PUSHED_FIELD_NUMBER: _ClassVar[int]
    FUNCTION_ERROR_FIELD_NUMBER: _ClassVar[int]
    LOG_TAIL_FIELD_NUMBER: _ClassVar[int]
    START_LEVEL_FIELD_NUMBER: _ClassVar[int]
    DURATION_FIELD_NUMBER: _ClassVar[int]
    BILLED_DURATION_FIELD_NUMBER: _ClassVar[int]
    INIT_DURATION_FIELD_NUMBER: _ClassVar[int]
    MEMORY_PEAK_BYTES_FIELD_NUMBER: _ClassVar[int]
    PHASES_FIELD_NUMBER: _ClassVar[int]
    SANDBOX_ID_FIELD_NUMBER: _ClassVar[int]
    SANDBOX_KEPT_FIELD_NUMBER: _ClassVar[int]
    ERROR_TYPE_FIELD_NUMBER: _ClassVar[int]
    CONTENT_TYPE_FIELD_NUMBER: _ClassVar[int]
    RESTORE_DURATION_FIELD_NUMBER: _ClassVar[int]
    MEMORY_CHARGE_BYTES_FIELD_NUMBER: _ClassVar[int]
    invocation_id: str
    payload: bytes
    payload_pushed: bool
    function_error: str
    log_tail: bytes
    start_level: StartLevel
    duration: _duration_pb2.Duration
    billed_duration: _duration_pb2.Duration
    init_duration: _duration_pb2.Duration
    memory_peak_bytes: int
    phases: _containers.RepeatedCompositeFieldContainer[Phase]
    sandbox_id: str
    sandbox_kept: bool
    error_type: str
    content_type: str
    restore_duration: _duration_pb2.Duration
    memory_charge_bytes: int
    def __init__(self, invocation_id: _Optional[str] = ..., payload: _Optional[bytes] = ..., payload_pushed: _Optional[bool] = ..., function_error: _Optional[str] = ..., log_tail: _Optional[bytes] = ..., start_level: _Optional[_Union[StartLevel, str]] = ..., duration: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., billed_duration: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., init_duration: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., memory_peak_bytes: _Optional[int] = ..., phases: _Optional[_Iterable[_Union[Phase, _Mapping]]] = ..., sandbox_id: _Optional[str] = ..., sandbox_kept: _Optional[bool] = ..., error_type: _Optional[str] = ..., content_type: _Optional[str] = ..., restore_duration: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., memory_charge_bytes: _Optional[int] = ...) -> None: ...

class Provisioned(_message.Message):
    __slots__ = ("revision_id", "allocated", "failure")
    REVISION_ID_FIELD_NUMBER: _ClassVar[int]
    ALLOCATED_FIELD_NUMBER: _ClassVar[int]
    FAILURE_FIELD_NUMBER: _ClassVar[int]
    revision_id: str
    allocated: int
    failure: str
    def __init__(self, revision_id: _Optional[str] = ..., allocated: _Optional[int] = ..., failure: _Optional[str] = ...) -> None: ...

class SnapshotMade(_message.Message):
    __slots__ = ("revision_id", "result", "message", "error_type")
    REVISION_ID_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    ERROR_TYPE_FIELD_NUMBER: _ClassVar[int]
    revision_id: str
    result: SnapshotResult
    message: str
    error_type: str
    def __init__(self, revision_id: _Optional[str] = ..., result: _Optional[_Union[SnapshotResult, str]] = ..., message: _Optional[str] = ..., error_type: _Optional[str] = ...) -> None: ...

class StreamBegan(_message.Message):
    __slots__ = ("invocation_id", "content_type", "chunk")
    INVOCATION_ID_FIELD_NUMBER: _ClassVar[int]
    CONTENT_TYPE_FIELD_NUMBER: _ClassVar[int]
    CHUNK_FIELD_NUMBER: _ClassVar[int]
    invocation_id: str
    content_type: str
    chunk: bytes
    def __init__(self, invocation_id: _Optional[str] = ..., content_type: _Optional[str] = ..., chunk: _Optional[bytes] = ...) -> None: ...

class Refused(_message.Message):
    __slots__ = ("invocation_id", "reason", "message")
    INVOCATION_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    invocation_id: str
    reason: RefusalReason
    message: str
    def __init__(self, invocation_id: _Optional[str] = ..., reason: _Optional[_Union[RefusalReason, str]] = ..., message: _Optional[str] = ...) -> None: ...

class PoolChanged(_message.Message):
    __slots__ = ("entry",)
    ENTRY_FIELD_NUMBER: _ClassVar[int]
    entry: PoolEntry
    def __init__(self, entry: _Optional[_Union[PoolEntry, _Mapping]] = ...) -> None: ...

class FetchArtifactRequest(_message.Message):
    __slots__ = ("artifact_id",)
    ARTIFACT_ID_FIELD_NUMBER: _ClassVar[int]
    artifact_id: str
    def __init__(self, artifact_id: _Optional[str] = ...) -> None: ...

class FetchArtifactResponse(_message.Message):
    __slots__ = ("chunk",)
    CHUNK_FIELD_NUMBER: _ClassVar[int]
    chunk: bytes
    def __init__(self, chunk: _Optional[bytes] = ...) -> None: ...

class FetchPayloadRequest(_message.Message):
    __slots__ = ("invocation_id",)
    INVOCATION_ID_FIELD_NUMBER: _ClassVar[int]
    invocation_id: str
    def __init__(self, invocation_id: _Optional[str] = ...) -> None: ...

class FetchPayloadResponse(_message.Message):
    __slots__ = ("chunk",)
    CHUNK_FIELD_NUMBER: _ClassVar[int]
    chunk: bytes
    def __init__(self, chunk: _Optional[bytes] = ...) -> None: ...

class PushPayloadRequest(_message.Message):
    __slots__ = ("invocation_id", "chunk")
    INVOCATION_ID_FIELD_NUMBER: _ClassVar[int]
    CHUNK_FIELD_NUMBER: _ClassVar[int]
    invocation_id: str
    chunk: bytes
    def __init__(self, invocation_id: _Optional[str] = ..., chunk: _Optional[bytes] = ...) -> None: ...

class PushPayloadResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class PushChunksRequest(_message.Message):
    __slots__ = ("invocation_id", "chunk")
    INVOCATION_ID_FIELD_NUMBER: _ClassVar[int]
    CHUNK_FIELD_NUMBER: _ClassVar[int]
    invocation_id: str
    chunk: bytes
    def __init__(self, invocation_id: _Optional[str] = ..., chunk: _Optional[bytes] = ...) -> None: ...

class PushChunksResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class LogRecord(_message.Message):
    __slots__ = ("time", "function_name", "version", "invocation_id", "message", "log_stream", "log_group", "trace_header")
    TIME_FIELD_NUMBER: _ClassVar[int]
    FUNCTION_NAME_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    INVOCATION_ID_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    LOG_STREAM_FIELD_NUMBER: _ClassVar[int]
    LOG_GROUP_FIELD_NUMBER: _ClassVar[int]
    TRACE_HEADER_FIELD_NUMBER: _ClassVar[int]
    time: _timestamp_pb2.Timestamp
    function_name: str
    version: str
    invocation_id: str
    message: bytes
    log_stream: str
    log_group: str
    trace_header: str
    def __init__(self, time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., function_name: _Optional[str] = ..., version: _Optional[str] = ..., invocation_id: _Optional[str] = ..., message: _Optional[bytes] = ..., log_stream: _Optional[str] = ..., log_group: _Optional[str] = ..., trace_header: _Optional[str] = ...) -> None: ...

class PushLogsRequest(_message.Message):
    __slots__ = ("records", "dropped")
    RECORDS_FIELD_NUMBER: _ClassVar[int]
    DROPPED_FIELD_NUMBER: _ClassVar[int]
    records: _containers.RepeatedCompositeFieldContainer[LogRecord]
    dropped: int
    def __init__(self, records: _Optional[_Iterable[_Union[LogRecord, _Mapping]]] = ..., dropped: _Optional[int] = ...) -> None: ...

class PushLogsResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class SpanValue(_message.Message):
    __slots__ = ("text", "integer", "number", "truth")
    TEXT_FIELD_NUMBER: _ClassVar[int]
    INTEGER_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    TRUTH_FIELD_NUMBER: _ClassVar[int]
    text: str
    integer: int
    number: float
    truth: bool
    def __init__(self, text: _Optional[str] = ..., integer: _Optional[int] = ..., number: _Optional[float] = ..., truth: _Optional[bool] = ...) -> None: ...

class SpanEvent(_message.Message):
    __slots__ = ("name", "time", "attributes")
    class AttributesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: SpanValue
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[SpanValue, _Mapping]] = ...) -> None: ...
    NAME_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTES_FIELD_NUMBER: _ClassVar[int]
    name: str
    time: _timestamp_pb2.Timestamp
    attributes: _containers.MessageMap[str, SpanValue]
    def __init__(self, name: _Optional[str] = ..., time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., attributes: _Optional[_Mapping[str, SpanValue]] = ...) -> None: ...

class SpanLink(_message.Message):
    __slots__ = ("trace_id", "span_id")
    TRACE_ID_FIELD_NUMBER: _ClassVar[int]
    SPAN_ID_FIELD_NUMBER: _ClassVar[int]
    trace_id: str
    span_id: str
    def __init__(self, trace_id: _Optional[str] = ..., span_id: _Optional[str] = ...) -> None: ...

class FunctionSpan(_message.Message):
    __slots__ = ("function_name", "version", "invocation_id", "trace_id", "span_id", "parent_span_id", "name", "kind", "start_time", "end_time", "attributes", "error_type", "error_message", "events", "links")
    class AttributesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: SpanValue
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[SpanValue, _Mapping]] = ...) -> None: ...
    FUNCTION_NAME_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    INVOCATION_ID_FIELD_NUMBER: _ClassVar[int]
    TRACE_ID_FIELD_NUMBER: _ClassVar[int]
    SPAN_ID_FIELD_NUMBER: _ClassVar[int]
    PARENT_SPAN_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTES_FIELD_NUMBER: _ClassVar[int]
    ERROR_TYPE_FIELD_NUMBER: _ClassVar[int]
    ERROR_MESSAGE_FIELD_NUMBER: _ClassVar[int]
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    LINKS_FIELD_NUMBER: _ClassVar[int]
    function_name: str
    version: str
    invocation_id: str
    trace_id: str
    span_id: str
    parent_span_id: str
    name: str
    kind: SpanKind
    start_time: _timestamp_pb2.Timestamp
    end_time: _timestamp_pb2.Timestamp
    attributes: _containers.MessageMap[str, SpanValue]
    error_type: str
    error_message: str
    events: _containers.RepeatedCompositeFieldContainer[SpanEvent]
    links: _containers.RepeatedCompositeFieldContainer[SpanLink]
    def __init__(self, function_name: _Optional[str] = ..., version: _Optional[str] = ..., invocation_id: _Optional[str] = ..., trace_id: _Optional[str] = ..., span_id: _Optional[str] = ..., parent_span_id: _Optional[str] = ..., name: _Optional[str] = ..., kind: _Optional[_Union[SpanKind, str]] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., attributes: _Optional[_Mapping[str, SpanValue]] = ..., error_type: _Optional[str] = ..., error_message: _Optional[str] = ..., events: _Optional[_Iterable[_Union[SpanEvent, _Mapping]]] = ..., links: _Optional[_Iterable[_Union[SpanLink, _Mapping]]] = ...) -> None: ...

class PushSpansRequest(_message.Message):
    __slots__ = ("spans", "dropped")
    SPANS_FIELD_NUMBER: _ClassVar[int]
    DROPPED_FIELD_NUMBER: _ClassVar[int]
    spans: _containers.RepeatedCompositeFieldContainer[FunctionSpan]
    dropped: int
    def __init__(self, spans: _Optional[_Iterable[_Union[FunctionSpan, _Mapping]]] = ..., dropped: _Optional[int] = ...) -> None: ...

class PushSpansResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class HostTunnelMessage(_message.Message):
    __slots__ = ("opening", "chunk")
    OPENING_FIELD_NUMBER: _ClassVar[int]
    CHUNK_FIELD_NUMBER: _ClassVar[int]
    opening: TunnelOpening
    chunk: bytes
    def __init__(self, opening: _Optional[_Union[TunnelOpening, _Mapping]] = ..., chunk: _Optional[bytes] = ...) -> None: ...

class TunnelOpening(_message.Message):
    __slots__ = ("sandbox_id", "function_arn")
    SANDBOX_ID_FIELD_NUMBER: _ClassVar[int]
    FUNCTION_ARN_FIELD_NUMBER: _ClassVar[int]
    sandbox_id: str
    function_arn: str
    def __init__(self, sandbox_id: _Optional[str] = ..., function_arn: _Optional[str] = ...) -> None: ...

class ControlTunnelMessage(_message.Message):
    __slots__ = ("chunk",)
    CHUNK_FIELD_NUMBER: _ClassVar[int]
    chunk: bytes
    def __init__(self, chunk: _Optional[bytes] = ...) -> None: ...

class ListHostsRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListHostsResponse(_message.Message):
    __slots__ = ("hosts",)
    HOSTS_FIELD_NUMBER: _ClassVar[int]
    hosts: _containers.RepeatedCompositeFieldContainer[Host]
    def __init__(self, hosts: _Optional[_Iterable[_Union[Host, _Mapping]]] = ...) -> None: ...

class Host(_message.Message):
    __slots__ = ("host_id", "runtimes", "capacity", "memory_charged_bytes", "sandboxes", "idle_sandboxes", "running", "attach_time", "state", "labels", "isolation_notes", "logs_dropped", "architecture", "networks")
    class LabelsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    HOST_ID_FIELD_NUMBER: _ClassVar[int]
    RUNTIMES_FIELD_NUMBER: _ClassVar[int]
    CAPACITY_FIELD_NUMBER: _ClassVar[int]
    MEMORY_CHARGED_BYTES_FIELD_NUMBER: _ClassVar[int]
    SANDBOXES_FIELD_NUMBER: _ClassVar[int]
    IDLE_SANDBOXES_FIELD_NUMBER: _ClassVar[int]
    RUNNING_FIELD_NUMBER: _ClassVar[int]
    ATTACH_TIME_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    ISOLATION_NOTES_FIELD_NUMBER: _ClassVar[int]
    LOGS_DROPPED_FIELD_NUMBER: _ClassVar[int]
    ARCHITECTURE_FIELD_NUMBER: _ClassVar[int]
    NETWORKS_FIELD_NUMBER: _ClassVar[int]
    host_id: str
    runtimes: _containers.RepeatedCompositeFieldContainer[Runtime]
    capacity: Capacity
    memory_charged_bytes: int
    sandboxes: int
    idle_sandboxes: int
    running: int
    attach_time: _timestamp_pb2.Timestamp
    state: HostState
    labels: _containers.ScalarMap[str, str]
    isolation_notes: _containers.RepeatedScalarFieldContainer[str]
    logs_dropped: int
    architecture: str
    networks: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, host_id: _Optional[str] = ..., runtimes: _Optional[_Iterable[_Union[Runtime, _Mapping]]] = ..., capacity: _Optional[_Union[Capacity, _Mapping]] = ..., memory_charged_bytes: _Optional[int] = ..., sandboxes: _Optional[int] = ..., idle_sandboxes: _Optional[int] = ..., running: _Optional[int] = ..., attach_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., state: _Optional[_Union[HostState, str]] = ..., labels: _Optional[_Mapping[str, str]] = ..., isolation_notes: _Optional[_Iterable[str]] = ..., logs_dropped: _Optional[int] = ..., architecture: _Optional[str] = ..., networks: _Optional[_Iterable[str]] = ...) -> None: ...
