import datetime

from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class AddLayerVersionPermissionRequest(_message.Message):
    __slots__ = ("layer_name", "version_number", "statement_id", "action", "principal", "organization_id", "revision_id")
    LAYER_NAME_FIELD_NUMBER: _ClassVar[int]
    VERSION_NUMBER_FIELD_NUMBER: _ClassVar[int]
    STATEMENT_ID_FIELD_NUMBER: _ClassVar[int]
    ACTION_FIELD_NUMBER: _ClassVar[int]
    PRINCIPAL_FIELD_NUMBER: _ClassVar[int]
    ORGANIZATION_ID_FIELD_NUMBER: _ClassVar[int]
    REVISION_ID_FIELD_NUMBER: _ClassVar[int]
    layer_name: str
    version_number: int
    statement_id: str
    action: str
    principal: str
    organization_id: str
    revision_id: str
    def __init__(self, layer_name: _Optional[str] = ..., version_number: _Optional[int] = ..., statement_id: _Optional[str] = ..., action: _Optional[str] = ..., principal: _Optional[str] = ..., organization_id: _Optional[str] = ..., revision_id: _Optional[str] = ...) -> None: ...

class AddLayerVersionPermissionResponse(_message.Message):
    __slots__ = ("statement", "revision_id")
    STATEMENT_FIELD_NUMBER: _ClassVar[int]
    REVISION_ID_FIELD_NUMBER: _ClassVar[int]
    statement: str
    revision_id: str
    def __init__(self, statement: _Optional[str] = ..., revision_id: _Optional[str] = ...) -> None: ...

class AddPermissionRequest(_message.Message):
    __slots__ = ("function_name", "statement_id", "action", "principal", "source_arn", "function_url_auth_type", "invoked_via_function_url", "source_account", "event_source_token", "qualifier", "revision_id", "principal_org_id")
    FUNCTION_NAME_FIELD_NUMBER: _ClassVar[int]
    STATEMENT_ID_FIELD_NUMBER: _ClassVar[int]
    ACTION_FIELD_NUMBER: _ClassVar[int]
    PRINCIPAL_FIELD_NUMBER: _ClassVar[int]
    SOURCE_ARN_FIELD_NUMBER: _ClassVar[int]
    FUNCTION_URL_AUTH_TYPE_FIELD_NUMBER: _ClassVar[int]
    INVOKED_VIA_FUNCTION_URL_FIELD_NUMBER: _ClassVar[int]
    SOURCE_ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    EVENT_SOURCE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    QUALIFIER_FIELD_NUMBER: _ClassVar[int]
    REVISION_ID_FIELD_NUMBER: _ClassVar[int]
    PRINCIPAL_ORG_ID_FIELD_NUMBER: _ClassVar[int]
    function_name: str
    statement_id: str
    action: str
    principal: str
    source_arn: str
    function_url_auth_type: str
    invoked_via_function_url: bool
    source_account: str
    event_source_token: str
    qualifier: str
    revision_id: str
    principal_org_id: str
    def __init__(self, function_name: _Optional[str] = ..., statement_id: _Optional[str] = ..., action: _Optional[str] = ..., principal: _Optional[str] = ..., source_arn: _Optional[str] = ..., function_url_auth_type: _Optional[str] = ..., invoked_via_function_url: _Optional[bool] = ..., source_account: _Optional[str] = ..., event_source_token: _Optional[str] = ..., qualifier: _Optional[str] = ..., revision_id: _Optional[str] = ..., principal_org_id: _Optional[str] = ...) -> None: ...

class AddPermissionResponse(_message.Message):
    __slots__ = ("statement",)
    STATEMENT_FIELD_NUMBER: _ClassVar[int]
    statement: str
    def __init__(self, statement: _Optional[str] = ...) -> None: ...

class CreateCodeSigningConfigRequest(_message.Message):
    __slots__ = ("description", "allowed_publishers", "code_signing_policies", "tags")
    class TagsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    ALLOWED_PUBLISHERS_FIELD_NUMBER: _ClassVar[int]
    CODE_SIGNING_POLICIES_FIELD_NUMBER: _ClassVar[int]
    TAGS_FIELD_NUMBER: _ClassVar[int]
    description: str
    allowed_publishers: AllowedPublishers
    code_signing_policies: CodeSigningPolicies
    tags: _containers.ScalarMap[str, str]
    def __init__(self, description: _Optional[str] = ..., allowed_publishers: _Optional[_Union[AllowedPublishers, _Mapping]] = ..., code_signing_policies: _Optional[_Union[CodeSigningPolicies, _Mapping]] = ..., tags: _Optional[_Mapping[str, str]] = ...) -> None: ...

class AllowedPublishers(_message.Message):
    __slots__ = ("signing_profile_version_arns",)
    SIGNING_PROFILE_VERSION_ARNS_FIELD_NUMBER: _ClassVar[int]
    signing_profile_version_arns: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, signing_profile_version_arns: _Optional[_Iterable[str]] = ...) -> None: ...

class CodeSigningPolicies(_message.Message):
    __slots__ = ("untrusted_artifact_on_deployment",)
    UNTRUSTED_ARTIFACT_ON_DEPLOYMENT_FIELD_NUMBER: _ClassVar[int]
    untrusted_artifact_on_deployment: str
    def __init__(self, untrusted_artifact_on_deployment: _Optional[str] = ...) -> None: ...

class CreateCodeSigningConfigResponse(_message.Message):
    __slots__ = ("code_signing_config",)
    CODE_SIGNING_CONFIG_FIELD_NUMBER: _ClassVar[int]
    code_signing_config: CodeSigningConfig
    def __init__(self, code_signing_config: _Optional[_Union[CodeSigningConfig, _Mapping]] = ...) -> None: ...

class CodeSigningConfig(_message.Message):
    __slots__ = ("code_signing_config_id", "code_signing_config_arn", "description", "allowed_publishers", "code_signing_policies", "last_modified")
    CODE_SIGNING_CONFIG_ID_FIELD_NUMBER: _ClassVar[int]
    CODE_SIGNING_CONFIG_ARN_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    ALLOWED_PUBLISHERS_FIELD_NUMBER: _ClassVar[int]
    CODE_SIGNING_POLICIES_FIELD_NUMBER: _ClassVar[int]
    LAST_MODIFIED_FIELD_NUMBER: _ClassVar[int]
    code_signing_config_id: str
    code_signing_config_arn: str
    description: str
    allowed_publishers: AllowedPublishers
    code_signing_policies: CodeSigningPolicies
    last_modified: str
    def __init__(self, code_signing_config_id: _Optional[str] = ..., code_signing_config_arn: _Optional[str] = ..., description: _Optional[str] = ..., allowed_publishers: _Optional[_Union[AllowedPublishers, _Mapping]] = ..., code_signing_policies: _Optional[_Union[CodeSigningPolicies, _Mapping]] = ..., last_modified: _Optional[str] = ...) -> None: ...

class CreateFunctionUrlConfigRequest(_message.Message):
    __slots__ = ("function_name", "qualifier", "auth_type", "cors", "invoke_mode")
    FUNCTION_NAME_FIELD_NUMBER: _ClassVar[int]
    QUALIFIER_FIELD_NUMBER: _ClassVar[int]
    AUTH_TYPE_FIELD_NUMBER: _ClassVar[int]
    CORS_FIELD_NUMBER: _ClassVar[int]
    INVOKE_MODE_FIELD_NUMBER: _ClassVar[int]
    function_name: str
    qualifier: str
    auth_type: str
    cors: Cors
    invoke_mode: str
    def __init__(self, function_name: _Optional[str] = ..., qualifier: _Optional[str] = ..., auth_type: _Optional[str] = ..., cors: _Optional[_Union[Cors, _Mapping]] = ..., invoke_mode: _Optional[str] = ...) -> None: ...

