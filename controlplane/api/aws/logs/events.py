"""Log events: FilterLogEvents, GetLogEvents, PutLogEvents."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from controlplane.api.aws.logs.paging import group_name_of, invalid, read_token, write_token
from controlplane.api.aws.operation import Call, Handler, Output
from controlplane.api.aws.services import Services
from controlplane.model.log_groups import DAY_MS, MS, EventQuery, LogEvent, Position
from controlplane.model.log_patterns import matcher
from controlplane.registry.log_book import PutEvent
from controlplane.storage.log_events import EVENT_OVERHEAD_BYTES

if TYPE_CHECKING:
    from types_boto3_logs.type_defs import (
        FilterLogEventsRequestTypeDef,
        GetLogEventsRequestTypeDef,
        PutLogEventsRequestTypeDef,
    )

EVENTS_MAX = 10_000
BATCH_BYTES_MAX = 1_048_576
LAST_MS = (1 << 63) // MS - 1
"""The last millisecond whose nanoseconds the store can count."""
FORWARD, BACKWARD = "f", "b"


async def filter_log_events(
    services: Services, call: Call, request: FilterLogEventsRequestTypeDef
) -> Output:
    """A page of a group's events in order of time. A page may be empty and not the last."""
    names, prefix = request.get("logStreamNames"), request.get("logStreamNamePrefix", "")
    if names and prefix:
        raise invalid("logStreamNames and logStreamNamePrefix cannot be given together.")
    pattern = request.get("filterPattern", "")
    token = request.get("nextToken", "")
    query = EventQuery(
        group=group_name_of(request.get("logGroupName", ""), request.get("logGroupIdentifier", "")),
        streams=frozenset(names) if names else None,
        stream_prefix=prefix,
        start_ns=_ns(request.get("startTime", 0)),
        # Of this operation, unlike GetLogEvents, the end belongs to what is asked for.
        end_ns=_ns(request.get("endTime", LAST_MS - 1) + 1),
        wants=matcher(pattern) if pattern.strip() else None,
        after=_position(*read_token(token, int, int)) if token else None,
        events_max=request.get("limit", EVENTS_MAX),
    )
    page = await services.logs.select(query)
    return {
        "events": [_filtered(each) for each in page.events],
        "searchedLogStreams": [],
        "nextToken": None
        if page.next is None
        else write_token(page.next.time_ns, page.next.event_id),
    }


async def get_log_events(
    services: Services, call: Call, request: GetLogEventsRequestTypeDef
) -> Output:
    """A page of one stream: its end, or its beginning, or what is beyond a token."""
    name = group_name_of(request.get("logGroupName", ""), request.get("logGroupIdentifier", ""))
    stream = request["logStreamName"]
    await services.logs.demand_stream(name, stream)
    backward, after = not request.get("startFromHead", False), None
    token = request.get("nextToken", "")
    if token:
        way, time_ns, event_id = read_token(token, str, int, int)
        backward, after = way == BACKWARD, _position(time_ns, event_id)
    query = EventQuery(
        group=name,
        streams=frozenset((stream,)),
        start_ns=_ns(request.get("startTime", 0)),
        end_ns=_ns(request.get("endTime", LAST_MS)),
        after=after,
        backward=backward,
        events_max=request.get("limit", EVENTS_MAX),
    )
    page = await services.logs.select(query)
    first, last = _ends(page.events, query, page.next)
    return {
        "events": [_shown(each) for each in page.events],
        "nextForwardToken": write_token(FORWARD, last.time_ns, last.event_id),
        "nextBackwardToken": write_token(BACKWARD, first.time_ns, first.event_id),
    }


async def put_log_events(
    services: Services, call: Call, request: PutLogEventsRequestTypeDef
) -> Output:
    """Take events for a stream that exists."""
    events = [
        PutEvent(time_ms=min(each["timestamp"], LAST_MS), message=each["message"])
        for each in request["logEvents"]
    ]
    times = [each.time_ms for each in events]
    if times != sorted(times):
        raise invalid("Log events in a single PutLogEvents request must be in chronological order.")
    if times[-1] - times[0] > DAY_MS:
        raise invalid(
            "The batch of log events in a single PutLogEvents request cannot span more than "
            "24 hours."
        )
    size = sum(len(each.message.encode(errors="replace")) for each in events)
    if size + EVENT_OVERHEAD_BYTES * len(events) > BATCH_BYTES_MAX:
        raise invalid(f"Upload too large: more than {BATCH_BYTES_MAX} bytes")
    rejected = await services.logs.put(request["logGroupName"], request["logStreamName"], events)
    info = {
        "tooOldLogEventEndIndex": rejected.before,
        "tooNewLogEventStartIndex": rejected.since,
    }
    return {
        # Nobody needs it any more, but older loggers look for it.
        "nextSequenceToken": f"{call.arrival_ns:056d}",
        "rejectedLogEventsInfo": info if any(each is not None for each in info.values()) else None,
    }


def _ends(
    events: tuple[LogEvent, ...], query: EventQuery, looked_until: Position | None
) -> tuple[Position, Position]:
    """Where pages before and after this one go on; of an empty one where it began itself."""
    if events:
        return events[0].position, events[-1].position
    start = Position(time_ns=query.start_ns - 1, event_id=0)
    end = Position(time_ns=query.end_ns, event_id=0)
    if query.backward:
        before, after = looked_until or query.after or end, query.after or end
    else:
        before, after = query.after or start, looked_until or query.after or start
    return before, after


def _position(time_ns: str | int, event_id: str | int) -> Position:
    return Position(time_ns=int(time_ns), event_id=int(event_id))


def _ns(time_ms: int) -> int:
    return min(max(time_ms, 0), LAST_MS) * MS


def _filtered(event: LogEvent) -> Output:
    return {
        "logStreamName": event.stream,
        "timestamp": event.position.time_ns // MS,
        "message": event.text,
        "ingestionTime": event.position.time_ns // MS,
        "eventId": f"{event.position.event_id:056d}",
    }


def _shown(event: LogEvent) -> Output:
    time_ms = event.position.time_ns // MS
    return {"timestamp": time_ms, "message": event.text, "ingestionTime": time_ms}


OPERATIONS: Mapping[str, Handler] = {
    "FilterLogEvents": filter_log_events,
    "GetLogEvents": get_log_events,
    "PutLogEvents": put_log_events,
}
