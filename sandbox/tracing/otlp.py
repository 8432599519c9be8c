"""OTLP's ExportTraceServiceRequest, read into spans. Pure.

Only imported once some function has sent one: OpenTelemetry's messages are of no use before.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1 import trace_pb2

from sandbox.tracing.spans import (
    EVENTS_MAX,
    LINKS_MAX,
    TEXT_MAX,
    Event,
    FunctionSpan,
    Kind,
    MalformedError,
    attributes_of,
    clean,
    span_id_of,
    trace_id_of,
)

SPANS_MAX = 512
"""Of one request: what SDKs send at once by default."""
_DEPTH_MAX = 4
_ELEMENTS_MAX = 64

_KINDS = {
    trace_pb2.Span.SPAN_KIND_SERVER: Kind.SERVER,
    trace_pb2.Span.SPAN_KIND_CLIENT: Kind.CLIENT,
    trace_pb2.Span.SPAN_KIND_PRODUCER: Kind.PRODUCER,
    trace_pb2.Span.SPAN_KIND_CONSUMER: Kind.CONSUMER,
}


def read_request(body: bytes) -> tuple[list[FunctionSpan], int]:
    """The spans of one request, and how many of it were none.

    Raises:
        MalformedError: it is no request.
    """
    try:
        request = trace_service_pb2.ExportTraceServiceRequest.FromString(body)
    except DecodeError:
        raise MalformedError("the body is no ExportTraceServiceRequest") from None
    spans: list[FunctionSpan] = []
    refused = 0
    for scope, span in _spans(request):
        if len(spans) + refused >= SPANS_MAX:
            # The rest is only counted.
            refused += 1
            continue
        try:
            spans.append(_span(scope, span))
        except MalformedError:
            refused += 1
    return spans, refused


def answer(refused: int) -> bytes:
    """What the sender is told."""
    if not refused:
        return b""
    partial = trace_service_pb2.ExportTracePartialSuccess(
        rejected_spans=refused,
        error_message="not of an invocation of this sandbox whose trace is kept, or too many",
    )
    return trace_service_pb2.ExportTraceServiceResponse(partial_success=partial).SerializeToString()


def _spans(
    request: trace_service_pb2.ExportTraceServiceRequest,
) -> Iterator[tuple[str, trace_pb2.Span]]:
    for resource in request.resource_spans:
        for scope in resource.scope_spans:
            for span in scope.spans:
                yield scope.scope.name, span


def _span(scope: str, span: trace_pb2.Span) -> FunctionSpan:
    failed = span.status.code == trace_pb2.Status.STATUS_CODE_ERROR
    events = tuple(
        Event(
            name=clean(each.name, TEXT_MAX),
            time_ns=each.time_unix_nano & (2**62 - 1),
            attributes=attributes_of(_pairs(each.attributes)),
        )
        for each in span.events[:EVENTS_MAX]
    )
    attributes = attributes_of((*_pairs(span.attributes), ("otel.scope.name", scope or None)))
    return FunctionSpan(
        trace_id=trace_id_of(span.trace_id.hex()),
        span_id=span_id_of(span.span_id.hex()),
        parent_span_id=span_id_of(span.parent_span_id.hex()) if span.parent_span_id else "",
        name=clean(span.name, TEXT_MAX) or "(unnamed)",
        kind=_KINDS.get(span.kind, Kind.INTERNAL),
        start_ns=span.start_time_unix_nano,
        end_ns=span.end_time_unix_nano,
        attributes=attributes,
        error_type=_error_type(attributes, events) if failed else "",
        error_message=clean(span.status.message, TEXT_MAX) if failed else "",
        events=events,
        links=tuple(_links(span.links[:LINKS_MAX])),
    )


def _error_type(attributes: dict[str, str | int | float | bool], events: Iterable[Event]) -> str:
    told = (
        attributes.get("error.type"),
        *(each.attributes.get("exception.type") for each in events),
    )
    return next((each for each in told if isinstance(each, str) and each), "error")


def _links(links: Iterable[trace_pb2.Span.Link]) -> Iterator[tuple[str, str]]:
    for each in links:
        try:
            yield trace_id_of(each.trace_id.hex()), span_id_of(each.span_id.hex())
        except MalformedError:
            continue


def _pairs(attributes: Iterable[KeyValue]) -> Iterator[tuple[object, object]]:
    for each in attributes:
        yield each.key, _value(each.value, 0)


def _value(value: AnyValue, depth: int) -> object:
    kind = value.WhichOneof("value")
    match kind:
        case None:
            return None
        case "bytes_value":
            return value.bytes_value[:TEXT_MAX].hex()
        case "array_value" | "kvlist_value" if depth >= _DEPTH_MAX:
            return "..."
        case "array_value":
            return [_value(each, depth + 1) for each in value.array_value.values[:_ELEMENTS_MAX]]
        case "kvlist_value":
            pairs = value.kvlist_value.values[:_ELEMENTS_MAX]
            return {each.key: _value(each.value, depth + 1) for each in pairs}
        case _:
            return getattr(value, kind)