class Cors(_message.Message):
    __slots__ = ("allow_credentials", "allow_headers", "allow_methods", "allow_origins", "expose_headers", "max_age")
    ALLOW_CREDENTIALS_FIELD_NUMBER: _ClassVar[int]
    ALLOW_HEADERS_FIELD_NUMBER: _ClassVar[int]
    ALLOW_METHODS_FIELD_NUMBER: _ClassVar[int]
    ALLOW_ORIGINS_FIELD_NUMBER: _ClassVar[int]
    EXPOSE_HEADERS_FIELD_NUMBER: _ClassVar[int]
    MAX_AGE_FIELD_NUMBER: _ClassVar[int]
    allow_credentials: bool
    allow_headers: _containers.RepeatedScalarFieldContainer[str]
    allow_methods: _containers.RepeatedScalarFieldContainer[str]
    allow_origins: _containers.RepeatedScalarFieldContainer[str]
    expose_headers: _containers.RepeatedScalarFieldContainer[str]
    max_age: int
    def __init__(self, allow_credentials: _Optional[bool] = ..., allow_headers: _Optional[_Iterable[str]] = ..., allow_methods: _Optional[_Iterable[str]] = ..., allow_origins: _Optional[_Iterable[str]] = ..., expose_headers: _Optional[_Iterable[str]] = ..., max_age: _Optional[int] = ...) -> None: ...

class CreateFunctionUrlConfigResponse(_message.Message):
    __slots__ = ("function_url", "function_arn", "auth_type", "cors", "creation_time", "invoke_mode")
    FUNCTION_URL_FIELD_NUMBER: _ClassVar[int]
    FUNCTION_ARN_FIELD_NUMBER: _ClassVar[int]
    AUTH_TYPE_FIELD_NUMBER: _ClassVar[int]
    CORS_FIELD_NUMBER: _ClassVar[int]
    CREATION_TIME_FIELD_NUMBER: _ClassVar[int]
    INVOKE_MODE_FIELD_NUMBER: _ClassVar[int]
    function_url: str
    function_arn: str
    auth_type: str
    cors: Cors
    creation_time: str
    invoke_mode: str
    def __init__(self, function_url: _Optional[str] = ..., function_arn: _Optional[str] = ..., auth_type: _Optional[str] = ..., cors: _Optional[_Union[Cors, _Mapping]] = ..., creation_time: _Optional[str] = ..., invoke_mode: _Optional[str] = ...) -> None: ...

class DeleteCodeSigningConfigRequest(_message.Message):
    __slots__ = ("code_signing_config_arn",)
    CODE_SIGNING_CONFIG_ARN_FIELD_NUMBER: _ClassVar[int]
    code_signing_config_arn: str
    def __init__(self, code_signing_config_arn: _Optional[str] = ...) -> None: ...

class DeleteCodeSigningConfigResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class DeleteFunctionCodeSigningConfigRequest(_message.Message):
    __slots__ = ("function_name",)
    FUNCTION_NAME_FIELD_NUMBER: _ClassVar[int]
    function_name: str
    def __init__(self, function_name: _Optional[str] = ...) -> None: ...

class DeleteFunctionCodeSigningConfigResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class DeleteFunctionConcurrencyRequest(_message.Message):
    __slots__ = ("function_name",)
    FUNCTION_NAME_FIELD_NUMBER: _ClassVar[int]
    function_name: str
    def __init__(self, function_name: _Optional[str] = ...) -> None: ...

class DeleteFunctionConcurrencyResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class DeleteFunctionEventInvokeConfigRequest(_message.Message):
    __slots__ = ("function_name", "qualifier")
    FUNCTION_NAME_FIELD_NUMBER: _ClassVar[int]
    QUALIFIER_FIELD_NUMBER: _ClassVar[int]
    function_name: str
    qualifier: str
    def __init__(self, function_name: _Optional[str] = ..., qualifier: _Optional[str] = ...) -> None: ...

class DeleteFunctionEventInvokeConfigResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class DeleteFunctionUrlConfigRequest(_message.Message):
    __slots__ = ("function_name", "qualifier")
    FUNCTION_NAME_FIELD_NUMBER: _ClassVar[int]
    QUALIFIER_FIELD_NUMBER: _ClassVar[int]
    function_name: str
    qualifier: str
    def __init__(self, function_name: _Optional[str] = ..., qualifier: _Optional[str] = ...) -> None: ...

class DeleteFunctionUrlConfigResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class DeleteProvisionedConcurrencyConfigRequest(_message.Message):
    __slots__ = ("function_name", "qualifier")
    FUNCTION_NAME_FIELD_NUMBER: _ClassVar[int]
    QUALIFIER_FIELD_NUMBER: _ClassVar[int]
    function_name: str
    qualifier: str
    def __init__(self, function_name: _Optional[str] = ..., qualifier: _Optional[str] = ...) -> None: ...

class DeleteProvisionedConcurrencyConfigResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class DeleteResourcePolicyRequest(_message.Message):
    __slots__ = ("resource_arn", "revision_id")
    RESOURCE_ARN_FIELD_NUMBER: _ClassVar[int]
    REVISION_ID_FIELD_NUMBER: _ClassVar[int]
    resource_arn: str
    revision_id: str
    def __init__(self, resource_arn: _Optional[str] = ..., revision_id: _Optional[str] = ...) -> None: ...

class DeleteResourcePolicyResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetAccountSettingsRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetAccountSettingsResponse(_message.Message):
    __slots__ = ("account_limit", "account_usage")
    ACCOUNT_LIMIT_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_USAGE_FIELD_NUMBER: _ClassVar[int]
    account_limit: AccountLimit
    account_usage: AccountUsage
    def __init__(self, account_limit: _Optional[_Union[AccountLimit, _Mapping]] = ..., account_usage: _Optional[_Union[AccountUsage, _Mapping]] = ...) -> None: ...

class AccountLimit(_message.Message):
    __slots__ = ("total_code_size", "code_size_unzipped", "code_size_zipped", "concurrent_executions", "unreserved_concurrent_executions")
    TOTAL_CODE_SIZE_FIELD_NUMBER: _ClassVar[int]
    CODE_SIZE_UNZIPPED_FIELD_NUMBER: _ClassVar[int]
    CODE_SIZE_ZIPPED_FIELD_NUMBER: _ClassVar[int]
    CONCURRENT_EXECUTIONS_FIELD_NUMBER: _ClassVar[int]
    UNRESERVED_CONCURRENT_EXECUTIONS_FIELD_NUMBER: _ClassVar[int]
    total_code_size: int
    code_size_unzipped: int
    code_size_zipped: int
    concurrent_executions: int
    unreserved_concurrent_executions: int
    def __init__(self, total_code_size: _Optional[int] = ..., code_size_unzipped: _Optional[int] = ..., code_size_zipped: _Optional[int] = ..., concurrent_executions: _Optional[int] = ..., unreserved_concurrent_executions: _Optional[int] = ...) -> None: ...

class AccountUsage(_message.Message):
    __slots__ = ("total_code_size", "function_count")
    TOTAL_CODE_SIZE_FIELD_NUMBER: _ClassVar[int]
    FUNCTION_COUNT_FIELD_NUMBER: _ClassVar[int]
    total_code_size: int
    function_count: int
    def __init__(self, total_code_size: _Optional[int] = ..., function_count: _Optional[int] = ...) -> None: ...

class GetCodeSigningConfigRequest(_message.Message):
    __slots__ = ("code_signing_config_arn",)
    CODE_SIGNING_CONFIG_ARN_FIELD_NUMBER: _ClassVar[int]
    code_signing_config_arn: str
    def __init__(self, code_signing_config_arn: _Optional[str] = ...) -> None: ...

