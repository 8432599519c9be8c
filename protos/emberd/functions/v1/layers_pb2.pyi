import datetime

from emberd.functions.v1 import functions_pb2 as _functions_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class LayerVersion(_message.Message):
    __slots__ = ("layer_name", "layer_arn", "layer_version_arn", "version", "description", "create_time", "compatible_runtimes", "compatible_architectures", "license_info", "code_sha256", "code_size_bytes")
    LAYER_NAME_FIELD_NUMBER: _ClassVar[int]
    LAYER_ARN_FIELD_NUMBER: _ClassVar[int]
    LAYER_VERSION_ARN_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    COMPATIBLE_RUNTIMES_FIELD_NUMBER: _ClassVar[int]
    COMPATIBLE_ARCHITECTURES_FIELD_NUMBER: _ClassVar[int]
    LICENSE_INFO_FIELD_NUMBER: _ClassVar[int]
    CODE_SHA256_FIELD_NUMBER: _ClassVar[int]
    CODE_SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    layer_name: str
    layer_arn: str
    layer_version_arn: str
    version: int
    description: str
    create_time: _timestamp_pb2.Timestamp
    compatible_runtimes: _containers.RepeatedScalarFieldContainer[str]
    compatible_architectures: _containers.RepeatedScalarFieldContainer[str]
    license_info: str
    code_sha256: str
    code_size_bytes: int
    def __init__(self, layer_name: _Optional[str] = ..., layer_arn: _Optional[str] = ..., layer_version_arn: _Optional[str] = ..., version: _Optional[int] = ..., description: _Optional[str] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., compatible_runtimes: _Optional[_Iterable[str]] = ..., compatible_architectures: _Optional[_Iterable[str]] = ..., license_info: _Optional[str] = ..., code_sha256: _Optional[str] = ..., code_size_bytes: _Optional[int] = ...) -> None: ...

class PublishLayerVersionRequest(_message.Message):
    __slots__ = ("layer_name", "content", "description", "license_info", "compatible_runtimes", "compatible_architectures")
    LAYER_NAME_FIELD_NUMBER: _ClassVar[int]
    CONTENT_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    LICENSE_INFO_FIELD_NUMBER: _ClassVar[int]
    COMPATIBLE_RUNTIMES_FIELD_NUMBER: _ClassVar[int]
    COMPATIBLE_ARCHITECTURES_FIELD_NUMBER: _ClassVar[int]
    layer_name: str
    content: _functions_pb2.Code
    description: str
    license_info: str
    compatible_runtimes: _containers.RepeatedScalarFieldContainer[str]
    compatible_architectures: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, layer_name: _Optional[str] = ..., content: _Optional[_Union[_functions_pb2.Code, _Mapping]] = ..., description: _Optional[str] = ..., license_info: _Optional[str] = ..., compatible_runtimes: _Optional[_Iterable[str]] = ..., compatible_architectures: _Optional[_Iterable[str]] = ...) -> None: ...

class PublishLayerVersionResponse(_message.Message):
    __slots__ = ("version",)
    VERSION_FIELD_NUMBER: _ClassVar[int]
    version: LayerVersion
    def __init__(self, version: _Optional[_Union[LayerVersion, _Mapping]] = ...) -> None: ...

class ListLayersRequest(_message.Message):
    __slots__ = ("compatible_runtime", "compatible_architecture", "marker", "max_items")
    COMPATIBLE_RUNTIME_FIELD_NUMBER: _ClassVar[int]
    COMPATIBLE_ARCHITECTURE_FIELD_NUMBER: _ClassVar[int]
    MARKER_FIELD_NUMBER: _ClassVar[int]
    MAX_ITEMS_FIELD_NUMBER: _ClassVar[int]
    compatible_runtime: str
    compatible_architecture: str
    marker: str
    max_items: int
    def __init__(self, compatible_runtime: _Optional[str] = ..., compatible_architecture: _Optional[str] = ..., marker: _Optional[str] = ..., max_items: _Optional[int] = ...) -> None: ...

class ListLayersResponse(_message.Message):
    __slots__ = ("layers", "next_marker")
    LAYERS_FIELD_NUMBER: _ClassVar[int]
    NEXT_MARKER_FIELD_NUMBER: _ClassVar[int]
    layers: _containers.RepeatedCompositeFieldContainer[LayerVersion]
    next_marker: str
    def __init__(self, layers: _Optional[_Iterable[_Union[LayerVersion, _Mapping]]] = ..., next_marker: _Optional[str] = ...) -> None: ...

class ListLayerVersionsRequest(_message.Message):
    __slots__ = ("layer_name", "compatible_runtime", "compatible_architecture", "marker", "max_items")
    LAYER_NAME_FIELD_NUMBER: _ClassVar[int]
    COMPATIBLE_RUNTIME_FIELD_NUMBER: _ClassVar[int]
    COMPATIBLE_ARCHITECTURE_FIELD_NUMBER: _ClassVar[int]
    MARKER_FIELD_NUMBER: _ClassVar[int]
    MAX_ITEMS_FIELD_NUMBER: _ClassVar[int]
    layer_name: str
    compatible_runtime: str
    compatible_architecture: str
    marker: str
    max_items: int
    def __init__(self, layer_name: _Optional[str] = ..., compatible_runtime: _Optional[str] = ..., compatible_architecture: _Optional[str] = ..., marker: _Optional[str] = ..., max_items: _Optional[int] = ...) -> None: ...

class ListLayerVersionsResponse(_message.Message):
    __slots__ = ("versions", "next_marker")
    VERSIONS_FIELD_NUMBER: _ClassVar[int]
    NEXT_MARKER_FIELD_NUMBER: _ClassVar[int]
    versions: _containers.RepeatedCompositeFieldContainer[LayerVersion]
    next_marker: str
    def __init__(self, versions: _Optional[_Iterable[_Union[LayerVersion, _Mapping]]] = ..., next_marker: _Optional[str] = ...) -> None: ...

class DeleteLayerVersionRequest(_message.Message):
    __slots__ = ("layer_name", "version")
    LAYER_NAME_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    layer_name: str
    version: int
    def __init__(self, layer_name: _Optional[str] = ..., version: _Optional[int] = ...) -> None: ...

class DeleteLayerVersionResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...
