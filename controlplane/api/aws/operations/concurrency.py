"""Reserved and provisioned concurrency: PutFunctionConcurrency and its kin."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from controlplane.api.aws.operation import Call, Handler, Output
from controlplane.api.aws.services import Services
from controlplane.registry.settings.provisioned import ProvisionedView

if TYPE_CHECKING:
    from types_boto3_lambda.type_defs import (
        DeleteFunctionConcurrencyRequestTypeDef,
        DeleteProvisionedConcurrencyConfigRequestTypeDef,
        GetFunctionConcurrencyRequestTypeDef,
        GetProvisionedConcurrencyConfigRequestTypeDef,
        ListProvisionedConcurrencyConfigsRequestTypeDef,
        PutFunctionConcurrencyRequestTypeDef,
        PutProvisionedConcurrencyConfigRequestTypeDef,
    )


async def put_function_concurrency(
    services: Services, call: Call, request: PutFunctionConcurrencyRequestTypeDef
) -> Output:
    """Reserve concurrency for a function."""
    reserved = await services.settings.reservations.put(
        request["FunctionName"], request["ReservedConcurrentExecutions"]
    )
    return {"ReservedConcurrentExecutions": reserved}


async def get_function_concurrency(
    services: Services, call: Call, request: GetFunctionConcurrencyRequestTypeDef
) -> Output:
    """What is reserved for a function."""
    reserved = services.settings.reservations.get(request["FunctionName"])
    return {"ReservedConcurrentExecutions": reserved}


async def delete_function_concurrency(
    services: Services, call: Call, request: DeleteFunctionConcurrencyRequestTypeDef
) -> Output:
    """Reserve nothing any more."""
    await services.settings.reservations.delete(request["FunctionName"])
    return {}


async def put_provisioned_concurrency(
    services: Services, call: Call, request: PutProvisionedConcurrencyConfigRequestTypeDef
) -> Output:
    """Want environments ready for a version or alias."""
    view = await services.settings.provisioned.put(
        request["FunctionName"], request["Qualifier"], request["ProvisionedConcurrentExecutions"]
    )
    return _provisioned_output(view)


async def get_provisioned_concurrency(
    services: Services, call: Call, request: GetProvisionedConcurrencyConfigRequestTypeDef
) -> Output:
    """What is wanted for a version or alias, and how far it has come."""
    provisioned = services.settings.provisioned
    return _provisioned_output(provisioned.get(request["FunctionName"], request["Qualifier"]))


async def list_provisioned_concurrency(
    services: Services, call: Call, request: ListProvisionedConcurrencyConfigsRequestTypeDef
) -> Output:
    """One page of a function's provisioned concurrency."""
    page = services.settings.provisioned.list(
        request["FunctionName"], request.get("Marker", ""), request.get("MaxItems", 0)
    )
    return {
        "ProvisionedConcurrencyConfigs": [
            {"FunctionArn": each.function_arn, **_provisioned_output(each)} for each in page.items
        ],
        "NextMarker": page.next_marker or None,
    }


async def delete_provisioned_concurrency(
    services: Services, call: Call, request: DeleteProvisionedConcurrencyConfigRequestTypeDef
) -> Output:
    """Want none ready any more."""
    await services.settings.provisioned.delete(request["FunctionName"], request["Qualifier"])
    return {}


def _provisioned_output(view: ProvisionedView) -> Output:
    return {
        "RequestedProvisionedConcurrentExecutions": view.config.requested,
        "AvailableProvisionedConcurrentExecutions": view.allocation.available,
        "AllocatedProvisionedConcurrentExecutions": view.allocation.allocated,
        "Status": view.allocation.status.value,
        "StatusReason": view.allocation.reason or None,
        "LastModified": view.config.last_modified.strftime("%Y-%m-%dT%H:%M:%S+0000"),
    }


OPERATIONS: Mapping[str, Handler] = {
    "DeleteFunctionConcurrency": delete_function_concurrency,
    "DeleteProvisionedConcurrencyConfig": delete_provisioned_concurrency,
    "GetFunctionConcurrency": get_function_concurrency,
    "GetProvisionedConcurrencyConfig": get_provisioned_concurrency,
    "ListProvisionedConcurrencyConfigs": list_provisioned_concurrency,
    "PutFunctionConcurrency": put_function_concurrency,
    "PutProvisionedConcurrencyConfig": put_provisioned_concurrency,
}
