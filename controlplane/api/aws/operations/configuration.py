"""A function's configuration between the model's shapes and our dataclasses.

What emberd cannot do is refused here, member by member: nothing is stored that has no effect and
that a caller would rely on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from controlplane.api.aws.operation import Output
from controlplane.api.aws.operations.vpc import network_of, vpc_output
from controlplane.model.configuration import (
    JSON,
    NO_SNAPSHOT,
    PUBLISHED_VERSIONS,
    Configuration,
    ConfigurationChange,
    Logging,
)
from controlplane.model.functions import FunctionVersion
from controlplane.model.ids import ArnScheme
from controlplane.model.runtimes import runtime_version_arn
from controlplane.registry.views import FunctionView
from emberd.wire.errors import InvalidArgumentError

if TYPE_CHECKING:
    from types_boto3_lambda.type_defs import (
        CreateFunctionRequestTypeDef,
        LoggingConfigTypeDef,
        UpdateFunctionConfigurationRequestTypeDef,
    )

_ABSENT_FEATURES = {
    "AcceleratorConfig": "there are no accelerators",
    "CapacityProviderConfig": "there are no capacity providers, functions run on your hosts",
    "DurableConfig": "durable executions are not built yet",
    "FileSystemConfigs": "there are no file systems to mount, use /tmp or a layer",
    "ImageConfig": "container images are not run, give a zip package",
    "PublishTo": "there are no capacity providers, publish a numbered version",
    "RuntimeConfig": "there are no customer-managed runtimes, name one that a host offers",
    "TenancyConfig": "functions are not divided by tenant yet",
}
_LEVEL = "INFO"


def configuration_of(request: CreateFunctionRequestTypeDef) -> Configuration:
    """The configuration of a new function; what was left out has its default.

    Raises:
        InvalidArgumentError: the request asks for something that emberd does not do.
    """
    check_possible(request)
    if request.get("PackageType", "Zip") != "Zip":
        raise refused("PackageType Image is not supported by emberd: give a zip package.")
    required = Configuration(
        runtime_id=request.get("Runtime", ""),
        handler=request.get("Handler", ""),
        role=request["Role"],
    )
    return change_of(request).applied_to(required)


def change_of(
    request: CreateFunctionRequestTypeDef | UpdateFunctionConfigurationRequestTypeDef,
) -> ConfigurationChange:
    """What a request sets; sub-objects replace what was there, as on Lambda.

    Raises:
        InvalidArgumentError: the request asks for something that emberd does not do.
    """
    check_possible(request)
    environment, logging = request.get("Environment"), request.get("LoggingConfig")
    layers, letters = request.get("Layers"), request.get("DeadLetterConfig")
    storage, tracing = request.get("EphemeralStorage"), request.get("TracingConfig")
    snap_start, vpc = request.get("SnapStart"), request.get("VpcConfig")
    return ConfigurationChange(
        runtime_id=request.get("Runtime"),
        handler=request.get("Handler"),
        role=request.get("Role"),
        description=request.get("Description"),
        timeout_s=request.get("Timeout"),
        memory_size_mb=request.get("MemorySize"),
        ephemeral_storage_mb=None if storage is None else storage["Size"],
        environment=None if environment is None else dict(environment.get("Variables", {})),
        layers=None if layers is None else tuple(layers),
        tracing_mode=None if tracing is None else tracing.get("Mode"),
        logging=None if logging is None else _logging(logging),
        snap_start_apply_on=None if snap_start is None else snap_start.get("ApplyOn"),
        dead_letter_arn=None if letters is None else letters.get("TargetArn", ""),
        kms_key_arn=request.get("KMSKeyArn"),
        network=None if vpc is None else network_of(vpc),
        security_groups=None if vpc is None else tuple(vpc.get("SecurityGroupIds", ())),
    )


def configuration_output(view: FunctionView, arns: ArnScheme) -> Output:
    """A version as the model's FunctionConfiguration, with the members that AWS answers."""
    version = view.version
    status = version.status
    return {
        **listed_output(view),
        "State": status.state,
        # Lambda gives a version that is Active no reason; ours says why it has no snapshot.
        "StateReason": status.state_reason or version.snapshot_refusal or None,
        "StateReasonCode": status.state_reason_code or None,
        "LastUpdateStatus": status.last_update or None,
        "LastUpdateStatusReason": status.last_update_reason or None,
        "LastUpdateStatusReasonCode": status.last_update_reason_code or None,
        "RuntimeVersionConfig": {
            "RuntimeVersionArn": runtime_version_arn(version.configuration.runtime_id, arns)
        },
    }


