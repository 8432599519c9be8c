import datetime

from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class InvocationType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    INVOCATION_TYPE_UNSPECIFIED: _ClassVar[InvocationType]
    INVOCATION_TYPE_REQUEST_RESPONSE: _ClassVar[InvocationType]
    INVOCATION_TYPE_EVENT: _ClassVar[InvocationType]
    INVOCATION_TYPE_DRY_RUN: _ClassVar[InvocationType]

class LogType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    LOG_TYPE_UNSPECIFIED: _ClassVar[LogType]
    LOG_TYPE_NONE: _ClassVar[LogType]
    LOG_TYPE_TAIL: _ClassVar[LogType]

class StartLevel(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    START_LEVEL_UNSPECIFIED: _ClassVar[StartLevel]
    START_LEVEL_WARM: _ClassVar[StartLevel]
    START_LEVEL_TEMPLATE: _ClassVar[StartLevel]
    START_LEVEL_PARKED: _ClassVar[StartLevel]
    START_LEVEL_FRESH: _ClassVar[StartLevel]
INVOCATION_TYPE_UNSPECIFIED: InvocationType
INVOCATION_TYPE_REQUEST_RESPONSE: InvocationType
INVOCATION_TYPE_EVENT: InvocationType
INVOCATION_TYPE_DRY_RUN: InvocationType
LOG_TYPE_UNSPECIFIED: LogType
LOG_TYPE_NONE: LogType
LOG_TYPE_TAIL: LogType
START_LEVEL_UNSPECIFIED: StartLevel
START_LEVEL_WARM: StartLevel
START_LEVEL_TEMPLATE: StartLevel
START_LEVEL_PARKED: StartLevel
START_LEVEL_FRESH: StartLevel

class InvokeRequest(_message.Message):
    __slots__ = ("function_name", "qualifier", "payload", "invocation_type", "log_type", "client_context")
    FUNCTION_NAME_FIELD_NUMBER: _ClassVar[int]
    QUALIFIER_FIELD_NUMBER: _ClassVar[int]
    PAYLOAD_FIELD_NUMBER: _ClassVar[int]
    INVOCATION_TYPE_FIELD_NUMBER: _ClassVar[int]
    LOG_TYPE_FIELD_NUMBER: _ClassVar[int]
    CLIENT_CONTEXT_FIELD_NUMBER: _ClassVar[int]
    function_name: str
    qualifier: str
    payload: bytes
    invocation_type: InvocationType
    log_type: LogType
    client_context: str
    def __init__(self, function_name: _Optional[str] = ..., qualifier: _Optional[str] = ..., payload: _Optional[bytes] = ..., invocation_type: _Optional[_Union[InvocationType, str]] = ..., log_type: _Optional[_Union[LogType, str]] = ..., client_context: _Optional[str] = ...) -> None: ...

class InvokeResponse(_message.Message):
    __slots__ = ("payload", "function_error", "executed_version", "log_tail", "request_id", "status_code", "start_level", "duration", "billed_duration", "init_duration", "max_memory_used_mb", "trace_id", "restore_duration")
    PAYLOAD_FIELD_NUMBER: _ClassVar[int]
    FUNCTION_ERROR_FIELD_NUMBER: _ClassVar[int]
    EXECUTED_VERSION_FIELD_NUMBER: _ClassVar[int]
    LOG_TAIL_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    STATUS_CODE_FIELD_NUMBER: _ClassVar[int]
    START_LEVEL_FIELD_NUMBER: _ClassVar[int]
    DURATION_FIELD_NUMBER: _ClassVar[int]
    BILLED_DURATION_FIELD_NUMBER: _ClassVar[int]
    INIT_DURATION_FIELD_NUMBER: _ClassVar[int]
    MAX_MEMORY_USED_MB_FIELD_NUMBER: _ClassVar[int]
    TRACE_ID_FIELD_NUMBER: _ClassVar[int]
    RESTORE_DURATION_FIELD_NUMBER: _ClassVar[int]
    payload: bytes
    function_error: str
    executed_version: str
    log_tail: bytes
    request_id: str
    status_code: int
    start_level: StartLevel
    duration: _duration_pb2.Duration
    billed_duration: _duration_pb2.Duration
    init_duration: _duration_pb2.Duration
    max_memory_used_mb: int
    trace_id: str
    restore_duration: _duration_pb2.Duration
    def __init__(self, payload: _Optional[bytes] = ..., function_error: _Optional[str] = ..., executed_version: _Optional[str] = ..., log_tail: _Optional[bytes] = ..., request_id: _Optional[str] = ..., status_code: _Optional[int] = ..., start_level: _Optional[_Union[StartLevel, str]] = ..., duration: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., billed_duration: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., init_duration: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., max_memory_used_mb: _Optional[int] = ..., trace_id: _Optional[str] = ..., restore_duration: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class InvokeStreamRequest(_message.Message):
    __slots__ = ("request",)
    REQUEST_FIELD_NUMBER: _ClassVar[int]
    request: InvokeRequest
    def __init__(self, request: _Optional[_Union[InvokeRequest, _Mapping]] = ...) -> None: ...

class InvokeStreamResponse(_message.Message):
    __slots__ = ("payload_chunk", "complete")
    PAYLOAD_CHUNK_FIELD_NUMBER: _ClassVar[int]
    COMPLETE_FIELD_NUMBER: _ClassVar[int]
    payload_chunk: bytes
    complete: InvokeResponse
    def __init__(self, payload_chunk: _Optional[bytes] = ..., complete: _Optional[_Union[InvokeResponse, _Mapping]] = ...) -> None: ...
