"""CreateAlias, GetAlias, ListAliases, UpdateAlias, DeleteAlias."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from controlplane.api.aws.operation import Call, Handler, Output
from controlplane.api.aws.services import Services
from controlplane.registry.aliases import AliasChange
from controlplane.registry.views import AliasView

if TYPE_CHECKING:
    from types_boto3_lambda.type_defs import (
        AliasRoutingConfigurationUnionTypeDef,
        CreateAliasRequestTypeDef,
        DeleteAliasRequestTypeDef,
        GetAliasRequestTypeDef,
        ListAliasesRequestTypeDef,
        UpdateAliasRequestTypeDef,
    )


async def create_alias(
    services: Services, call: Call, request: CreateAliasRequestTypeDef
) -> Output:
    """Name a version."""
    view = await services.registry.aliases.create(
        request["FunctionName"],
        request["Name"],
        function_version=request["FunctionVersion"],
        description=request.get("Description", ""),
        weights=_weights(request.get("RoutingConfig")),
    )
    return alias_output(view)


async def get_alias(services: Services, call: Call, request: GetAliasRequestTypeDef) -> Output:
    """One alias."""
    return alias_output(services.registry.aliases.get(request["FunctionName"], request["Name"]))


async def list_aliases(
    services: Services, call: Call, request: ListAliasesRequestTypeDef
) -> Output:
    """One page of a function's aliases."""
    page = services.registry.aliases.list(
        request["FunctionName"],
        function_version=request.get("FunctionVersion", ""),
        marker=request.get("Marker", ""),
        max_items=request.get("MaxItems", 0),
    )
    return {
        "Aliases": [alias_output(each) for each in page.items],
        "NextMarker": page.next_marker or None,
    }


async def update_alias(
    services: Services, call: Call, request: UpdateAliasRequestTypeDef
) -> Output:
    """Change what is given."""
    routing = request.get("RoutingConfig")
    view = await services.registry.aliases.update(
        request["FunctionName"],
        request["Name"],
        AliasChange(
            function_version=request.get("FunctionVersion"),
            description=request.get("Description"),
            weights=None if routing is None else _weights(routing),
        ),
        revision_id=request.get("RevisionId", ""),
    )
    return alias_output(view)


async def delete_alias(
    services: Services, call: Call, request: DeleteAliasRequestTypeDef
) -> Output:
    """Delete an alias; a missing one is no error."""
    await services.registry.aliases.delete(request["FunctionName"], request["Name"])
    return {}


def alias_output(view: AliasView) -> Output:
    """An alias as the model's AliasConfiguration."""
    alias = view.alias
    weights = dict(alias.weights)
    return {
        "AliasArn": view.alias_arn,
        "Name": alias.name,
        "FunctionVersion": alias.function_version,
        "Description": alias.description,
        "RoutingConfig": {"AdditionalVersionWeights": weights} if weights else None,
        "RevisionId": alias.lambda_revision_id,
    }


def _weights(routing: AliasRoutingConfigurationUnionTypeDef | None) -> Mapping[str, float]:
    return {} if routing is None else dict(routing.get("AdditionalVersionWeights", {}))


OPERATIONS: Mapping[str, Handler] = {
    "CreateAlias": create_alias,
    "DeleteAlias": delete_alias,
    "GetAlias": get_alias,
    "ListAliases": list_aliases,
    "UpdateAlias": update_alias,
}
