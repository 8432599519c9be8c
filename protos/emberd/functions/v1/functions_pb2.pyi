import datetime

from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class UploadArtifactRequest(_message.Message):
    __slots__ = ("chunk",)
    CHUNK_FIELD_NUMBER: _ClassVar[int]
    chunk: bytes
    def __init__(self, chunk: _Optional[bytes] = ...) -> None: ...

class UploadArtifactResponse(_message.Message):
    __slots__ = ("artifact_id", "size_bytes")
    ARTIFACT_ID_FIELD_NUMBER: _ClassVar[int]
    SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    artifact_id: str
    size_bytes: int
    def __init__(self, artifact_id: _Optional[str] = ..., size_bytes: _Optional[int] = ...) -> None: ...

class Code(_message.Message):
    __slots__ = ("zip_file", "artifact_id")
    ZIP_FILE_FIELD_NUMBER: _ClassVar[int]
    ARTIFACT_ID_FIELD_NUMBER: _ClassVar[int]
    zip_file: bytes
    artifact_id: str
    def __init__(self, zip_file: _Optional[bytes] = ..., artifact_id: _Optional[str] = ...) -> None: ...

class Environment(_message.Message):
    __slots__ = ("variables",)
    class VariablesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    VARIABLES_FIELD_NUMBER: _ClassVar[int]
    variables: _containers.ScalarMap[str, str]
    def __init__(self, variables: _Optional[_Mapping[str, str]] = ...) -> None: ...

class Layers(_message.Message):
    __slots__ = ("arns",)
    ARNS_FIELD_NUMBER: _ClassVar[int]
    arns: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, arns: _Optional[_Iterable[str]] = ...) -> None: ...

class Logging(_message.Message):
    __slots__ = ("format", "application_level", "system_level", "group")
    FORMAT_FIELD_NUMBER: _ClassVar[int]
    APPLICATION_LEVEL_FIELD_NUMBER: _ClassVar[int]
    SYSTEM_LEVEL_FIELD_NUMBER: _ClassVar[int]
    GROUP_FIELD_NUMBER: _ClassVar[int]
    format: str
    application_level: str
    system_level: str
    group: str
    def __init__(self, format: _Optional[str] = ..., application_level: _Optional[str] = ..., system_level: _Optional[str] = ..., group: _Optional[str] = ...) -> None: ...

