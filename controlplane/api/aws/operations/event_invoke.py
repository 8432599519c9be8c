"""Event-invoke configurations: PutFunctionEventInvokeConfig and its kin."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from controlplane.api.aws.operation import Call, Handler, Output
from controlplane.api.aws.services import Services
from controlplane.registry.settings.event_invokes import (
    Destinations,
    EventInvokeChange,
    EventInvokeView,
)

if TYPE_CHECKING:
    from types_boto3_lambda.type_defs import (
        DeleteFunctionEventInvokeConfigRequestTypeDef,
        DestinationConfigTypeDef,
        GetFunctionEventInvokeConfigRequestTypeDef,
        ListFunctionEventInvokeConfigsRequestTypeDef,
        PutFunctionEventInvokeConfigRequestTypeDef,
        UpdateFunctionEventInvokeConfigRequestTypeDef,
    )


async def put_event_invoke(
    services: Services, call: Call, request: PutFunctionEventInvokeConfigRequestTypeDef
) -> Output:
    """Replace the whole configuration."""
    view = await services.settings.event_invokes.put(
        request["FunctionName"], request.get("Qualifier", ""), _change(request)
    )
    return _output(view)


async def update_event_invoke(
    services: Services, call: Call, request: UpdateFunctionEventInvokeConfigRequestTypeDef
) -> Output:
    """Change what is given."""
    view = await services.settings.event_invokes.update(
        request["FunctionName"], request.get("Qualifier", ""), _change(request)
    )
    return _output(view)


async def get_event_invoke(
    services: Services, call: Call, request: GetFunctionEventInvokeConfigRequestTypeDef
) -> Output:
    """One configuration."""
    event_invokes = services.settings.event_invokes
    return _output(event_invokes.get(request["FunctionName"], request.get("Qualifier", "")))


async def list_event_invokes(
    services: Services, call: Call, request: ListFunctionEventInvokeConfigsRequestTypeDef
) -> Output:
    """One page of a function's configurations."""
    page = services.settings.event_invokes.list(
        request["FunctionName"], request.get("Marker", ""), request.get("MaxItems", 0)
    )
    return {
        "FunctionEventInvokeConfigs": [_output(each) for each in page.items],
        "NextMarker": page.next_marker or None,
    }


async def delete_event_invoke(
    services: Services, call: Call, request: DeleteFunctionEventInvokeConfigRequestTypeDef
) -> Output:
    """Delete one configuration."""
    await services.settings.event_invokes.delete(
        request["FunctionName"], request.get("Qualifier", "")
    )
    return {}


def _change(
    request: PutFunctionEventInvokeConfigRequestTypeDef
    | UpdateFunctionEventInvokeConfigRequestTypeDef,
) -> EventInvokeChange:
    return EventInvokeChange(
        retry_attempts_max=request.get("MaximumRetryAttempts"),
        event_age_max_s=request.get("MaximumEventAgeInSeconds"),
        destinations=_destinations(request.get("DestinationConfig")),
    )


def _destinations(config: DestinationConfigTypeDef | None) -> Destinations | None:
    if config is None:
        return None
    success, failure = config.get("OnSuccess"), config.get("OnFailure")
    return Destinations(
        on_success=None if success is None else success.get("Destination", ""),
        on_failure=None if failure is None else failure.get("Destination", ""),
    )


def _output(view: EventInvokeView) -> Output:
    config = view.config
    return {
        "LastModified": config.last_modified,
        "FunctionArn": view.function_arn,
        "MaximumRetryAttempts": config.retry_attempts_max,
        "MaximumEventAgeInSeconds": config.event_age_max_s,
        "DestinationConfig": {
            "OnSuccess": {"Destination": config.on_success or None},
            "OnFailure": {"Destination": config.on_failure or None},
        },
    }


OPERATIONS: Mapping[str, Handler] = {
    "DeleteFunctionEventInvokeConfig": delete_event_invoke,
    "GetFunctionEventInvokeConfig": get_event_invoke,
    "ListFunctionEventInvokeConfigs": list_event_invokes,
    "PutFunctionEventInvokeConfig": put_event_invoke,
    "UpdateFunctionEventInvokeConfig": update_event_invoke,
}
