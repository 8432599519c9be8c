"""TagResource, UntagResource, ListTags."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from controlplane.api.aws.operation import Call, Handler, Output
from controlplane.api.aws.services import Services

if TYPE_CHECKING:
    from types_boto3_lambda.type_defs import (
        ListTagsRequestTypeDef,
        TagResourceRequestTypeDef,
        UntagResourceRequestTypeDef,
    )


async def tag_resource(
    services: Services, call: Call, request: TagResourceRequestTypeDef
) -> Output:
    """Set tags."""
    await services.settings.tags.add(request["Resource"], request["Tags"])
    return {}


async def untag_resource(
    services: Services, call: Call, request: UntagResourceRequestTypeDef
) -> Output:
    """Remove tags."""
    await services.settings.tags.remove(request["Resource"], request["TagKeys"])
    return {}


async def list_tags(services: Services, call: Call, request: ListTagsRequestTypeDef) -> Output:
    """All tags of a resource."""
    return {"Tags": services.settings.tags.list(request["Resource"])}


OPERATIONS: Mapping[str, Handler] = {
    "ListTags": list_tags,
    "TagResource": tag_resource,
    "UntagResource": untag_resource,
}
