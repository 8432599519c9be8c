"""Log groups: CreateLogGroup, DescribeLogGroups and their kin."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from controlplane.api.aws.logs.paging import invalid, name_in_arn, page_after
from controlplane.api.aws.operation import Call, Handler, Output
from controlplane.api.aws.services import Services
from controlplane.model.log_groups import STANDARD, GroupView, LogGroup
from emberd.wire.errors import InvalidArgumentError

if TYPE_CHECKING:
    from types_boto3_logs.type_defs import (
        CreateLogGroupRequestTypeDef,
        DeleteLogGroupRequestTypeDef,
        DeleteRetentionPolicyRequestTypeDef,
        DescribeLogGroupsRequestTypeDef,
        ListTagsForResourceRequestTypeDef,
        ListTagsLogGroupRequestTypeDef,
        PutRetentionPolicyRequestTypeDef,
        TagResourceRequestTypeDef,
        UntagResourceRequestTypeDef,
    )

PAGE = 50
TAGS_MAX = 50
RETENTION_DAYS = (
    *(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731),
    *(1096, 1827, 2192, 2557, 2922, 3288, 3653),
)
"""The lengths that CloudWatch Logs knows."""


async def create_log_group(
    services: Services, call: Call, request: CreateLogGroupRequestTypeDef
) -> Output:
    """Make a log group."""
    tags = request.get("tags", {})
    _check_tags(tags)
    await services.logs.create_group(
        request["logGroupName"],
        tags=tags,
        kms_key_id=request.get("kmsKeyId", ""),
        log_class=request.get("logGroupClass", STANDARD),
    )
    return {}


async def delete_log_group(
    services: Services, call: Call, request: DeleteLogGroupRequestTypeDef
) -> Output:
    """Remove a log group with everything in it."""
    await services.logs.delete_group(request["logGroupName"])
    return {}


async def describe_log_groups(
    services: Services, call: Call, request: DescribeLogGroupsRequestTypeDef
) -> Output:
    """A page of the log groups whose names begin with, or contain, a text."""
    prefix, pattern = request.get("logGroupNamePrefix", ""), request.get("logGroupNamePattern", "")
    if prefix and pattern:
        raise invalid("LogGroup name prefix and LogGroup name pattern are mutually exclusive.")
    names = {name_in_arn(each) for each in request.get("logGroupIdentifiers", ())}
    log_class = request.get("logGroupClass", "")
    found = [
        (view.group.name, view)
        for view in await services.logs.groups()
        if view.group.name.startswith(prefix)
        and pattern.lower() in view.group.name.lower()
        and (not names or view.group.name in names)
        and (not log_class or view.group.log_class == log_class)
    ]
    page, token = page_after(found, request.get("nextToken", ""), request.get("limit", PAGE))
    return {"logGroups": [_shown(services, view) for view in page], "nextToken": token}


async def put_retention_policy(
    services: Services, call: Call, request: PutRetentionPolicyRequestTypeDef
) -> Output:
    """Show events for so many days."""
    days = request["retentionInDays"]
    if days not in RETENTION_DAYS:
        known = ", ".join(map(str, RETENTION_DAYS))
        raise InvalidArgumentError(
            f"1 validation error detected: Value '{days}' at 'retentionInDays' failed to satisfy "
            f"constraint: Member must satisfy enum value set: [{known}]",
            reason="VALIDATION",
        )
    name = request["logGroupName"]
    await services.logs.change_group(name, lambda group: replace(group, retention_days=days))
    return {}


async def delete_retention_policy(
    services: Services, call: Call, request: DeleteRetentionPolicyRequestTypeDef
) -> Output:
    """Show events for as long as there is room."""
    name = request["logGroupName"]
    await services.logs.change_group(name, lambda group: replace(group, retention_days=None))
    return {}


async def list_tags_for_resource(
    services: Services, call: Call, request: ListTagsForResourceRequestTypeDef
) -> Output:
    """The tags of a log group."""
    group = await services.logs.group(name_in_arn(request["resourceArn"]))
    return {"tags": dict(group.tags)}


async def list_tags_log_group(
    services: Services, call: Call, request: ListTagsLogGroupRequestTypeDef
) -> Output:
    """The same as older tools ask for it."""
    group = await services.logs.group(request["logGroupName"])
    return {"tags": dict(group.tags)}


async def tag_resource(
    services: Services, call: Call, request: TagResourceRequestTypeDef
) -> Output:
    """Set tags of a log group."""

    def add(group: LogGroup) -> LogGroup:
        tags = {**group.tags, **request["tags"]}
        _check_tags(tags)
        return replace(group, tags=tags)

    await services.logs.change_group(name_in_arn(request["resourceArn"]), add)
    return {}


async def untag_resource(
    services: Services, call: Call, request: UntagResourceRequestTypeDef
) -> Output:
    """Remove tags of a log group."""
    keys = set(request["tagKeys"])

    def drop(group: LogGroup) -> LogGroup:
        return replace(group, tags={key: group.tags[key] for key in group.tags if key not in keys})

    await services.logs.change_group(name_in_arn(request["resourceArn"]), drop)
    return {}


def _check_tags(tags: Mapping[str, str]) -> None:
    if len(tags) > TAGS_MAX:
        raise InvalidArgumentError(
            f"A resource can have at most {TAGS_MAX} tags.", reason="TOO_MANY_TAGS"
        )


def _shown(services: Services, view: GroupView) -> Output:
    group = view.group
    arn = services.arns.log_group_arn(group.name)
    return {
        "logGroupName": group.name,
        "creationTime": group.created_ms,
        "retentionInDays": group.retention_days,
        "metricFilterCount": 0,
        "arn": f"{arn}:*",
        "logGroupArn": arn,
        "storedBytes": view.stored_bytes,
        "kmsKeyId": group.kms_key_id or None,
        "logGroupClass": group.log_class,
    }


OPERATIONS: Mapping[str, Handler] = {
    "CreateLogGroup": create_log_group,
    "DeleteLogGroup": delete_log_group,
    "DeleteRetentionPolicy": delete_retention_policy,
    "DescribeLogGroups": describe_log_groups,
    "ListTagsForResource": list_tags_for_resource,
    "ListTagsLogGroup": list_tags_log_group,
    "PutRetentionPolicy": put_retention_policy,
    "TagResource": tag_resource,
    "UntagResource": untag_resource,
}
