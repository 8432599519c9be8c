"""PublishVersion and ListVersionsByFunction."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from controlplane.api.aws.operation import Call, Handler, Output
from controlplane.api.aws.operations.configuration import (
    check_possible,
    configuration_output,
    listed_output,
)
from controlplane.api.aws.services import Services

if TYPE_CHECKING:
    from types_boto3_lambda.type_defs import (
        ListVersionsByFunctionRequestTypeDef,
        PublishVersionRequestTypeDef,
    )


async def publish_version(
    services: Services, call: Call, request: PublishVersionRequestTypeDef
) -> Output:
    """Freeze $LATEST under the next number; without a change the last version is answered."""
    check_possible(request)
    view = await services.registry.versions.publish(
        request["FunctionName"],
        description=request.get("Description", ""),
        code_sha256=request.get("CodeSha256", ""),
        revision_id=request.get("RevisionId", ""),
    )
    return configuration_output(view, services.arns)


async def list_versions_by_function(
    services: Services, call: Call, request: ListVersionsByFunctionRequestTypeDef
) -> Output:
    """One page of $LATEST and every published version."""
    page = services.registry.versions.list(
        request["FunctionName"], request.get("Marker", ""), request.get("MaxItems", 0)
    )
    return {
        "Versions": [listed_output(each) for each in page.items],
        "NextMarker": page.next_marker or None,
    }


OPERATIONS: Mapping[str, Handler] = {
    "ListVersionsByFunction": list_versions_by_function,
    "PublishVersion": publish_version,
}