class FunctionConfiguration(_message.Message):
    __slots__ = ("function_name", "function_arn", "version", "runtime", "handler", "role", "description", "timeout", "memory_size_mb", "ephemeral_storage_mb", "environment", "code_sha256", "code_size_bytes", "last_modified_time", "revision_id", "state", "architecture", "last_update_status", "state_reason", "last_update_status_reason", "layers", "tracing_mode", "logging", "snap_start_apply_on", "dead_letter_arn", "kms_key_arn", "network", "snap_start_optimised")
    FUNCTION_NAME_FIELD_NUMBER: _ClassVar[int]
    FUNCTION_ARN_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    RUNTIME_FIELD_NUMBER: _ClassVar[int]
    HANDLER_FIELD_NUMBER: _ClassVar[int]
    ROLE_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    TIMEOUT_FIELD_NUMBER: _ClassVar[int]
    MEMORY_SIZE_MB_FIELD_NUMBER: _ClassVar[int]
    EPHEMERAL_STORAGE_MB_FIELD_NUMBER: _ClassVar[int]
    ENVIRONMENT_FIELD_NUMBER: _ClassVar[int]
    CODE_SHA256_FIELD_NUMBER: _ClassVar[int]
    CODE_SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    LAST_MODIFIED_TIME_FIELD_NUMBER: _ClassVar[int]
    REVISION_ID_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    ARCHITECTURE_FIELD_NUMBER: _ClassVar[int]
    LAST_UPDATE_STATUS_FIELD_NUMBER: _ClassVar[int]
    STATE_REASON_FIELD_NUMBER: _ClassVar[int]
    LAST_UPDATE_STATUS_REASON_FIELD_NUMBER: _ClassVar[int]
    LAYERS_FIELD_NUMBER: _ClassVar[int]
    TRACING_MODE_FIELD_NUMBER: _ClassVar[int]
    LOGGING_FIELD_NUMBER: _ClassVar[int]
    SNAP_START_APPLY_ON_FIELD_NUMBER: _ClassVar[int]
    DEAD_LETTER_ARN_FIELD_NUMBER: _ClassVar[int]
    KMS_KEY_ARN_FIELD_NUMBER: _ClassVar[int]
    NETWORK_FIELD_NUMBER: _ClassVar[int]
    SNAP_START_OPTIMISED_FIELD_NUMBER: _ClassVar[int]
    function_name: str
    function_arn: str
    version: str
    runtime: str
    handler: str
    role: str
    description: str
    timeout: _duration_pb2.Duration
    memory_size_mb: int
    ephemeral_storage_mb: int
    environment: Environment
    code_sha256: str
    code_size_bytes: int
    last_modified_time: _timestamp_pb2.Timestamp
    revision_id: str
    state: str
    architecture: str
    last_update_status: str
    state_reason: str
    last_update_status_reason: str
    layers: Layers
    tracing_mode: str
    logging: Logging
    snap_start_apply_on: str
    dead_letter_arn: str
    kms_key_arn: str
    network: str
    snap_start_optimised: bool
    def __init__(self, function_name: _Optional[str] = ..., function_arn: _Optional[str] = ..., version: _Optional[str] = ..., runtime: _Optional[str] = ..., handler: _Optional[str] = ..., role: _Optional[str] = ..., description: _Optional[str] = ..., timeout: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., memory_size_mb: _Optional[int] = ..., ephemeral_storage_mb: _Optional[int] = ..., environment: _Optional[_Union[Environment, _Mapping]] = ..., code_sha256: _Optional[str] = ..., code_size_bytes: _Optional[int] = ..., last_modified_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., revision_id: _Optional[str] = ..., state: _Optional[str] = ..., architecture: _Optional[str] = ..., last_update_status: _Optional[str] = ..., state_reason: _Optional[str] = ..., last_update_status_reason: _Optional[str] = ..., layers: _Optional[_Union[Layers, _Mapping]] = ..., tracing_mode: _Optional[str] = ..., logging: _Optional[_Union[Logging, _Mapping]] = ..., snap_start_apply_on: _Optional[str] = ..., dead_letter_arn: _Optional[str] = ..., kms_key_arn: _Optional[str] = ..., network: _Optional[str] = ..., snap_start_optimised: _Optional[bool] = ...) -> None: ...