class GetCodeSigningConfigResponse(_message.Message):
    __slots__ = ("code_signing_config",)
    CODE_SIGNING_CONFIG_FIELD_NUMBER: _ClassVar[int]
    code_signing_config: CodeSigningConfig
    def __init__(self, code_signing_config: _Optional[_Union[CodeSigningConfig, _Mapping]] = ...) -> None: ...

class GetFunctionCodeSigningConfigRequest(_message.Message):
    __slots__ = ("function_name",)
    FUNCTION_NAME_FIELD_NUMBER: _ClassVar[int]
    function_name: str
    def __init__(self, function_name: _Optional[str] = ...) -> None: ...

class GetFunctionCodeSigningConfigResponse(_message.Message):
    __slots__ = ("code_signing_config_arn", "function_name")
    CODE_SIGNING_CONFIG_ARN_FIELD_NUMBER: _ClassVar[int]
    FUNCTION_NAME_FIELD_NUMBER: _ClassVar[int]
    code_signing_config_arn: str
    function_name: str
    def __init__(self, code_signing_config_arn: _Optional[str] = ..., function_name: _Optional[str] = ...) -> None: ...

class GetFunctionConcurrencyRequest(_message.Message):
    __slots__ = ("function_name",)
    FUNCTION_NAME_FIELD_NUMBER: _ClassVar[int]
    function_name: str
    def __init__(self, function_name: _Optional[str] = ...) -> None: ...

class GetFunctionConcurrencyResponse(_message.Message):
    __slots__ = ("reserved_concurrent_executions",)
    RESERVED_CONCURRENT_EXECUTIONS_FIELD_NUMBER: _ClassVar[int]
    reserved_concurrent_executions: int
    def __init__(self, reserved_concurrent_executions: _Optional[int] = ...) -> None: ...

class GetFunctionEventInvokeConfigRequest(_message.Message):
    __slots__ = ("function_name", "qualifier")
    FUNCTION_NAME_FIELD_NUMBER: _ClassVar[int]
    QUALIFIER_FIELD_NUMBER: _ClassVar[int]
    function_name: str
    qualifier: str
    def __init__(self, function_name: _Optional[str] = ..., qualifier: _Optional[str] = ...) -> None: ...

class GetFunctionEventInvokeConfigResponse(_message.Message):
    __slots__ = ("last_modified", "function_arn", "maximum_retry_attempts", "maximum_event_age", "destination_config")
    LAST_MODIFIED_FIELD_NUMBER: _ClassVar[int]
    FUNCTION_ARN_FIELD_NUMBER: _ClassVar[int]
    MAXIMUM_RETRY_ATTEMPTS_FIELD_NUMBER: _ClassVar[int]
    MAXIMUM_EVENT_AGE_FIELD_NUMBER: _ClassVar[int]
    DESTINATION_CONFIG_FIELD_NUMBER: _ClassVar[int]
    last_modified: _timestamp_pb2.Timestamp
    function_arn: str
    maximum_retry_attempts: int
    maximum_event_age: _duration_pb2.Duration
    destination_config: DestinationConfig
    def __init__(self, last_modified: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., function_arn: _Optional[str] = ..., maximum_retry_attempts: _Optional[int] = ..., maximum_event_age: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., destination_config: _Optional[_Union[DestinationConfig, _Mapping]] = ...) -> None: ...

class DestinationConfig(_message.Message):
    __slots__ = ("on_success", "on_failure")
    ON_SUCCESS_FIELD_NUMBER: _ClassVar[int]
    ON_FAILURE_FIELD_NUMBER: _ClassVar[int]
    on_success: OnSuccess
    on_failure: OnFailure
    def __init__(self, on_success: _Optional[_Union[OnSuccess, _Mapping]] = ..., on_failure: _Optional[_Union[OnFailure, _Mapping]] = ...) -> None: ...

class OnSuccess(_message.Message):
    __slots__ = ("destination",)
    DESTINATION_FIELD_NUMBER: _ClassVar[int]
    destination: str
    def __init__(self, destination: _Optional[str] = ...) -> None: ...

class OnFailure(_message.Message):
    __slots__ = ("destination",)
    DESTINATION_FIELD_NUMBER: _ClassVar[int]
    destination: str
    def __init__(self, destination: _Optional[str] = ...) -> None: ...

class GetFunctionRecursionConfigRequest(_message.Message):
    __slots__ = ("function_name",)
    FUNCTION_NAME_FIELD_NUMBER: _ClassVar[int]
    function_name: str
    def __init__(self, function_name: _Optional[str] = ...) -> None: ...

class GetFunctionRecursionConfigResponse(_message.Message):
    __slots__ = ("recursive_loop",)
    RECURSIVE_LOOP_FIELD_NUMBER: _ClassVar[int]
    recursive_loop: str
    def __init__(self, recursive_loop: _Optional[str] = ...) -> None: ...

class GetFunctionScalingConfigRequest(_message.Message):
    __slots__ = ("function_name", "qualifier")
    FUNCTION_NAME_FIELD_NUMBER: _ClassVar[int]
    QUALIFIER_FIELD_NUMBER: _ClassVar[int]
    function_name: str
    qualifier: str
    def __init__(self, function_name: _Optional[str] = ..., qualifier: _Optional[str] = ...) -> None: ...

class GetFunctionScalingConfigResponse(_message.Message):
    __slots__ = ("function_arn", "applied_function_scaling_config", "requested_function_scaling_config")
    FUNCTION_ARN_FIELD_NUMBER: _ClassVar[int]
    APPLIED_FUNCTION_SCALING_CONFIG_FIELD_NUMBER: _ClassVar[int]
    REQUESTED_FUNCTION_SCALING_CONFIG_FIELD_NUMBER: _ClassVar[int]
    function_arn: str
    applied_function_scaling_config: FunctionScalingConfig
    requested_function_scaling_config: FunctionScalingConfig
    def __init__(self, function_arn: _Optional[str] = ..., applied_function_scaling_config: _Optional[_Union[FunctionScalingConfig, _Mapping]] = ..., requested_function_scaling_config: _Optional[_Union[FunctionScalingConfig, _Mapping]] = ...) -> None: ...

class FunctionScalingConfig(_message.Message):
    __slots__ = ("min_execution_environments", "max_execution_environments")
    MIN_EXECUTION_ENVIRONMENTS_FIELD_NUMBER: _ClassVar[int]
    MAX_EXECUTION_ENVIRONMENTS_FIELD_NUMBER: _ClassVar[int]
    min_execution_environments: int
    max_execution_environments: int
    def __init__(self, min_execution_environments: _Optional[int] = ..., max_execution_environments: _Optional[int] = ...) -> None: ...

class GetFunctionUrlConfigRequest(_message.Message):
    __slots__ = ("function_name", "qualifier")
    FUNCTION_NAME_FIELD_NUMBER: _ClassVar[int]
    QUALIFIER_FIELD_NUMBER: _ClassVar[int]
    function_name: str
    qualifier: str
    def __init__(self, function_name: _Optional[str] = ..., qualifier: _Optional[str] = ...) -> None: ...

class GetFunctionUrlConfigResponse(_message.Message):
    __slots__ = ("function_url", "function_arn", "auth_type", "cors", "creation_time", "last_modified_time", "invoke_mode")
    FUNCTION_URL_FIELD_NUMBER: _ClassVar[int]
    FUNCTION_ARN_FIELD_NUMBER: _ClassVar[int]
    AUTH_TYPE_FIELD_NUMBER: _ClassVar[int]
    CORS_FIELD_NUMBER: _ClassVar[int]
    CREATION_TIME_FIELD_NUMBER: _ClassVar[int]
    LAST_MODIFIED_TIME_FIELD_NUMBER: _ClassVar[int]
    INVOKE_MODE_FIELD_NUMBER: _ClassVar[int]
    function_url: str
    function_arn: str
    auth_type: str
    cors: Cors
    creation_time: str
    last_modified_time: str
    invoke_mode: str
    def __init__(self, function_url: _Optional[str] = ..., function_arn: _Optional[str] = ..., auth_type: _Optional[str] = ..., cors: _Optional[_Union[Cors, _Mapping]] = ..., creation_time: _Optional[str] = ..., last_modified_time: _Optional[str] = ..., invoke_mode: _Optional[str] = ...) -> None: ...

