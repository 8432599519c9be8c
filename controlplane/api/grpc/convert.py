"""Functions, versions and aliases as messages and back. Nothing here decides anything."""

from __future__ import annotations

from dataclasses import replace

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from controlplane.model.configuration import TEXT, Configuration, ConfigurationChange, Logging
from controlplane.registry import (
    AliasChange,
    AliasView,
    Code,
    FunctionView,
    InlineCode,
    UploadedCode,
)
from emberd.functions.v1 import functions_pb2 as pb
from emberd.wire.errors import InvalidArgumentError


def function_message(view: FunctionView) -> pb.FunctionConfiguration:
    """A version of a function as Lambda describes it."""
    version = view.version
    configuration = version.configuration
    modified = Timestamp()
    modified.FromDatetime(version.last_modified)
    return pb.FunctionConfiguration(
        function_name=version.function_name,
        function_arn=view.function_arn,
        version=version.version,
        runtime=configuration.runtime_id,
        handler=configuration.handler,
        role=configuration.role,
        description=configuration.description,
        timeout=Duration(seconds=configuration.timeout_s),
        memory_size_mb=configuration.memory_size_mb,
        ephemeral_storage_mb=configuration.ephemeral_storage_mb,
        environment=pb.Environment(variables=configuration.environment),
        code_sha256=version.code_sha256,
        code_size_bytes=version.artifact_size_bytes,
        last_modified_time=modified,
        revision_id=version.lambda_revision_id,
        state=version.status.state,
        architecture=version.architecture,
        last_update_status=version.status.last_update,
        state_reason=version.status.state_reason or version.snapshot_refusal,
        last_update_status_reason=version.status.last_update_reason,
        layers=pb.Layers(arns=configuration.layers),
        tracing_mode=configuration.tracing_mode,
        logging=_logging_message(configuration.logging),
        snap_start_apply_on=configuration.snap_start_apply_on,
        snap_start_optimised=version.is_optimised,
        dead_letter_arn=configuration.dead_letter_arn,
        kms_key_arn=configuration.kms_key_arn,
        network=configuration.network,
    )


def alias_message(view: AliasView) -> pb.AliasConfiguration:
    """An alias as Lambda describes it."""
    alias = view.alias
    return pb.AliasConfiguration(
        alias_arn=view.alias_arn,
        name=alias.name,
        function_version=alias.function_version,
        description=alias.description,
        additional_version_weights=alias.weights,
        revision_id=alias.lambda_revision_id,
    )


def code_of(code: pb.Code) -> Code | None:
    """Where a package is, or None when the request does not say."""
    match code.WhichOneof("source"):
        case "zip_file":
            return InlineCode(zip_file=code.zip_file)
        case "artifact_id":
            return UploadedCode(artifact_id=code.artifact_id)
        case _:
            return None


def configuration_of(request: pb.CreateFunctionRequest) -> Configuration:
    """The configuration of a new function; what was left out has its default."""
    change = ConfigurationChange(
        description=request.description,
        timeout_s=_seconds(request.timeout) if request.HasField("timeout") else None,
        memory_size_mb=request.memory_size_mb if request.HasField("memory_size_mb") else None,
        ephemeral_storage_mb=(
            request.ephemeral_storage_mb if request.HasField("ephemeral_storage_mb") else None
        ),
        environment=dict(request.environment.variables),
    )
    required = Configuration(runtime_id=request.runtime, handler=request.handler, role=request.role)
    return _with_shared(change, request).applied_to(required)


def configuration_change_of(request: pb.UpdateFunctionConfigurationRequest) -> ConfigurationChange:
    """What a request sets."""
    change = ConfigurationChange(
        runtime_id=request.runtime if request.HasField("runtime") else None,
        handler=request.handler if request.HasField("handler") else None,
        role=request.role if request.HasField("role") else None,
        description=request.description if request.HasField("description") else None,
        timeout_s=_seconds(request.timeout) if request.HasField("timeout") else None,
        memory_size_mb=request.memory_size_mb if request.HasField("memory_size_mb") else None,
        ephemeral_storage_mb=(
            request.ephemeral_storage_mb if request.HasField("ephemeral_storage_mb") else None
        ),
        environment=(
            dict(request.environment.variables) if request.HasField("environment") else None
        ),
    )
    return _with_shared(change, request)


def alias_change_of(request: pb.UpdateAliasRequest) -> AliasChange:
    """What a request sets."""
    return AliasChange(
        function_version=request.function_version if request.HasField("function_version") else None,
        description=request.description if request.HasField("description") else None,
        weights=(
            dict(request.routing_config.additional_version_weights)
            if request.HasField("routing_config")
            else None
        ),
    )


def _with_shared(
    change: ConfigurationChange,
    request: pb.CreateFunctionRequest | pb.UpdateFunctionConfigurationRequest,
) -> ConfigurationChange:
    """The change with what both requests set in the same way."""

    def given(field: str, value: str) -> str | None:
        return value if request.HasField(field) else None

    return replace(
        change,
        layers=tuple(request.layers.arns) if request.HasField("layers") else None,
        tracing_mode=given("tracing_mode", request.tracing_mode),
        logging=_logging(request.logging) if request.HasField("logging") else None,
        snap_start_apply_on=given("snap_start_apply_on", request.snap_start_apply_on),
        dead_letter_arn=given("dead_letter_arn", request.dead_letter_arn),
        kms_key_arn=given("kms_key_arn", request.kms_key_arn),
        network=given("network", request.network),
    )


def _logging(message: pb.Logging) -> Logging:
    return Logging(
        format=message.format or TEXT,
        application_level=message.application_level,
        system_level=message.system_level,
        group=message.group,
    )


def _logging_message(logging: Logging) -> pb.Logging:
    return pb.Logging(
        format=logging.format,
        application_level=logging.application_level,
        system_level=logging.system_level,
        group=logging.group,
    )


def _seconds(timeout: Duration) -> int:
    """A time-out in whole seconds, which is what Lambda counts in."""
    if timeout.nanos:
        raise InvalidArgumentError(
            f"timeout is {timeout.seconds}.{abs(timeout.nanos):09d} s: use whole seconds",
            reason="INVALID_PARAMETER_VALUE",
        )
    return timeout.seconds