class CreateFunctionRequest(_message.Message):
    __slots__ = ("function_name", "runtime", "handler", "role", "code", "description", "timeout", "memory_size_mb", "ephemeral_storage_mb", "environment", "publish", "architecture", "layers", "tracing_mode", "logging", "snap_start_apply_on", "dead_letter_arn", "kms_key_arn", "network")
    FUNCTION_NAME_FIELD_NUMBER: _ClassVar[int]
    RUNTIME_FIELD_NUMBER: _ClassVar[int]
    HANDLER_FIELD_NUMBER: _ClassVar[int]
    ROLE_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    TIMEOUT_FIELD_NUMBER: _ClassVar[int]
    MEMORY_SIZE_MB_FIELD_NUMBER: _ClassVar[int]
    EPHEMERAL_STORAGE_MB_FIELD_NUMBER: _ClassVar[int]
    ENVIRONMENT_FIELD_NUMBER: _ClassVar[int]
    PUBLISH_FIELD_NUMBER: _ClassVar[int]
    ARCHITECTURE_FIELD_NUMBER: _ClassVar[int]
    LAYERS_FIELD_NUMBER: _ClassVar[int]
    TRACING_MODE_FIELD_NUMBER: _ClassVar[int]
    LOGGING_FIELD_NUMBER: _ClassVar[int]
    SNAP_START_APPLY_ON_FIELD_NUMBER: _ClassVar[int]
    DEAD_LETTER_ARN_FIELD_NUMBER: _ClassVar[int]
    KMS_KEY_ARN_FIELD_NUMBER: _ClassVar[int]
    NETWORK_FIELD_NUMBER: _ClassVar[int]
    function_name: str
    runtime: str
    handler: str
    role: str
    code: Code
    description: str
    timeout: _duration_pb2.Duration
    memory_size_mb: int
    ephemeral_storage_mb: int
    environment: Environment
    publish: bool
    architecture: str
    layers: Layers
    tracing_mode: str
    logging: Logging
    snap_start_apply_on: str
    dead_letter_arn: str
    kms_key_arn: str
    network: str
    def __init__(self, function_name: _Optional[str] = ..., runtime: _Optional[str] = ..., handler: _Optional[str] = ..., role: _Optional[str] = ..., code: _Optional[_Union[Code, _Mapping]] = ..., description: _Optional[str] = ..., timeout: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., memory_size_mb: _Optional[int] = ..., ephemeral_storage_mb: _Optional[int] = ..., environment: _Optional[_Union[Environment, _Mapping]] = ..., publish: _Optional[bool] = ..., architecture: _Optional[str] = ..., layers: _Optional[_Union[Layers, _Mapping]] = ..., tracing_mode: _Optional[str] = ..., logging: _Optional[_Union[Logging, _Mapping]] = ..., snap_start_apply_on: _Optional[str] = ..., dead_letter_arn: _Optional[str] = ..., kms_key_arn: _Optional[str] = ..., network: _Optional[str] = ...) -> None: ...

class CreateFunctionResponse(_message.Message):
    __slots__ = ("configuration",)
    CONFIGURATION_FIELD_NUMBER: _ClassVar[int]
    configuration: FunctionConfiguration
    def __init__(self, configuration: _Optional[_Union[FunctionConfiguration, _Mapping]] = ...) -> None: ...

class GetFunctionRequest(_message.Message):
    __slots__ = ("function_name", "qualifier")
    FUNCTION_NAME_FIELD_NUMBER: _ClassVar[int]
    QUALIFIER_FIELD_NUMBER: _ClassVar[int]
    function_name: str
    qualifier: str
    def __init__(self, function_name: _Optional[str] = ..., qualifier: _Optional[str] = ...) -> None: ...

class GetFunctionResponse(_message.Message):
    __slots__ = ("configuration", "artifact_id")
    CONFIGURATION_FIELD_NUMBER: _ClassVar[int]
    ARTIFACT_ID_FIELD_NUMBER: _ClassVar[int]
    configuration: FunctionConfiguration
    artifact_id: str
    def __init__(self, configuration: _Optional[_Union[FunctionConfiguration, _Mapping]] = ..., artifact_id: _Optional[str] = ...) -> None: ...

class ListFunctionsRequest(_message.Message):
    __slots__ = ("marker", "max_items")
    MARKER_FIELD_NUMBER: _ClassVar[int]
    MAX_ITEMS_FIELD_NUMBER: _ClassVar[int]
    marker: str
    max_items: int
    def __init__(self, marker: _Optional[str] = ..., max_items: _Optional[int] = ...) -> None: ...

class ListFunctionsResponse(_message.Message):
    __slots__ = ("functions", "next_marker")
    FUNCTIONS_FIELD_NUMBER: _ClassVar[int]
    NEXT_MARKER_FIELD_NUMBER: _ClassVar[int]
    functions: _containers.RepeatedCompositeFieldContainer[FunctionConfiguration]
    next_marker: str
    def __init__(self, functions: _Optional[_Iterable[_Union[FunctionConfiguration, _Mapping]]] = ..., next_marker: _Optional[str] = ...) -> None: ...

