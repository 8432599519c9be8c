"""Log streams: CreateLogStream, DescribeLogStreams, DeleteLogStream."""

from __future__ import annotations

import operator
from collections.abc import Mapping
from typing import TYPE_CHECKING

from controlplane.api.aws.logs.paging import (
    group_name_of,
    invalid,
    read_token,
    write_token,
)
from controlplane.api.aws.operation import Call, Handler, Output
from controlplane.api.aws.services import Services
from controlplane.model.log_groups import StreamView

if TYPE_CHECKING:
    from types_boto3_logs.type_defs import (
        CreateLogStreamRequestTypeDef,
        DeleteLogStreamRequestTypeDef,
        DescribeLogStreamsRequestTypeDef,
    )

PAGE = 50
BY_TIME = "LastEventTime"


async def create_log_stream(
    services: Services, call: Call, request: CreateLogStreamRequestTypeDef
) -> Output:
    """Make a stream."""
    await services.logs.create_stream(request["logGroupName"], request["logStreamName"])
    return {}


async def delete_log_stream(
    services: Services, call: Call, request: DeleteLogStreamRequestTypeDef
) -> Output:
    """Remove a stream with everything in it."""
    await services.logs.delete_stream(request["logGroupName"], request["logStreamName"])
    return {}


async def describe_log_streams(
    services: Services, call: Call, request: DescribeLogStreamsRequestTypeDef
) -> Output:
    """A page of the streams of a group, by name or by the time of their last event."""
    name = group_name_of(request.get("logGroupName", ""), request.get("logGroupIdentifier", ""))
    prefix = request.get("logStreamNamePrefix", "")
    by_time = request.get("orderBy") == BY_TIME
    if by_time and prefix:
        raise invalid("Cannot order by LastEventTime with a logStreamNamePrefix.")
    descending = request.get("descending", False)
    streams = [each for each in await services.logs.streams(name) if each.name.startswith(prefix)]
    ordered = sorted(streams, key=lambda each: _key(each, by_time=by_time), reverse=descending)
    token = request.get("nextToken", "")
    if token:
        time_ms, last = read_token(token, int, str)
        place = (int(time_ms), str(last))
        follows = operator.lt if descending else operator.gt
        ordered = [each for each in ordered if follows(_key(each, by_time=by_time), place)]
    page = ordered[: request.get("limit", PAGE)]
    more = len(ordered) > len(page)
    arn = services.arns.log_group_arn(name)
    return {
        "logStreams": [_shown(arn, each) for each in page],
        "nextToken": write_token(*_key(page[-1], by_time=by_time)) if more else None,
    }


def _key(stream: StreamView, *, by_time: bool) -> tuple[int, str]:
    return ((stream.last_event_ms or 0) if by_time else 0, stream.name)


def _shown(group_arn: str, stream: StreamView) -> Output:
    return {
        "logStreamName": stream.name,
        "creationTime": stream.created_ms,
        "firstEventTimestamp": stream.first_event_ms,
        "lastEventTimestamp": stream.last_event_ms,
        "lastIngestionTime": stream.last_event_ms,
        "arn": f"{group_arn}:log-stream:{stream.name}",
        "storedBytes": stream.stored_bytes,
    }


OPERATIONS: Mapping[str, Handler] = {
    "CreateLogStream": create_log_stream,
    "DeleteLogStream": delete_log_stream,
    "DescribeLogStreams": describe_log_streams,
}
