"""Code signing: the configurations, and which function has which."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from controlplane.api.aws.operation import Call, Handler, Output
from controlplane.api.aws.services import Services
from controlplane.model.code_signing import WARN, CodeSigningConfig
from controlplane.registry.settings.code_signing import CodeSigningChange

if TYPE_CHECKING:
    from types_boto3_lambda.type_defs import (
        CreateCodeSigningConfigRequestTypeDef,
        DeleteCodeSigningConfigRequestTypeDef,
        DeleteFunctionCodeSigningConfigRequestTypeDef,
        GetCodeSigningConfigRequestTypeDef,
        GetFunctionCodeSigningConfigRequestTypeDef,
        ListCodeSigningConfigsRequestTypeDef,
        ListFunctionsByCodeSigningConfigRequestTypeDef,
        PutFunctionCodeSigningConfigRequestTypeDef,
        UpdateCodeSigningConfigRequestTypeDef,
    )


async def create_code_signing(
    services: Services, call: Call, request: CreateCodeSigningConfigRequestTypeDef
) -> Output:
    """Make a configuration."""
    policies = request.get("CodeSigningPolicies", {})
    config = await services.settings.code_signing.create(
        description=request.get("Description", ""),
        signing_profile_arns=request["AllowedPublishers"]["SigningProfileVersionArns"],
        policy=policies.get("UntrustedArtifactOnDeployment", WARN),
        tags=request.get("Tags", {}),
    )
    return {"CodeSigningConfig": _output(config)}


async def get_code_signing(
    services: Services, call: Call, request: GetCodeSigningConfigRequestTypeDef
) -> Output:
    """One configuration."""
    config = services.settings.code_signing.get(request["CodeSigningConfigArn"])
    return {"CodeSigningConfig": _output(config)}


async def list_code_signing(
    services: Services, call: Call, request: ListCodeSigningConfigsRequestTypeDef
) -> Output:
    """One page of all configurations."""
    page = services.settings.code_signing.list(
        request.get("Marker", ""), request.get("MaxItems", 0)
    )
    return {
        "CodeSigningConfigs": [_output(each) for each in page.items],
        "NextMarker": page.next_marker or None,
    }


async def update_code_signing(
    services: Services, call: Call, request: UpdateCodeSigningConfigRequestTypeDef
) -> Output:
    """Change what is given."""
    publishers = request.get("AllowedPublishers")
    change = CodeSigningChange(
        description=request.get("Description"),
        signing_profile_arns=publishers and publishers["SigningProfileVersionArns"],
        policy=request.get("CodeSigningPolicies", {}).get("UntrustedArtifactOnDeployment"),
    )
    config = await services.settings.code_signing.update(request["CodeSigningConfigArn"], change)
    return {"CodeSigningConfig": _output(config)}


async def delete_code_signing(
    services: Services, call: Call, request: DeleteCodeSigningConfigRequestTypeDef
) -> Output:
    """Delete a configuration that no function has."""
    await services.settings.code_signing.delete(request["CodeSigningConfigArn"])
    return {}


async def list_functions_by_code_signing(
    services: Services, call: Call, request: ListFunctionsByCodeSigningConfigRequestTypeDef
) -> Output:
    """One page of the functions that have a configuration."""
    page = services.settings.code_signing.functions_of(
        request["CodeSigningConfigArn"], request.get("Marker", ""), request.get("MaxItems", 0)
    )
    return {"FunctionArns": page.items, "NextMarker": page.next_marker or None}


async def put_function_code_signing(
    services: Services, call: Call, request: PutFunctionCodeSigningConfigRequestTypeDef
) -> Output:
    """Give a function a configuration."""
    arn = request["CodeSigningConfigArn"]
    name = await services.settings.code_signing.put_function(request["FunctionName"], arn)
    return {"CodeSigningConfigArn": arn, "FunctionName": name}


async def get_function_code_signing(
    services: Services, call: Call, request: GetFunctionCodeSigningConfigRequestTypeDef
) -> Output:
    """A function's configuration; a function that has none gets an empty answer."""
    arn, name = services.settings.code_signing.of_function(request["FunctionName"])
    return {"CodeSigningConfigArn": arn, "FunctionName": name} if arn else {}


async def delete_function_code_signing(
    services: Services, call: Call, request: DeleteFunctionCodeSigningConfigRequestTypeDef
) -> Output:
    """Take a function's configuration from it."""
    await services.settings.code_signing.delete_function(request["FunctionName"])
    return {}


def _output(config: CodeSigningConfig) -> Output:
    modified = config.last_modified.isoformat(timespec="milliseconds")
    return {
        "CodeSigningConfigId": config.config_id,
        "CodeSigningConfigArn": config.arn,
        "Description": config.description or None,
        "AllowedPublishers": {"SigningProfileVersionArns": config.signing_profile_arns},
        "CodeSigningPolicies": {"UntrustedArtifactOnDeployment": config.policy},
        "LastModified": modified.replace("+00:00", "+0000"),
    }


OPERATIONS: Mapping[str, Handler] = {
    "CreateCodeSigningConfig": create_code_signing,
    "DeleteCodeSigningConfig": delete_code_signing,
    "DeleteFunctionCodeSigningConfig": delete_function_code_signing,
    "GetCodeSigningConfig": get_code_signing,
    "GetFunctionCodeSigningConfig": get_function_code_signing,
    "ListCodeSigningConfigs": list_code_signing,
    "ListFunctionsByCodeSigningConfig": list_functions_by_code_signing,
    "PutFunctionCodeSigningConfig": put_function_code_signing,
    "UpdateCodeSigningConfig": update_code_signing,
}