class GetLayerVersionRequest(_message.Message):
    __slots__ = ("layer_name", "version_number")
    LAYER_NAME_FIELD_NUMBER: _ClassVar[int]
    VERSION_NUMBER_FIELD_NUMBER: _ClassVar[int]
    layer_name: str
    version_number: int
    def __init__(self, layer_name: _Optional[str] = ..., version_number: _Optional[int] = ...) -> None: ...

class GetLayerVersionResponse(_message.Message):
    __slots__ = ("content", "layer_arn", "layer_version_arn", "description", "created_date", "version", "compatible_architectures", "compatible_runtimes", "license_info")
    CONTENT_FIELD_NUMBER: _ClassVar[int]
    LAYER_ARN_FIELD_NUMBER: _ClassVar[int]
    LAYER_VERSION_ARN_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    CREATED_DATE_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    COMPATIBLE_ARCHITECTURES_FIELD_NUMBER: _ClassVar[int]
    COMPATIBLE_RUNTIMES_FIELD_NUMBER: _ClassVar[int]
    LICENSE_INFO_FIELD_NUMBER: _ClassVar[int]
    content: LayerVersionContentOutput
    layer_arn: str
    layer_version_arn: str
    description: str
    created_date: str
    version: int
    compatible_architectures: _containers.RepeatedScalarFieldContainer[str]
    compatible_runtimes: _containers.RepeatedScalarFieldContainer[str]
    license_info: str
    def __init__(self, content: _Optional[_Union[LayerVersionContentOutput, _Mapping]] = ..., layer_arn: _Optional[str] = ..., layer_version_arn: _Optional[str] = ..., description: _Optional[str] = ..., created_date: _Optional[str] = ..., version: _Optional[int] = ..., compatible_architectures: _Optional[_Iterable[str]] = ..., compatible_runtimes: _Optional[_Iterable[str]] = ..., license_info: _Optional[str] = ...) -> None: ...

class LayerVersionContentOutput(_message.Message):
    __slots__ = ("location", "code_sha256", "code_size", "signing_profile_version_arn", "signing_job_arn", "resolved_s3_object")
    LOCATION_FIELD_NUMBER: _ClassVar[int]
    CODE_SHA256_FIELD_NUMBER: _ClassVar[int]
    CODE_SIZE_FIELD_NUMBER: _ClassVar[int]
    SIGNING_PROFILE_VERSION_ARN_FIELD_NUMBER: _ClassVar[int]
    SIGNING_JOB_ARN_FIELD_NUMBER: _ClassVar[int]
    RESOLVED_S3_OBJECT_FIELD_NUMBER: _ClassVar[int]
    location: str
    code_sha256: str
    code_size: int
    signing_profile_version_arn: str
    signing_job_arn: str
    resolved_s3_object: ResolvedS3Object
    def __init__(self, location: _Optional[str] = ..., code_sha256: _Optional[str] = ..., code_size: _Optional[int] = ..., signing_profile_version_arn: _Optional[str] = ..., signing_job_arn: _Optional[str] = ..., resolved_s3_object: _Optional[_Union[ResolvedS3Object, _Mapping]] = ...) -> None: ...

class ResolvedS3Object(_message.Message):
    __slots__ = ("s3_bucket", "s3_key", "s3_object_version")
    S3_BUCKET_FIELD_NUMBER: _ClassVar[int]
    S3_KEY_FIELD_NUMBER: _ClassVar[int]
    S3_OBJECT_VERSION_FIELD_NUMBER: _ClassVar[int]
    s3_bucket: str
    s3_key: str
    s3_object_version: str
    def __init__(self, s3_bucket: _Optional[str] = ..., s3_key: _Optional[str] = ..., s3_object_version: _Optional[str] = ...) -> None: ...

class GetLayerVersionByArnRequest(_message.Message):
    __slots__ = ("arn",)
    ARN_FIELD_NUMBER: _ClassVar[int]
    arn: str
    def __init__(self, arn: _Optional[str] = ...) -> None: ...

class GetLayerVersionByArnResponse(_message.Message):
    __slots__ = ("content", "layer_arn", "layer_version_arn", "description", "created_date", "version", "compatible_architectures", "compatible_runtimes", "license_info")
    CONTENT_FIELD_NUMBER: _ClassVar[int]
    LAYER_ARN_FIELD_NUMBER: _ClassVar[int]
    LAYER_VERSION_ARN_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    CREATED_DATE_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    COMPATIBLE_ARCHITECTURES_FIELD_NUMBER: _ClassVar[int]
    COMPATIBLE_RUNTIMES_FIELD_NUMBER: _ClassVar[int]
    LICENSE_INFO_FIELD_NUMBER: _ClassVar[int]
    content: LayerVersionContentOutput
    layer_arn: str
    layer_version_arn: str
    description: str
    created_date: str
    version: int
    compatible_architectures: _containers.RepeatedScalarFieldContainer[str]
    compatible_runtimes: _containers.RepeatedScalarFieldContainer[str]
    license_info: str
    def __init__(self, content: _Optional[_Union[LayerVersionContentOutput, _Mapping]] = ..., layer_arn: _Optional[str] = ..., layer_version_arn: _Optional[str] = ..., description: _Optional[str] = ..., created_date: _Optional[str] = ..., version: _Optional[int] = ..., compatible_architectures: _Optional[_Iterable[str]] = ..., compatible_runtimes: _Optional[_Iterable[str]] = ..., license_info: _Optional[str] = ...) -> None: ...

class GetLayerVersionPolicyRequest(_message.Message):
    __slots__ = ("layer_name", "version_number")
    LAYER_NAME_FIELD_NUMBER: _ClassVar[int]
    VERSION_NUMBER_FIELD_NUMBER: _ClassVar[int]
    layer_name: str
    version_number: int
    def __init__(self, layer_name: _Optional[str] = ..., version_number: _Optional[int] = ...) -> None: ...

class GetLayerVersionPolicyResponse(_message.Message):
    __slots__ = ("policy", "revision_id")
    POLICY_FIELD_NUMBER: _ClassVar[int]
    REVISION_ID_FIELD_NUMBER: _ClassVar[int]
    policy: str
    revision_id: str
    def __init__(self, policy: _Optional[str] = ..., revision_id: _Optional[str] = ...) -> None: ...

class GetPolicyRequest(_message.Message):
    __slots__ = ("function_name", "qualifier")
    FUNCTION_NAME_FIELD_NUMBER: _ClassVar[int]
    QUALIFIER_FIELD_NUMBER: _ClassVar[int]
    function_name: str
    qualifier: str
    def __init__(self, function_name: _Optional[str] = ..., qualifier: _Optional[str] = ...) -> None: ...

class GetPolicyResponse(_message.Message):
    __slots__ = ("policy", "revision_id")
    POLICY_FIELD_NUMBER: _ClassVar[int]
    REVISION_ID_FIELD_NUMBER: _ClassVar[int]
    policy: str
    revision_id: str
    def __init__(self, policy: _Optional[str] = ..., revision_id: _Optional[str] = ...) -> None: ...

class GetProvisionedConcurrencyConfigRequest(_message.Message):
    __slots__ = ("function_name", "qualifier")
    FUNCTION_NAME_FIELD_NUMBER: _ClassVar[int]
    QUALIFIER_FIELD_NUMBER: _ClassVar[int]
    function_name: str
    qualifier: str
    def __init__(self, function_name: _Optional[str] = ..., qualifier: _Optional[str] = ...) -> None: ...