class UpdateFunctionCodeRequest(_message.Message):
    __slots__ = ("function_name", "code", "publish", "dry_run", "revision_id", "architecture")
    FUNCTION_NAME_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    PUBLISH_FIELD_NUMBER: _ClassVar[int]
    DRY_RUN_FIELD_NUMBER: _ClassVar[int]
    REVISION_ID_FIELD_NUMBER: _ClassVar[int]
    ARCHITECTURE_FIELD_NUMBER: _ClassVar[int]
    function_name: str
    code: Code
    publish: bool
    dry_run: bool
    revision_id: str
    architecture: str
    def __init__(self, function_name: _Optional[str] = ..., code: _Optional[_Union[Code, _Mapping]] = ..., publish: _Optional[bool] = ..., dry_run: _Optional[bool] = ..., revision_id: _Optional[str] = ..., architecture: _Optional[str] = ...) -> None: ...

class UpdateFunctionCodeResponse(_message.Message):
    __slots__ = ("configuration",)
    CONFIGURATION_FIELD_NUMBER: _ClassVar[int]
    configuration: FunctionConfiguration
    def __init__(self, configuration: _Optional[_Union[FunctionConfiguration, _Mapping]] = ...) -> None: ...

class UpdateFunctionConfigurationRequest(_message.Message):
    __slots__ = ("function_name", "runtime", "handler", "role", "description", "timeout", "memory_size_mb", "ephemeral_storage_mb", "environment", "revision_id", "layers", "tracing_mode", "logging", "snap_start_apply_on", "dead_letter_arn", "kms_key_arn", "network")
    FUNCTION_NAME_FIELD_NUMBER: _ClassVar[int]
    RUNTIME_FIELD_NUMBER: _ClassVar[int]
    HANDLER_FIELD_NUMBER: _ClassVar[int]
    ROLE_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    TIMEOUT_FIELD_NUMBER: _ClassVar[int]
    MEMORY_SIZE_MB_FIELD_NUMBER: _ClassVar[int]
    EPHEMERAL_STORAGE_MB_FIELD_NUMBER: _ClassVar[int]
    ENVIRONMENT_FIELD_NUMBER: _ClassVar[int]
    REVISION_ID_FIELD_NUMBER: _ClassVar[int]
    LAYERS_FIELD_NUMBER: _ClassVar[int]
    TRACING_MODE_FIELD_NUMBER: _ClassVar[int]
    LOGGING_FIELD_NUMBER: _ClassVar[int]
    SNAP_START_APPLY_ON_FIELD_NUMBER: _ClassVar[int]
    DEAD_LETTER_ARN_FIELD_NUMBER: _ClassVar[int]
    KMS_KEY_ARN_FIELD_NUMBER: _ClassVar[int]
    NETWORK_FIELD_NUMBER: _ClassVar[int]
    function_name: str
    runtime: str
    handler: str
    role: str
    description: str
    timeout: _duration_pb2.Duration
    memory_size_mb: int
    ephemeral_storage_mb: int
    environment: Environment
    revision_id: str
    layers: Layers
    tracing_mode: str
    logging: Logging
    snap_start_apply_on: str
    dead_letter_arn: str
    kms_key_arn: str
    network: str
    def __init__(self, function_name: _Optional[str] = ..., runtime: _Optional[str] = ..., handler: _Optional[str] = ..., role: _Optional[str] = ..., description: _Optional[str] = ..., timeout: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., memory_size_mb: _Optional[int] = ..., ephemeral_storage_mb: _Optional[int] = ..., environment: _Optional[_Union[Environment, _Mapping]] = ..., revision_id: _Optional[str] = ..., layers: _Optional[_Union[Layers, _Mapping]] = ..., tracing_mode: _Optional[str] = ..., logging: _Optional[_Union[Logging, _Mapping]] = ..., snap_start_apply_on: _Optional[str] = ..., dead_letter_arn: _Optional[str] = ..., kms_key_arn: _Optional[str] = ..., network: _Optional[str] = ...) -> None: ...

class UpdateFunctionConfigurationResponse(_message.Message):
    __slots__ = ("configuration",)
    CONFIGURATION_FIELD_NUMBER: _ClassVar[int]
    configuration: FunctionConfiguration
    def __init__(self, configuration: _Optional[_Union[FunctionConfiguration, _Mapping]] = ...) -> None: ...