def listed_output(view: FunctionView) -> Output:
    """A version as lists show it, which is without its state and its runtime's version."""
    version = view.version
    configuration = version.configuration
    letters = configuration.dead_letter_arn
    return {
        "FunctionName": version.function_name,
        "FunctionArn": view.function_arn,
        "Runtime": configuration.runtime_id,
        "Role": configuration.role,
        "Handler": configuration.handler,
        "CodeSize": version.artifact_size_bytes,
        "Description": configuration.description,
        "Timeout": configuration.timeout_s,
        "MemorySize": configuration.memory_size_mb,
        "LastModified": _last_modified(version),
        "CodeSha256": version.code_sha256,
        "Version": version.version,
        "VpcConfig": vpc_output(configuration),
        "DeadLetterConfig": {"TargetArn": letters} if letters else None,
        "Environment": _environment_output(configuration),
        "KMSKeyArn": configuration.kms_key_arn or None,
        "TracingConfig": {"Mode": configuration.tracing_mode},
        "RevisionId": version.lambda_revision_id,
        "Layers": _layers_output(version),
        "PackageType": "Zip",
        "Architectures": [version.architecture],
        "EphemeralStorage": {"Size": configuration.ephemeral_storage_mb},
        "SnapStart": _snap_start_output(version),
        "LoggingConfig": _logging_output(version),
    }


def check_possible(request: Mapping[str, object]) -> None:
    """Refuse what emberd does not do.

    Raises:
        InvalidArgumentError: names the member and the reason.
    """
    for member, reason in _ABSENT_FEATURES.items():
        if request.get(member):
            raise refused(f"{member} is not supported by emberd: {reason}.")


def refused(message: str) -> InvalidArgumentError:
    """Lambda's exception for a value that cannot be."""
    return InvalidArgumentError(message, reason="INVALID_PARAMETER_VALUE")


def _logging(given: LoggingConfigTypeDef) -> Logging:
    log_format = given.get("LogFormat", Logging().format)
    default_level = _LEVEL if log_format == JSON else ""
    return Logging(
        format=log_format,
        application_level=given.get("ApplicationLogLevel", default_level),
        system_level=given.get("SystemLogLevel", default_level),
        group=given.get("LogGroup", ""),
    )


def _logging_output(version: FunctionVersion) -> Output:
    logging = version.configuration.logging
    return {
        "LogFormat": logging.format,
        "ApplicationLogLevel": logging.application_level or None,
        "SystemLogLevel": logging.system_level or None,
        "LogGroup": logging.group or f"/aws/lambda/{version.function_name}",
    }


def _snap_start_output(version: FunctionVersion) -> Output:
    """Our EveryVersion is shown as the value of Lambda's that comes nearest."""
    is_none = version.configuration.snap_start_apply_on == NO_SNAPSHOT
    return {
        "ApplyOn": NO_SNAPSHOT if is_none else PUBLISHED_VERSIONS,
        "OptimizationStatus": "On" if version.is_optimised else "Off",
    }


def _environment_output(configuration: Configuration) -> Output | None:
    variables = dict(configuration.environment)
    if not variables and not configuration.environment_given:
        return None
    return {"Variables": variables}


def _layers_output(version: FunctionVersion) -> Sequence[Output] | None:
    return [{"Arn": layer.arn, "CodeSize": layer.size_bytes} for layer in version.layers] or None


def _last_modified(version: FunctionVersion) -> str:
    """As Lambda writes it: milliseconds, and an offset without a colon."""
    return version.last_modified.strftime("%Y-%m-%dT%H:%M:%S.") + (
        f"{version.last_modified.microsecond // 1000:03}+0000"
    )