class GetProvisionedConcurrencyConfigResponse(_message.Message):
    __slots__ = ("requested_provisioned_concurrent_executions", "available_provisioned_concurrent_executions", "allocated_provisioned_concurrent_executions", "status", "status_reason", "last_modified")
    REQUESTED_PROVISIONED_CONCURRENT_EXECUTIONS_FIELD_NUMBER: _ClassVar[int]
    AVAILABLE_PROVISIONED_CONCURRENT_EXECUTIONS_FIELD_NUMBER: _ClassVar[int]
    ALLOCATED_PROVISIONED_CONCURRENT_EXECUTIONS_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    STATUS_REASON_FIELD_NUMBER: _ClassVar[int]
    LAST_MODIFIED_FIELD_NUMBER: _ClassVar[int]
    requested_provisioned_concurrent_executions: int
    available_provisioned_concurrent_executions: int
    allocated_provisioned_concurrent_executions: int
    status: str
    status_reason: str
    last_modified: str
    def __init__(self, requested_provisioned_concurrent_executions: _Optional[int] = ..., available_provisioned_concurrent_executions: _Optional[int] = ..., allocated_provisioned_concurrent_executions: _Optional[int] = ..., status: _Optional[str] = ..., status_reason: _Optional[str] = ..., last_modified: _Optional[str] = ...) -> None: ...

class GetResourcePolicyRequest(_message.Message):
    __slots__ = ("resource_arn",)
    RESOURCE_ARN_FIELD_NUMBER: _ClassVar[int]
    resource_arn: str
    def __init__(self, resource_arn: _Optional[str] = ...) -> None: ...

class GetResourcePolicyResponse(_message.Message):
    __slots__ = ("policy", "revision_id")
    POLICY_FIELD_NUMBER: _ClassVar[int]
    REVISION_ID_FIELD_NUMBER: _ClassVar[int]
    policy: str
    revision_id: str
    def __init__(self, policy: _Optional[str] = ..., revision_id: _Optional[str] = ...) -> None: ...

class GetRuntimeManagementConfigRequest(_message.Message):
    __slots__ = ("function_name", "qualifier")
    FUNCTION_NAME_FIELD_NUMBER: _ClassVar[int]
    QUALIFIER_FIELD_NUMBER: _ClassVar[int]
    function_name: str
    qualifier: str
    def __init__(self, function_name: _Optional[str] = ..., qualifier: _Optional[str] = ...) -> None: ...

class GetRuntimeManagementConfigResponse(_message.Message):
    __slots__ = ("update_runtime_on", "function_arn", "runtime_version_arn")
    UPDATE_RUNTIME_ON_FIELD_NUMBER: _ClassVar[int]
    FUNCTION_ARN_FIELD_NUMBER: _ClassVar[int]
    RUNTIME_VERSION_ARN_FIELD_NUMBER: _ClassVar[int]
    update_runtime_on: str
    function_arn: str
    runtime_version_arn: str
    def __init__(self, update_runtime_on: _Optional[str] = ..., function_arn: _Optional[str] = ..., runtime_version_arn: _Optional[str] = ...) -> None: ...

class ListCodeSigningConfigsRequest(_message.Message):
    __slots__ = ("marker", "max_items")
    MARKER_FIELD_NUMBER: _ClassVar[int]
    MAX_ITEMS_FIELD_NUMBER: _ClassVar[int]
    marker: str
    max_items: int
    def __init__(self, marker: _Optional[str] = ..., max_items: _Optional[int] = ...) -> None: ...

class ListCodeSigningConfigsResponse(_message.Message):
    __slots__ = ("next_marker", "code_signing_configs")
    NEXT_MARKER_FIELD_NUMBER: _ClassVar[int]
    CODE_SIGNING_CONFIGS_FIELD_NUMBER: _ClassVar[int]
    next_marker: str
    code_signing_configs: _containers.RepeatedCompositeFieldContainer[CodeSigningConfig]
    def __init__(self, next_marker: _Optional[str] = ..., code_signing_configs: _Optional[_Iterable[_Union[CodeSigningConfig, _Mapping]]] = ...) -> None: ...

class ListFunctionEventInvokeConfigsRequest(_message.Message):
    __slots__ = ("function_name", "marker", "max_items")
    FUNCTION_NAME_FIELD_NUMBER: _ClassVar[int]
    MARKER_FIELD_NUMBER: _ClassVar[int]
    MAX_ITEMS_FIELD_NUMBER: _ClassVar[int]
    function_name: str
    marker: str
    max_items: int
    def __init__(self, function_name: _Optional[str] = ..., marker: _Optional[str] = ..., max_items: _Optional[int] = ...) -> None: ...

class ListFunctionEventInvokeConfigsResponse(_message.Message):
    __slots__ = ("function_event_invoke_configs", "next_marker")
    FUNCTION_EVENT_INVOKE_CONFIGS_FIELD_NUMBER: _ClassVar[int]
    NEXT_MARKER_FIELD_NUMBER: _ClassVar[int]
    function_event_invoke_configs: _containers.RepeatedCompositeFieldContainer[FunctionEventInvokeConfig]
    next_marker: str
    def __init__(self, function_event_invoke_configs: _Optional[_Iterable[_Union[FunctionEventInvokeConfig, _Mapping]]] = ..., next_marker: _Optional[str] = ...) -> None: ...

class FunctionEventInvokeConfig(_message.Message):
    __slots__ = ("last_modified", "function_arn", "maximum_retry_attempts", "maximum_event_age", "destination_config")
    LAST_MODIFIED_FIELD_NUMBER: _ClassVar[int]
    FUNCTION_ARN_FIELD_NUMBER: _ClassVar[int]
    MAXIMUM_RETRY_ATTEMPTS_FIELD_NUMBER: _ClassVar[int]
    MAXIMUM_EVENT_AGE_FIELD_NUMBER: _ClassVar[int]
    DESTINATION_CONFIG_FIELD_NUMBER: _ClassVar[int]
    last_modified: _timestamp_pb2.Timestamp
    function_arn: str
    maximum_retry_attempts: int
    maximum_event_age: _duration_pb2.Duration
    destination_config: DestinationConfig
    def __init__(self, last_modified: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., function_arn: _Optional[str] = ..., maximum_retry_attempts: _Optional[int] = ..., maximum_event_age: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., destination_config: _Optional[_Union[DestinationConfig, _Mapping]] = ...) -> None: ...

class ListFunctionUrlConfigsRequest(_message.Message):
    __slots__ = ("function_name", "marker", "max_items")
    FUNCTION_NAME_FIELD_NUMBER: _ClassVar[int]
    MARKER_FIELD_NUMBER: _ClassVar[int]
    MAX_ITEMS_FIELD_NUMBER: _ClassVar[int]
    function_name: str
    marker: str
    max_items: int
    def __init__(self, function_name: _Optional[str] = ..., marker: _Optional[str] = ..., max_items: _Optional[int] = ...) -> None: ...

class ListFunctionUrlConfigsResponse(_message.Message):
    __slots__ = ("function_url_configs", "next_marker")
    FUNCTION_URL_CONFIGS_FIELD_NUMBER: _ClassVar[int]
    NEXT_MARKER_FIELD_NUMBER: _ClassVar[int]
    function_url_configs: _containers.RepeatedCompositeFieldContainer[FunctionUrlConfig]
    next_marker: str
    def __init__(self, function_url_configs: _Optional[_Iterable[_Union[FunctionUrlConfig, _Mapping]]] = ..., next_marker: _Optional[str] = ...) -> None: ...

