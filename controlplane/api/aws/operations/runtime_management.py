"""Runtime management and recursion of functions, and the scaling that only instances have."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Never

from controlplane.api.aws.operation import Call, Handler, Output
from controlplane.api.aws.services import Services
from controlplane.model.settings import RuntimeManagement
from controlplane.registry.settings.behaviour import RuntimeManagementView
from emberd.wire.errors import InvalidArgumentError

if TYPE_CHECKING:
    from types_boto3_lambda.type_defs import (
        GetFunctionRecursionConfigRequestTypeDef,
        GetFunctionScalingConfigRequestTypeDef,
        GetRuntimeManagementConfigRequestTypeDef,
        PutFunctionRecursionConfigRequestTypeDef,
        PutFunctionScalingConfigRequestTypeDef,
        PutRuntimeManagementConfigRequestTypeDef,
    )


async def put_runtime_management(
    services: Services, call: Call, request: PutRuntimeManagementConfigRequestTypeDef
) -> Output:
    """Say when a version takes a newer runtime."""
    config = RuntimeManagement(
        update_on=request["UpdateRuntimeOn"],
        runtime_version_arn=request.get("RuntimeVersionArn", ""),
    )
    view = await services.settings.runtime_managements.put(
        request["FunctionName"], request.get("Qualifier", ""), config
    )
    return _output(view)


async def get_runtime_management(
    services: Services, call: Call, request: GetRuntimeManagementConfigRequestTypeDef
) -> Output:
    """When a version takes a newer runtime."""
    managements = services.settings.runtime_managements
    return _output(managements.get(request["FunctionName"], request.get("Qualifier", "")))


async def put_recursion(
    services: Services, call: Call, request: PutFunctionRecursionConfigRequestTypeDef
) -> Output:
    """Say what becomes of an event that keeps invoking its function."""
    loop = await services.settings.recursion.put(request["FunctionName"], request["RecursiveLoop"])
    return {"RecursiveLoop": loop}


async def get_recursion(
    services: Services, call: Call, request: GetFunctionRecursionConfigRequestTypeDef
) -> Output:
    """What becomes of an event that keeps invoking its function."""
    return {"RecursiveLoop": services.settings.recursion.get(request["FunctionName"])}


async def put_scaling(
    services: Services, call: Call, request: PutFunctionScalingConfigRequestTypeDef
) -> Output:
    """Refused: see below."""
    _refuse_scaling(services, request["FunctionName"], request["Qualifier"])


async def get_scaling(
    services: Services, call: Call, request: GetFunctionScalingConfigRequestTypeDef
) -> Output:
    """Refused: see below."""
    _refuse_scaling(services, request["FunctionName"], request["Qualifier"])


def _refuse_scaling(services: Services, function_name: str, qualifier: str) -> Never:
    """Scaling belongs to functions on capacity providers, of which there are none here."""
    services.registry.get(function_name, qualifier)
    raise InvalidArgumentError(
        "Function scaling configurations are supported only for functions with a capacity "
        "provider (Lambda Managed Instances), which emberd does not have. Use reserved or "
        "provisioned concurrency instead.",
        reason="INVALID_PARAMETER_VALUE",
    )


def _output(view: RuntimeManagementView) -> Output:
    return {
        "UpdateRuntimeOn": view.config.update_on,
        "FunctionArn": view.function_arn,
        "RuntimeVersionArn": view.config.runtime_version_arn or None,
    }


OPERATIONS: Mapping[str, Handler] = {
    "GetFunctionRecursionConfig": get_recursion,
    "GetFunctionScalingConfig": get_scaling,
    "GetRuntimeManagementConfig": get_runtime_management,
    "PutFunctionRecursionConfig": put_recursion,
    "PutFunctionScalingConfig": put_scaling,
    "PutRuntimeManagementConfig": put_runtime_management,
}
