"""PublishLayerVersion, GetLayerVersion and their kin, and the policies of layer versions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from controlplane.api.aws.operation import Call, Handler, Output
from controlplane.api.aws.operations.functions import code_of
from controlplane.api.aws.services import Services
from controlplane.model.layers import LayerStatement
from controlplane.registry.layer_registry import LayerDescription, LayerVersionView

if TYPE_CHECKING:
    from types_boto3_lambda.type_defs import (
        AddLayerVersionPermissionRequestTypeDef,
        DeleteLayerVersionRequestTypeDef,
        GetLayerVersionByArnRequestTypeDef,
        GetLayerVersionPolicyRequestTypeDef,
        GetLayerVersionRequestTypeDef,
        ListLayersRequestTypeDef,
        ListLayerVersionsRequestTypeDef,
        PublishLayerVersionRequestTypeDef,
        RemoveLayerVersionPermissionRequestTypeDef,
    )


async def publish_layer_version(
    services: Services, call: Call, request: PublishLayerVersionRequestTypeDef
) -> Output:
    """Make the next version of a layer."""
    view = await services.registry.layers.publish(
        request["LayerName"],
        code_of(request["Content"]),
        LayerDescription(
            text=request.get("Description", ""),
            license_info=request.get("LicenseInfo"),
            runtimes=tuple(request.get("CompatibleRuntimes", ())),
            architectures=tuple(request.get("CompatibleArchitectures", ())),
        ),
    )
    return _version_output(services, call, view)


async def get_layer_version(
    services: Services, call: Call, request: GetLayerVersionRequestTypeDef
) -> Output:
    """One version, and where its package can be fetched."""
    view = services.registry.layers.get(request["LayerName"], request["VersionNumber"])
    return _version_output(services, call, view)


async def get_layer_version_by_arn(
    services: Services, call: Call, request: GetLayerVersionByArnRequestTypeDef
) -> Output:
    """The same by the version's ARN."""
    return _version_output(services, call, services.registry.layers.get_by_arn(request["Arn"]))


async def list_layers(services: Services, call: Call, request: ListLayersRequestTypeDef) -> Output:
    """One page of layers with their newest version that suits."""
    page = services.registry.layers.list(
        runtime_id=request.get("CompatibleRuntime", ""),
        architecture=request.get("CompatibleArchitecture", ""),
        marker=request.get("Marker", ""),
        max_items=request.get("MaxItems", 0),
    )
    return {
        "Layers": [
            {
                "LayerName": each.version.layer_name,
                "LayerArn": each.layer_arn,
                "LatestMatchingVersion": _listed_output(each),
            }
            for each in page.items
        ],
        "NextMarker": page.next_marker or None,
    }


async def list_layer_versions(
    services: Services, call: Call, request: ListLayerVersionsRequestTypeDef
) -> Output:
    """One page of a layer's versions, newest first."""
    page = services.registry.layers.list_versions(
        request["LayerName"],
        runtime_id=request.get("CompatibleRuntime", ""),
        architecture=request.get("CompatibleArchitecture", ""),
        marker=request.get("Marker", ""),
        max_items=request.get("MaxItems", 0),
    )
    return {
        "LayerVersions": [_listed_output(each) for each in page.items],
        "NextMarker": page.next_marker or None,
    }


async def delete_layer_version(
    services: Services, call: Call, request: DeleteLayerVersionRequestTypeDef
) -> Output:
    """Delete a version; functions that use it keep it, and a missing one is no error."""
    await services.registry.layers.delete(request["LayerName"], request["VersionNumber"])
    return {}


async def add_layer_version_permission(
    services: Services, call: Call, request: AddLayerVersionPermissionRequestTypeDef
) -> Output:
    """Let an account, an organization or everyone use a version."""
    statement = await services.registry.layers.add_permission(
        request["LayerName"],
        request["VersionNumber"],
        LayerStatement(
            statement_id=request["StatementId"],
            principal=request["Principal"],
            organization_id=request.get("OrganizationId", ""),
        ),
        revision_id=request.get("RevisionId", ""),
    )
    return {"Statement": statement.text, "RevisionId": statement.revision_id}


async def get_layer_version_policy(
    services: Services, call: Call, request: GetLayerVersionPolicyRequestTypeDef
) -> Output:
    """A version's policy."""
    policy = services.registry.layers.policy(request["LayerName"], request["VersionNumber"])
    return {"Policy": policy.text, "RevisionId": policy.revision_id}


async def remove_layer_version_permission(
    services: Services, call: Call, request: RemoveLayerVersionPermissionRequestTypeDef
) -> Output:
    """Take a statement out of a version's policy."""
    await services.registry.layers.remove_permission(
        request["LayerName"],
        request["VersionNumber"],
        request["StatementId"],
        revision_id=request.get("RevisionId", ""),
    )
    return {}


def _version_output(services: Services, call: Call, view: LayerVersionView) -> Output:
    version = view.version
    return {
        **_listed_output(view),
        "LayerArn": view.layer_arn,
        "Content": {
            "Location": services.downloads.location(call.endpoint, version.artifact_id),
            "CodeSha256": version.code_sha256,
            "CodeSize": version.size_bytes,
        },
    }


def _listed_output(view: LayerVersionView) -> Output:
    version = view.version
    return {
        "LayerVersionArn": view.version_arn,
        "Version": version.number,
        "Description": version.description,
        "CreatedDate": _created(version.created),
        "CompatibleRuntimes": _given(version.runtimes),
        "CompatibleArchitectures": _given(version.architectures),
        "LicenseInfo": version.license_info,
    }


def _given(values: Sequence[str]) -> list[str] | None:
    return list(values) or None


def _created(moment: datetime) -> str:
    """As Lambda writes it: milliseconds, and an offset without a colon."""
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03}+0000"


OPERATIONS: Mapping[str, Handler] = {
    "AddLayerVersionPermission": add_layer_version_permission,
    "DeleteLayerVersion": delete_layer_version,
    "GetLayerVersion": get_layer_version,
    "GetLayerVersionByArn": get_layer_version_by_arn,
    "GetLayerVersionPolicy": get_layer_version_policy,
    "ListLayerVersions": list_layer_versions,
    "ListLayers": list_layers,
    "PublishLayerVersion": publish_layer_version,
    "RemoveLayerVersionPermission": remove_layer_version_permission,
}