class FunctionUrlConfig(_message.Message):
    __slots__ = ("function_url", "function_arn", "creation_time", "last_modified_time", "cors", "auth_type", "invoke_mode")
    FUNCTION_URL_FIELD_NUMBER: _ClassVar[int]
    FUNCTION_ARN_FIELD_NUMBER: _ClassVar[int]
    CREATION_TIME_FIELD_NUMBER: _ClassVar[int]
    LAST_MODIFIED_TIME_FIELD_NUMBER: _ClassVar[int]
    CORS_FIELD_NUMBER: _ClassVar[int]
    AUTH_TYPE_FIELD_NUMBER: _ClassVar[int]
    INVOKE_MODE_FIELD_NUMBER: _ClassVar[int]
    function_url: str
    function_arn: str
    creation_time: str
    last_modified_time: str
    cors: Cors
    auth_type: str
    invoke_mode: str
    def __init__(self, function_url: _Optional[str] = ..., function_arn: _Optional[str] = ..., creation_time: _Optional[str] = ..., last_modified_time: _Optional[str] = ..., cors: _Optional[_Union[Cors, _Mapping]] = ..., auth_type: _Optional[str] = ..., invoke_mode: _Optional[str] = ...) -> None: ...

class ListFunctionsByCodeSigningConfigRequest(_message.Message):
    __slots__ = ("code_signing_config_arn", "marker", "max_items")
    CODE_SIGNING_CONFIG_ARN_FIELD_NUMBER: _ClassVar[int]
    MARKER_FIELD_NUMBER: _ClassVar[int]
    MAX_ITEMS_FIELD_NUMBER: _ClassVar[int]
    code_signing_config_arn: str
    marker: str
    max_items: int
    def __init__(self, code_signing_config_arn: _Optional[str] = ..., marker: _Optional[str] = ..., max_items: _Optional[int] = ...) -> None: ...

class ListFunctionsByCodeSigningConfigResponse(_message.Message):
    __slots__ = ("next_marker", "function_arns")
    NEXT_MARKER_FIELD_NUMBER: _ClassVar[int]
    FUNCTION_ARNS_FIELD_NUMBER: _ClassVar[int]
    next_marker: str
    function_arns: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, next_marker: _Optional[str] = ..., function_arns: _Optional[_Iterable[str]] = ...) -> None: ...

class ListProvisionedConcurrencyConfigsRequest(_message.Message):
    __slots__ = ("function_name", "marker", "max_items")
    FUNCTION_NAME_FIELD_NUMBER: _ClassVar[int]
    MARKER_FIELD_NUMBER: _ClassVar[int]
    MAX_ITEMS_FIELD_NUMBER: _ClassVar[int]
    function_name: str
    marker: str
    max_items: int
    def __init__(self, function_name: _Optional[str] = ..., marker: _Optional[str] = ..., max_items: _Optional[int] = ...) -> None: ...

class ListProvisionedConcurrencyConfigsResponse(_message.Message):
    __slots__ = ("provisioned_concurrency_configs", "next_marker")
    PROVISIONED_CONCURRENCY_CONFIGS_FIELD_NUMBER: _ClassVar[int]
    NEXT_MARKER_FIELD_NUMBER: _ClassVar[int]
    provisioned_concurrency_configs: _containers.RepeatedCompositeFieldContainer[ProvisionedConcurrencyConfigListItem]
    next_marker: str
    def __init__(self, provisioned_concurrency_configs: _Optional[_Iterable[_Union[ProvisionedConcurrencyConfigListItem, _Mapping]]] = ..., next_marker: _Optional[str] = ...) -> None: ...

class ProvisionedConcurrencyConfigListItem(_message.Message):
    __slots__ = ("function_arn", "requested_provisioned_concurrent_executions", "available_provisioned_concurrent_executions", "allocated_provisioned_concurrent_executions", "status", "status_reason", "last_modified")
    FUNCTION_ARN_FIELD_NUMBER: _ClassVar[int]
    REQUESTED_PROVISIONED_CONCURRENT_EXECUTIONS_FIELD_NUMBER: _ClassVar[int]
    AVAILABLE_PROVISIONED_CONCURRENT_EXECUTIONS_FIELD_NUMBER: _ClassVar[int]
    ALLOCATED_PROVISIONED_CONCURRENT_EXECUTIONS_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    STATUS_REASON_FIELD_NUMBER: _ClassVar[int]
    LAST_MODIFIED_FIELD_NUMBER: _ClassVar[int]
    function_arn: str
    requested_provisioned_concurrent_executions: int
    available_provisioned_concurrent_executions: int
    allocated_provisioned_concurrent_executions: int
    status: str
    status_reason: str
    last_modified: str
    def __init__(self, function_arn: _Optional[str] = ..., requested_provisioned_concurrent_executions: _Optional[int] = ..., available_provisioned_concurrent_executions: _Optional[int] = ..., allocated_provisioned_concurrent_executions: _Optional[int] = ..., status: _Optional[str] = ..., status_reason: _Optional[str] = ..., last_modified: _Optional[str] = ...) -> None: ...

class ListTagsRequest(_message.Message):
    __slots__ = ("resource",)
    RESOURCE_FIELD_NUMBER: _ClassVar[int]
    resource: str
    def __init__(self, resource: _Optional[str] = ...) -> None: ...

class ListTagsResponse(_message.Message):
    __slots__ = ("tags",)
    class TagsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    TAGS_FIELD_NUMBER: _ClassVar[int]
    tags: _containers.ScalarMap[str, str]
    def __init__(self, tags: _Optional[_Mapping[str, str]] = ...) -> None: ...

class PutFunctionCodeSigningConfigRequest(_message.Message):
    __slots__ = ("code_signing_config_arn", "function_name")
    CODE_SIGNING_CONFIG_ARN_FIELD_NUMBER: _ClassVar[int]
    FUNCTION_NAME_FIELD_NUMBER: _ClassVar[int]
    code_signing_config_arn: str
    function_name: str
    def __init__(self, code_signing_config_arn: _Optional[str] = ..., function_name: _Optional[str] = ...) -> None: ...

class PutFunctionCodeSigningConfigResponse(_message.Message):
    __slots__ = ("code_signing_config_arn", "function_name")
    CODE_SIGNING_CONFIG_ARN_FIELD_NUMBER: _ClassVar[int]
    FUNCTION_NAME_FIELD_NUMBER: _ClassVar[int]
    code_signing_config_arn: str
    function_name: str
    def __init__(self, code_signing_config_arn: _Optional[str] = ..., function_name: _Optional[str] = ...) -> None: ...

class PutFunctionConcurrencyRequest(_message.Message):
    __slots__ = ("function_name", "reserved_concurrent_executions")
    FUNCTION_NAME_FIELD_NUMBER: _ClassVar[int]
    RESERVED_CONCURRENT_EXECUTIONS_FIELD_NUMBER: _ClassVar[int]
    function_name: str
    reserved_concurrent_executions: int
    def __init__(self, function_name: _Optional[str] = ..., reserved_concurrent_executions: _Optional[int] = ...) -> None: ...

class PutFunctionConcurrencyResponse(_message.Message):
    __slots__ = ("reserved_concurrent_executions",)
    RESERVED_CONCURRENT_EXECUTIONS_FIELD_NUMBER: _ClassVar[int]
    reserved_concurrent_executions: int
    def __init__(self, reserved_concurrent_executions: _Optional[int] = ...) -> None: ...

class PutFunctionEventInvokeConfigRequest(_message.Message):
    __slots__ = ("function_name", "qualifier", "maximum_retry_attempts", "maximum_event_age", "destination_config")
    FUNCTION_NAME_FIELD_NUMBER: _ClassVar[int]
    QUALIFIER_FIELD_NUMBER: _ClassVar[int]
    MAXIMUM_RETRY_ATTEMPTS_FIELD_NUMBER: _ClassVar[int]
    MAXIMUM_EVENT_AGE_FIELD_NUMBER: _ClassVar[int]
    DESTINATION_CONFIG_FIELD_NUMBER: _ClassVar[int]
    function_name: str
    qualifier: str
    maximum_retry_attempts: int
    maximum_event_age: _duration_pb2.Duration
    destination_config: DestinationConfig
    def __init__(self, function_name: _Optional[str] = ..., qualifier: _Optional[str] = ..., maximum_retry_attempts: _Optional[int] = ..., maximum_event_age: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., destination_config: _Optional[_Union[DestinationConfig, _Mapping]] = ...) -> None: ...