class DeleteFunctionRequest(_message.Message):
    __slots__ = ("function_name", "qualifier")
    FUNCTION_NAME_FIELD_NUMBER: _ClassVar[int]
    QUALIFIER_FIELD_NUMBER: _ClassVar[int]
    function_name: str
    qualifier: str
    def __init__(self, function_name: _Optional[str] = ..., qualifier: _Optional[str] = ...) -> None: ...

class DeleteFunctionResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class PublishVersionRequest(_message.Message):
    __slots__ = ("function_name", "description", "code_sha256", "revision_id")
    FUNCTION_NAME_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    CODE_SHA256_FIELD_NUMBER: _ClassVar[int]
    REVISION_ID_FIELD_NUMBER: _ClassVar[int]
    function_name: str
    description: str
    code_sha256: str
    revision_id: str
    def __init__(self, function_name: _Optional[str] = ..., description: _Optional[str] = ..., code_sha256: _Optional[str] = ..., revision_id: _Optional[str] = ...) -> None: ...

class PublishVersionResponse(_message.Message):
    __slots__ = ("configuration",)
    CONFIGURATION_FIELD_NUMBER: _ClassVar[int]
    configuration: FunctionConfiguration
    def __init__(self, configuration: _Optional[_Union[FunctionConfiguration, _Mapping]] = ...) -> None: ...

class ListVersionsByFunctionRequest(_message.Message):
    __slots__ = ("function_name", "marker", "max_items")
    FUNCTION_NAME_FIELD_NUMBER: _ClassVar[int]
    MARKER_FIELD_NUMBER: _ClassVar[int]
    MAX_ITEMS_FIELD_NUMBER: _ClassVar[int]
    function_name: str
    marker: str
    max_items: int
    def __init__(self, function_name: _Optional[str] = ..., marker: _Optional[str] = ..., max_items: _Optional[int] = ...) -> None: ...

class ListVersionsByFunctionResponse(_message.Message):
    __slots__ = ("versions", "next_marker")
    VERSIONS_FIELD_NUMBER: _ClassVar[int]
    NEXT_MARKER_FIELD_NUMBER: _ClassVar[int]
    versions: _containers.RepeatedCompositeFieldContainer[FunctionConfiguration]
    next_marker: str
    def __init__(self, versions: _Optional[_Iterable[_Union[FunctionConfiguration, _Mapping]]] = ..., next_marker: _Optional[str] = ...) -> None: ...

class AliasConfiguration(_message.Message):
    __slots__ = ("alias_arn", "name", "function_version", "description", "additional_version_weights", "revision_id")
    class AdditionalVersionWeightsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: float
        def __init__(self, key: _Optional[str] = ..., value: _Optional[float] = ...) -> None: ...
    ALIAS_ARN_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    FUNCTION_VERSION_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    ADDITIONAL_VERSION_WEIGHTS_FIELD_NUMBER: _ClassVar[int]
    REVISION_ID_FIELD_NUMBER: _ClassVar[int]
    alias_arn: str
    name: str
    function_version: str
    description: str
    additional_version_weights: _containers.ScalarMap[str, float]
    revision_id: str
    def __init__(self, alias_arn: _Optional[str] = ..., name: _Optional[str] = ..., function_version: _Optional[str] = ..., description: _Optional[str] = ..., additional_version_weights: _Optional[_Mapping[str, float]] = ..., revision_id: _Optional[str] = ...) -> None: ...

class RoutingConfiguration(_message.Message):
    __slots__ = ("additional_version_weights",)
    class AdditionalVersionWeightsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: float
        def __init__(self, key: _Optional[str] = ..., value: _Optional[float] = ...) -> None: ...
    ADDITIONAL_VERSION_WEIGHTS_FIELD_NUMBER: _ClassVar[int]
    additional_version_weights: _containers.ScalarMap[str, float]
    def __init__(self, additional_version_weights: _Optional[_Mapping[str, float]] = ...) -> None: ...

