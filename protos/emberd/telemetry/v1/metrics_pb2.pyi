import datetime

from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class GetLoadRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetLoadResponse(_message.Message):
    __slots__ = ("read_time", "concurrent_executions", "duration_bounds", "functions", "hosts")
    READ_TIME_FIELD_NUMBER: _ClassVar[int]
    CONCURRENT_EXECUTIONS_FIELD_NUMBER: _ClassVar[int]
    DURATION_BOUNDS_FIELD_NUMBER: _ClassVar[int]
    FUNCTIONS_FIELD_NUMBER: _ClassVar[int]
    HOSTS_FIELD_NUMBER: _ClassVar[int]
    read_time: _timestamp_pb2.Timestamp
    concurrent_executions: int
    duration_bounds: _containers.RepeatedCompositeFieldContainer[_duration_pb2.Duration]
    functions: _containers.RepeatedCompositeFieldContainer[FunctionLoad]
    hosts: _containers.RepeatedCompositeFieldContainer[HostLoad]
    def __init__(self, read_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., concurrent_executions: _Optional[int] = ..., duration_bounds: _Optional[_Iterable[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]]] = ..., functions: _Optional[_Iterable[_Union[FunctionLoad, _Mapping]]] = ..., hosts: _Optional[_Iterable[_Union[HostLoad, _Mapping]]] = ...) -> None: ...

class FunctionLoad(_message.Message):
    __slots__ = ("function_name", "invocations", "errors", "throttles", "concurrent_executions", "duration_counts", "starts")
    class StartsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: int
        def __init__(self, key: _Optional[str] = ..., value: _Optional[int] = ...) -> None: ...
    FUNCTION_NAME_FIELD_NUMBER: _ClassVar[int]
    INVOCATIONS_FIELD_NUMBER: _ClassVar[int]
    ERRORS_FIELD_NUMBER: _ClassVar[int]
    THROTTLES_FIELD_NUMBER: _ClassVar[int]
    CONCURRENT_EXECUTIONS_FIELD_NUMBER: _ClassVar[int]
    DURATION_COUNTS_FIELD_NUMBER: _ClassVar[int]
    STARTS_FIELD_NUMBER: _ClassVar[int]
    function_name: str
    invocations: int
    errors: int
    throttles: int
    concurrent_executions: int
    duration_counts: _containers.RepeatedScalarFieldContainer[int]
    starts: _containers.ScalarMap[str, int]
    def __init__(self, function_name: _Optional[str] = ..., invocations: _Optional[int] = ..., errors: _Optional[int] = ..., throttles: _Optional[int] = ..., concurrent_executions: _Optional[int] = ..., duration_counts: _Optional[_Iterable[int]] = ..., starts: _Optional[_Mapping[str, int]] = ...) -> None: ...

class HostLoad(_message.Message):
    __slots__ = ("host_id", "running", "warm_sandboxes", "sandboxes", "sandboxes_max", "memory_charged_bytes", "memory_bytes", "draining", "parked_sandboxes", "runtime_templates", "starts_waiting", "function_templates")
    HOST_ID_FIELD_NUMBER: _ClassVar[int]
    RUNNING_FIELD_NUMBER: _ClassVar[int]
    WARM_SANDBOXES_FIELD_NUMBER: _ClassVar[int]
    SANDBOXES_FIELD_NUMBER: _ClassVar[int]
    SANDBOXES_MAX_FIELD_NUMBER: _ClassVar[int]
    MEMORY_CHARGED_BYTES_FIELD_NUMBER: _ClassVar[int]
    MEMORY_BYTES_FIELD_NUMBER: _ClassVar[int]
    DRAINING_FIELD_NUMBER: _ClassVar[int]
    PARKED_SANDBOXES_FIELD_NUMBER: _ClassVar[int]
    RUNTIME_TEMPLATES_FIELD_NUMBER: _ClassVar[int]
    STARTS_WAITING_FIELD_NUMBER: _ClassVar[int]
    FUNCTION_TEMPLATES_FIELD_NUMBER: _ClassVar[int]
    host_id: str
    running: int
    warm_sandboxes: int
    sandboxes: int
    sandboxes_max: int
    memory_charged_bytes: int
    memory_bytes: int
    draining: bool
    parked_sandboxes: int
    runtime_templates: int
    starts_waiting: int
    function_templates: int
    def __init__(self, host_id: _Optional[str] = ..., running: _Optional[int] = ..., warm_sandboxes: _Optional[int] = ..., sandboxes: _Optional[int] = ..., sandboxes_max: _Optional[int] = ..., memory_charged_bytes: _Optional[int] = ..., memory_bytes: _Optional[int] = ..., draining: _Optional[bool] = ..., parked_sandboxes: _Optional[int] = ..., runtime_templates: _Optional[int] = ..., starts_waiting: _Optional[int] = ..., function_templates: _Optional[int] = ...) -> None: ...

class GetUsageRequest(_message.Message):
    __slots__ = ("start_time", "end_time")
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    start_time: _timestamp_pb2.Timestamp
    end_time: _timestamp_pb2.Timestamp
    def __init__(self, start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class GetUsageResponse(_message.Message):
    __slots__ = ("usages",)
    USAGES_FIELD_NUMBER: _ClassVar[int]
    usages: _containers.RepeatedCompositeFieldContainer[Usage]
    def __init__(self, usages: _Optional[_Iterable[_Union[Usage, _Mapping]]] = ...) -> None: ...

class Usage(_message.Message):
    __slots__ = ("day_time", "function_name", "architecture", "tags", "requests", "billed_duration", "gigabyte_duration")
    class TagsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    DAY_TIME_FIELD_NUMBER: _ClassVar[int]
    FUNCTION_NAME_FIELD_NUMBER: _ClassVar[int]
    ARCHITECTURE_FIELD_NUMBER: _ClassVar[int]
    TAGS_FIELD_NUMBER: _ClassVar[int]
    REQUESTS_FIELD_NUMBER: _ClassVar[int]
    BILLED_DURATION_FIELD_NUMBER: _ClassVar[int]
    GIGABYTE_DURATION_FIELD_NUMBER: _ClassVar[int]
    day_time: _timestamp_pb2.Timestamp
    function_name: str
    architecture: str
    tags: _containers.ScalarMap[str, str]
    requests: int
    billed_duration: _duration_pb2.Duration
    gigabyte_duration: _duration_pb2.Duration
    def __init__(self, day_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., function_name: _Optional[str] = ..., architecture: _Optional[str] = ..., tags: _Optional[_Mapping[str, str]] = ..., requests: _Optional[int] = ..., billed_duration: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., gigabyte_duration: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...