class PutFunctionEventInvokeConfigResponse(_message.Message):
    __slots__ = ("last_modified", "function_arn", "maximum_retry_attempts", "maximum_event_age", "destination_config")
    LAST_MODIFIED_FIELD_NUMBER: _ClassVar[int]
    FUNCTION_ARN_FIELD_NUMBER: _ClassVar[int]
    MAXIMUM_RETRY_ATTEMPTS_FIELD_NUMBER: _ClassVar[int]
    MAXIMUM_EVENT_AGE_FIELD_NUMBER: _ClassVar[int]
    DESTINATION_CONFIG_FIELD_NUMBER: _ClassVar[int]
    last_modified: _timestamp_pb2.Timestamp
    function_arn: str
    maximum_retry_attempts: int
    maximum_event_age: _duration_pb2.Duration
    destination_config: DestinationConfig
    def __init__(self, last_modified: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., function_arn: _Optional[str] = ..., maximum_retry_attempts: _Optional[int] = ..., maximum_event_age: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., destination_config: _Optional[_Union[DestinationConfig, _Mapping]] = ...) -> None: ...

class PutFunctionRecursionConfigRequest(_message.Message):
    __slots__ = ("function_name", "recursive_loop")
    FUNCTION_NAME_FIELD_NUMBER: _ClassVar[int]
    RECURSIVE_LOOP_FIELD_NUMBER: _ClassVar[int]
    function_name: str
    recursive_loop: str
    def __init__(self, function_name: _Optional[str] = ..., recursive_loop: _Optional[str] = ...) -> None: ...

class PutFunctionRecursionConfigResponse(_message.Message):
    __slots__ = ("recursive_loop",)
    RECURSIVE_LOOP_FIELD_NUMBER: _ClassVar[int]
    recursive_loop: str
    def __init__(self, recursive_loop: _Optional[str] = ...) -> None: ...

class PutFunctionScalingConfigRequest(_message.Message):
    __slots__ = ("function_name", "qualifier", "function_scaling_config")
    FUNCTION_NAME_FIELD_NUMBER: _ClassVar[int]
    QUALIFIER_FIELD_NUMBER: _ClassVar[int]
    FUNCTION_SCALING_CONFIG_FIELD_NUMBER: _ClassVar[int]
    function_name: str
    qualifier: str
    function_scaling_config: FunctionScalingConfig
    def __init__(self, function_name: _Optional[str] = ..., qualifier: _Optional[str] = ..., function_scaling_config: _Optional[_Union[FunctionScalingConfig, _Mapping]] = ...) -> None: ...

class PutFunctionScalingConfigResponse(_message.Message):
    __slots__ = ("function_state",)
    FUNCTION_STATE_FIELD_NUMBER: _ClassVar[int]
    function_state: str
    def __init__(self, function_state: _Optional[str] = ...) -> None: ...

class PutProvisionedConcurrencyConfigRequest(_message.Message):
    __slots__ = ("function_name", "qualifier", "provisioned_concurrent_executions")
    FUNCTION_NAME_FIELD_NUMBER: _ClassVar[int]
    QUALIFIER_FIELD_NUMBER: _ClassVar[int]
    PROVISIONED_CONCURRENT_EXECUTIONS_FIELD_NUMBER: _ClassVar[int]
    function_name: str
    qualifier: str
    provisioned_concurrent_executions: int
    def __init__(self, function_name: _Optional[str] = ..., qualifier: _Optional[str] = ..., provisioned_concurrent_executions: _Optional[int] = ...) -> None: ...

class PutProvisionedConcurrencyConfigResponse(_message.Message):
    __slots__ = ("requested_provisioned_concurrent_executions", "allocated_provisioned_concurrent_executions", "available_provisioned_concurrent_executions", "status", "status_reason", "last_modified")
    REQUESTED_PROVISIONED_CONCURRENT_EXECUTIONS_FIELD_NUMBER: _ClassVar[int]
    ALLOCATED_PROVISIONED_CONCURRENT_EXECUTIONS_FIELD_NUMBER: _ClassVar[int]
    AVAILABLE_PROVISIONED_CONCURRENT_EXECUTIONS_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    STATUS_REASON_FIELD_NUMBER: _ClassVar[int]
    LAST_MODIFIED_FIELD_NUMBER: _ClassVar[int]
    requested_provisioned_concurrent_executions: int
    allocated_provisioned_concurrent_executions: int
    available_provisioned_concurrent_executions: int
    status: str
    status_reason: str
    last_modified: str
    def __init__(self, requested_provisioned_concurrent_executions: _Optional[int] = ..., allocated_provisioned_concurrent_executions: _Optional[int] = ..., available_provisioned_concurrent_executions: _Optional[int] = ..., status: _Optional[str] = ..., status_reason: _Optional[str] = ..., last_modified: _Optional[str] = ...) -> None: ...

class PutResourcePolicyRequest(_message.Message):
    __slots__ = ("resource_arn", "policy", "revision_id")
    RESOURCE_ARN_FIELD_NUMBER: _ClassVar[int]
    POLICY_FIELD_NUMBER: _ClassVar[int]
    REVISION_ID_FIELD_NUMBER: _ClassVar[int]
    resource_arn: str
    policy: str
    revision_id: str
    def __init__(self, resource_arn: _Optional[str] = ..., policy: _Optional[str] = ..., revision_id: _Optional[str] = ...) -> None: ...

class PutResourcePolicyResponse(_message.Message):
    __slots__ = ("policy", "revision_id")
    POLICY_FIELD_NUMBER: _ClassVar[int]
    REVISION_ID_FIELD_NUMBER: _ClassVar[int]
    policy: str
    revision_id: str
    def __init__(self, policy: _Optional[str] = ..., revision_id: _Optional[str] = ...) -> None: ...

class PutRuntimeManagementConfigRequest(_message.Message):
    __slots__ = ("function_name", "qualifier", "update_runtime_on", "runtime_version_arn")
    FUNCTION_NAME_FIELD_NUMBER: _ClassVar[int]
    QUALIFIER_FIELD_NUMBER: _ClassVar[int]
    UPDATE_RUNTIME_ON_FIELD_NUMBER: _ClassVar[int]
    RUNTIME_VERSION_ARN_FIELD_NUMBER: _ClassVar[int]
    function_name: str
    qualifier: str
    update_runtime_on: str
    runtime_version_arn: str
    def __init__(self, function_name: _Optional[str] = ..., qualifier: _Optional[str] = ..., update_runtime_on: _Optional[str] = ..., runtime_version_arn: _Optional[str] = ...) -> None: ...

class PutRuntimeManagementConfigResponse(_message.Message):
    __slots__ = ("update_runtime_on", "function_arn", "runtime_version_arn")
    UPDATE_RUNTIME_ON_FIELD_NUMBER: _ClassVar[int]
    FUNCTION_ARN_FIELD_NUMBER: _ClassVar[int]
    RUNTIME_VERSION_ARN_FIELD_NUMBER: _ClassVar[int]
    update_runtime_on: str
    function_arn: str
    runtime_version_arn: str
    def __init__(self, update_runtime_on: _Optional[str] = ..., function_arn: _Optional[str] = ..., runtime_version_arn: _Optional[str] = ...) -> None: ...