class CreateAliasRequest(_message.Message):
    __slots__ = ("function_name", "name", "function_version", "description", "routing_config")
    FUNCTION_NAME_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    FUNCTION_VERSION_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    ROUTING_CONFIG_FIELD_NUMBER: _ClassVar[int]
    function_name: str
    name: str
    function_version: str
    description: str
    routing_config: RoutingConfiguration
    def __init__(self, function_name: _Optional[str] = ..., name: _Optional[str] = ..., function_version: _Optional[str] = ..., description: _Optional[str] = ..., routing_config: _Optional[_Union[RoutingConfiguration, _Mapping]] = ...) -> None: ...

class CreateAliasResponse(_message.Message):
    __slots__ = ("alias",)
    ALIAS_FIELD_NUMBER: _ClassVar[int]
    alias: AliasConfiguration
    def __init__(self, alias: _Optional[_Union[AliasConfiguration, _Mapping]] = ...) -> None: ...

class GetAliasRequest(_message.Message):
    __slots__ = ("function_name", "name")
    FUNCTION_NAME_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    function_name: str
    name: str
    def __init__(self, function_name: _Optional[str] = ..., name: _Optional[str] = ...) -> None: ...

class GetAliasResponse(_message.Message):
    __slots__ = ("alias",)
    ALIAS_FIELD_NUMBER: _ClassVar[int]
    alias: AliasConfiguration
    def __init__(self, alias: _Optional[_Union[AliasConfiguration, _Mapping]] = ...) -> None: ...

class ListAliasesRequest(_message.Message):
    __slots__ = ("function_name", "function_version", "marker", "max_items")
    FUNCTION_NAME_FIELD_NUMBER: _ClassVar[int]
    FUNCTION_VERSION_FIELD_NUMBER: _ClassVar[int]
    MARKER_FIELD_NUMBER: _ClassVar[int]
    MAX_ITEMS_FIELD_NUMBER: _ClassVar[int]
    function_name: str
    function_version: str
    marker: str
    max_items: int
    def __init__(self, function_name: _Optional[str] = ..., function_version: _Optional[str] = ..., marker: _Optional[str] = ..., max_items: _Optional[int] = ...) -> None: ...

class ListAliasesResponse(_message.Message):
    __slots__ = ("aliases", "next_marker")
    ALIASES_FIELD_NUMBER: _ClassVar[int]
    NEXT_MARKER_FIELD_NUMBER: _ClassVar[int]
    aliases: _containers.RepeatedCompositeFieldContainer[AliasConfiguration]
    next_marker: str
    def __init__(self, aliases: _Optional[_Iterable[_Union[AliasConfiguration, _Mapping]]] = ..., next_marker: _Optional[str] = ...) -> None: ...

class UpdateAliasRequest(_message.Message):
    __slots__ = ("function_name", "name", "function_version", "description", "routing_config", "revision_id")
    FUNCTION_NAME_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    FUNCTION_VERSION_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    ROUTING_CONFIG_FIELD_NUMBER: _ClassVar[int]
    REVISION_ID_FIELD_NUMBER: _ClassVar[int]
    function_name: str
    name: str
    function_version: str
    description: str
    routing_config: RoutingConfiguration
    revision_id: str
    def __init__(self, function_name: _Optional[str] = ..., name: _Optional[str] = ..., function_version: _Optional[str] = ..., description: _Optional[str] = ..., routing_config: _Optional[_Union[RoutingConfiguration, _Mapping]] = ..., revision_id: _Optional[str] = ...) -> None: ...

class UpdateAliasResponse(_message.Message):
    __slots__ = ("alias",)
    ALIAS_FIELD_NUMBER: _ClassVar[int]
    alias: AliasConfiguration
    def __init__(self, alias: _Optional[_Union[AliasConfiguration, _Mapping]] = ...) -> None: ...

class DeleteAliasRequest(_message.Message):
    __slots__ = ("function_name", "name")
    FUNCTION_NAME_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    function_name: str
    name: str
    def __init__(self, function_name: _Optional[str] = ..., name: _Optional[str] = ...) -> None: ...

class DeleteAliasResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...
