"""Requests of OpenTelemetry's SDKs become spans, and what is none is counted."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as service
from opentelemetry.proto.common.v1.common_pb2 import (
    AnyValue,
    ArrayValue,
    InstrumentationScope,
    KeyValue,
    KeyValueList,
)
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span, Status

from sandbox.tracing.otlp import SPANS_MAX, answer, read_request
from sandbox.tracing.spans import Event, FunctionSpan, Kind, MalformedError

TRACE, SPAN, PARENT = "5759e988bd862e3fe1be46a994272793", "53995c3f42cd8ad8", "00f067aa0ba902b7"


def text(key: str, value: str) -> KeyValue:
    return KeyValue(key=key, value=AnyValue(string_value=value))


def span(**changes: object) -> Span:
    fields: dict[str, object] = {
        "trace_id": bytes.fromhex(TRACE),
        "span_id": bytes.fromhex(SPAN),
        "parent_span_id": bytes.fromhex(PARENT),
        "name": "work",
        "start_time_unix_nano": 5,
        "end_time_unix_nano": 9,
    }
    return Span(**(fields | changes))  # type: ignore[arg-type]


def body(*spans: Span) -> bytes:
    scope = ScopeSpans(scope=InstrumentationScope(name="lib"), spans=spans)
    request = service.ExportTraceServiceRequest(resource_spans=[ResourceSpans(scope_spans=[scope])])
    return request.SerializeToString()


def test_a_span_comes_with_all_that_it_says() -> None:
    sent = span(
        kind=Span.SPAN_KIND_CLIENT,
        attributes=[
            text("a", "b"),
            KeyValue(key="n", value=AnyValue(int_value=-3)),
            KeyValue(key="x", value=AnyValue(double_value=0.5)),
            KeyValue(key="y", value=AnyValue(bool_value=True)),
            KeyValue(key="raw", value=AnyValue(bytes_value=b"\x01")),
            KeyValue(
                key="list",
                value=AnyValue(array_value=ArrayValue(values=[AnyValue(int_value=1)])),
            ),
            KeyValue(key="map", value=AnyValue(kvlist_value=KeyValueList(values=[text("k", "v")]))),
            KeyValue(key="nothing"),
        ],
        status=Status(code=Status.STATUS_CODE_ERROR, message="bad"),
        events=[
            Span.Event(
                name="exception", time_unix_nano=7, attributes=[text("exception.type", "KeyError")]
            )
        ],
        links=[
            Span.Link(trace_id=bytes.fromhex(TRACE), span_id=bytes.fromhex(PARENT)),
            Span.Link(trace_id=b"short", span_id=b""),
        ],
    )
    spans, refused = read_request(body(sent))
    assert refused == 0
    assert spans == [
        FunctionSpan(
            trace_id=TRACE,
            span_id=SPAN,
            parent_span_id=PARENT,
            name="work",
            kind=Kind.CLIENT,
            start_ns=5,
            end_ns=9,
            attributes={
                "a": "b",
                "n": -3,
                "x": 0.5,
                "y": True,
                "raw": "01",
                "list": "[1]",
                "map": '{"k":"v"}',
                "otel.scope.name": "lib",
            },
            error_type="KeyError",
            error_message="bad",
            events=(Event(name="exception", time_ns=7, attributes={"exception.type": "KeyError"}),),
            links=((TRACE, PARENT),),
        )
    ]


def test_spans_without_proper_ids_are_counted() -> None:
    spans, refused = read_request(
        body(
            span(),
            span(trace_id=b""),
            span(trace_id=bytes(16)),
            span(span_id=b"123"),
            span(parent_span_id=b"1"),
        )
    )
    assert (len(spans), refused) == (1, 4)


def test_one_request_gives_no_more_than_a_batch() -> None:
    spans, refused = read_request(body(*[span()] * (SPANS_MAX + 5)))
    assert (len(spans), refused) == (SPANS_MAX, 5)


def test_a_value_that_is_deep_is_cut() -> None:
    value = AnyValue(int_value=1)
    for _ in range(20):
        value = AnyValue(array_value=ArrayValue(values=[value]))
    ((read,), _) = read_request(body(span(attributes=[KeyValue(key="deep", value=value)])))
    assert read.attributes["deep"] == '[[[["..."]]]]'


def test_the_sender_is_told_how_many_were_refused() -> None:
    assert answer(0) == b""
    told = service.ExportTraceServiceResponse.FromString(answer(3))
    assert told.partial_success.rejected_spans == 3


def test_a_body_that_is_no_request_is_refused() -> None:
    with pytest.raises(MalformedError):
        read_request(b"\xff\xff\xff")


@given(st.binary(max_size=300))
def test_no_bytes_break_the_reader(data: bytes) -> None:
    try:
        spans, refused = read_request(data)
    except MalformedError:
        return
    assert len(spans) + refused <= len(data)
