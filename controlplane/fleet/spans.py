"""What a function tells of its own work, from the wire to the model.

A host has checked it against the invocations of its sandbox; what would break a trace or grow it
without end is checked here again, for a host speaks for strangers.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

from controlplane.model.spans import AttributeValue, Span, SpanEvent, SpanKind, SpanLink
from emberd.fleet.v1 import fleet_pb2 as pb
from emberd.wire.times import nanoseconds

ATTRIBUTES_MAX = 64
EVENTS_MAX = 16
LINKS_MAX = 16
TEXT_MAX = 1024
STACKTRACE_MAX = 8 * 1024

_TRACE_ID = re.compile(r"(?!0{32})[0-9a-f]{32}")
_SPAN_ID = re.compile(r"(?!0{16})[0-9a-f]{16}")
_KINDS = {
    pb.SPAN_KIND_SERVER: SpanKind.SERVER,
    pb.SPAN_KIND_CLIENT: SpanKind.CLIENT,
    pb.SPAN_KIND_PRODUCER: SpanKind.PRODUCER,
    pb.SPAN_KIND_CONSUMER: SpanKind.CONSUMER,
}


def span_of(message: pb.FunctionSpan) -> Span | None:
    """The span; None for what is none."""
    parent = message.parent_span_id
    start_ns, end_ns = nanoseconds(message.start_time), nanoseconds(message.end_time)
    if not (_TRACE_ID.fullmatch(message.trace_id) and _SPAN_ID.fullmatch(message.span_id)):
        return None
    if (parent and not _SPAN_ID.fullmatch(parent)) or not message.function_name:
        return None
    if not 0 < start_ns <= end_ns:
        return None
    return Span(
        trace_id=message.trace_id,
        span_id=message.span_id,
        parent_span_id=parent,
        name=message.name[:TEXT_MAX] or "(unnamed)",
        kind=_KINDS.get(message.kind, SpanKind.INTERNAL),
        start_ns=start_ns,
        end_ns=end_ns,
        attributes=_attributes(message.attributes),
        error_type=message.error_type[:TEXT_MAX],
        error_message=message.error_message[:TEXT_MAX],
        events=tuple(
            SpanEvent(
                name=each.name[:TEXT_MAX],
                time_ns=nanoseconds(each.time),
                attributes=_attributes(each.attributes),
            )
            for each in message.events[:EVENTS_MAX]
        ),
        links=tuple(
            SpanLink(trace_id=each.trace_id, span_id=each.span_id)
            for each in message.links[:LINKS_MAX]
            if _TRACE_ID.fullmatch(each.trace_id) and _SPAN_ID.fullmatch(each.span_id)
        ),
        function=message.function_name[:TEXT_MAX],
    )


def _attributes(values: Mapping[str, pb.SpanValue]) -> dict[str, AttributeValue]:
    attributes: dict[str, AttributeValue] = {}
    for key in sorted(values)[:ATTRIBUTES_MAX]:
        value = _value(key, values[key])
        if key and value is not None:
            attributes[key[:TEXT_MAX]] = value
    return attributes


def _value(key: str, value: pb.SpanValue) -> AttributeValue | None:
    match value.WhichOneof("value"):
        case "text":
            return value.text[: STACKTRACE_MAX if key == "exception.stacktrace" else TEXT_MAX]
        case "integer":
            return value.integer
        case "number":
            # JSON has no words for the others.
            return value.number if math.isfinite(value.number) else None
        case "truth":
            return value.truth
        case _:
            return None