class RemoveLayerVersionPermissionRequest(_message.Message):
    __slots__ = ("layer_name", "version_number", "statement_id", "revision_id")
    LAYER_NAME_FIELD_NUMBER: _ClassVar[int]
    VERSION_NUMBER_FIELD_NUMBER: _ClassVar[int]
    STATEMENT_ID_FIELD_NUMBER: _ClassVar[int]
    REVISION_ID_FIELD_NUMBER: _ClassVar[int]
    layer_name: str
    version_number: int
    statement_id: str
    revision_id: str
    def __init__(self, layer_name: _Optional[str] = ..., version_number: _Optional[int] = ..., statement_id: _Optional[str] = ..., revision_id: _Optional[str] = ...) -> None: ...

class RemoveLayerVersionPermissionResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class RemovePermissionRequest(_message.Message):
    __slots__ = ("function_name", "statement_id", "qualifier", "revision_id")
    FUNCTION_NAME_FIELD_NUMBER: _ClassVar[int]
    STATEMENT_ID_FIELD_NUMBER: _ClassVar[int]
    QUALIFIER_FIELD_NUMBER: _ClassVar[int]
    REVISION_ID_FIELD_NUMBER: _ClassVar[int]
    function_name: str
    statement_id: str
    qualifier: str
    revision_id: str
    def __init__(self, function_name: _Optional[str] = ..., statement_id: _Optional[str] = ..., qualifier: _Optional[str] = ..., revision_id: _Optional[str] = ...) -> None: ...

class RemovePermissionResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class TagResourceRequest(_message.Message):
    __slots__ = ("resource", "tags")
    class TagsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    RESOURCE_FIELD_NUMBER: _ClassVar[int]
    TAGS_FIELD_NUMBER: _ClassVar[int]
    resource: str
    tags: _containers.ScalarMap[str, str]
    def __init__(self, resource: _Optional[str] = ..., tags: _Optional[_Mapping[str, str]] = ...) -> None: ...

class TagResourceResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class UntagResourceRequest(_message.Message):
    __slots__ = ("resource", "tag_keys")
    RESOURCE_FIELD_NUMBER: _ClassVar[int]
    TAG_KEYS_FIELD_NUMBER: _ClassVar[int]
    resource: str
    tag_keys: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, resource: _Optional[str] = ..., tag_keys: _Optional[_Iterable[str]] = ...) -> None: ...

class UntagResourceResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class UpdateCodeSigningConfigRequest(_message.Message):
    __slots__ = ("code_signing_config_arn", "description", "allowed_publishers", "code_signing_policies")
    CODE_SIGNING_CONFIG_ARN_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    ALLOWED_PUBLISHERS_FIELD_NUMBER: _ClassVar[int]
    CODE_SIGNING_POLICIES_FIELD_NUMBER: _ClassVar[int]
    code_signing_config_arn: str
    description: str
    allowed_publishers: AllowedPublishers
    code_signing_policies: CodeSigningPolicies
    def __init__(self, code_signing_config_arn: _Optional[str] = ..., description: _Optional[str] = ..., allowed_publishers: _Optional[_Union[AllowedPublishers, _Mapping]] = ..., code_signing_policies: _Optional[_Union[CodeSigningPolicies, _Mapping]] = ...) -> None: ...

class UpdateCodeSigningConfigResponse(_message.Message):
    __slots__ = ("code_signing_config",)
    CODE_SIGNING_CONFIG_FIELD_NUMBER: _ClassVar[int]
    code_signing_config: CodeSigningConfig
    def __init__(self, code_signing_config: _Optional[_Union[CodeSigningConfig, _Mapping]] = ...) -> None: ...

class UpdateFunctionEventInvokeConfigRequest(_message.Message):
    __slots__ = ("function_name", "qualifier", "maximum_retry_attempts", "maximum_event_age", "destination_config")
    FUNCTION_NAME_FIELD_NUMBER: _ClassVar[int]
    QUALIFIER_FIELD_NUMBER: _ClassVar[int]
    MAXIMUM_RETRY_ATTEMPTS_FIELD_NUMBER: _ClassVar[int]
    MAXIMUM_EVENT_AGE_FIELD_NUMBER: _ClassVar[int]
    DESTINATION_CONFIG_FIELD_NUMBER: _ClassVar[int]
    function_name: str
    qualifier: str
    maximum_retry_attempts: int
    maximum_event_age: _duration_pb2.Duration
    destination_config: DestinationConfig
    def __init__(self, function_name: _Optional[str] = ..., qualifier: _Optional[str] = ..., maximum_retry_attempts: _Optional[int] = ..., maximum_event_age: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., destination_config: _Optional[_Union[DestinationConfig, _Mapping]] = ...) -> None: ...

class UpdateFunctionEventInvokeConfigResponse(_message.Message):
    __slots__ = ("last_modified", "function_arn", "maximum_retry_attempts", "maximum_event_age", "destination_config")
    LAST_MODIFIED_FIELD_NUMBER: _ClassVar[int]
    FUNCTION_ARN_FIELD_NUMBER: _ClassVar[int]
    MAXIMUM_RETRY_ATTEMPTS_FIELD_NUMBER: _ClassVar[int]
    MAXIMUM_EVENT_AGE_FIELD_NUMBER: _ClassVar[int]
    DESTINATION_CONFIG_FIELD_NUMBER: _ClassVar[int]
    last_modified: _timestamp_pb2.Timestamp
    function_arn: str
    maximum_retry_attempts: int
    maximum_event_age: _duration_pb2.Duration
    destination_config: DestinationConfig
    def __init__(self, last_modified: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., function_arn: _Optional[str] = ..., maximum_retry_attempts: _Optional[int] = ..., maximum_event_age: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., destination_config: _Optional[_Union[DestinationConfig, _Mapping]] = ...) -> None: ...

class UpdateFunctionUrlConfigRequest(_message.Message):
    __slots__ = ("function_name", "qualifier", "auth_type", "cors", "invoke_mode")
    FUNCTION_NAME_FIELD_NUMBER: _ClassVar[int]
    QUALIFIER_FIELD_NUMBER: _ClassVar[int]
    AUTH_TYPE_FIELD_NUMBER: _ClassVar[int]
    CORS_FIELD_NUMBER: _ClassVar[int]
    INVOKE_MODE_FIELD_NUMBER: _ClassVar[int]
    function_name: str
    qualifier: str
    auth_type: str
    cors: Cors
    invoke_mode: str
    def __init__(self, function_name: _Optional[str] = ..., qualifier: _Optional[str] = ..., auth_type: _Optional[str] = ..., cors: _Optional[_Union[Cors, _Mapping]] = ..., invoke_mode: _Optional[str] = ...) -> None: ...

class UpdateFunctionUrlConfigResponse(_message.Message):
    __slots__ = ("function_url", "function_arn", "auth_type", "cors", "creation_time", "last_modified_time", "invoke_mode")
    FUNCTION_URL_FIELD_NUMBER: _ClassVar[int]
    FUNCTION_ARN_FIELD_NUMBER: _ClassVar[int]
    AUTH_TYPE_FIELD_NUMBER: _ClassVar[int]
    CORS_FIELD_NUMBER: _ClassVar[int]
    CREATION_TIME_FIELD_NUMBER: _ClassVar[int]
    LAST_MODIFIED_TIME_FIELD_NUMBER: _ClassVar[int]
    INVOKE_MODE_FIELD_NUMBER: _ClassVar[int]
    function_url: str
    function_arn: str
    auth_type: str
    cors: Cors
    creation_time: str
    last_modified_time: str
    invoke_mode: str
    def __init__(self, function_url: _Optional[str] = ..., function_arn: _Optional[str] = ..., auth_type: _Optional[str] = ..., cors: _Optional[_Union[Cors, _Mapping]] = ..., creation_time: _Optional[str] = ..., last_modified_time: _Optional[str] = ..., invoke_mode: _Optional[str] = ...) -> None: ...
