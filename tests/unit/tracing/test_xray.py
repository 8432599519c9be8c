"""Documents of X-Ray's SDKs become spans, and what is none becomes nothing."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.tracing.spans import Event, FunctionSpan, Kind, MalformedError
from sandbox.tracing.xray import DOCUMENT_BYTES_MAX, SPANS_MAX, read_datagram

HEADER = b'{"format":"json","version":1}\n'
TRACE = "5759e988bd862e3fe1be46a994272793"
ROOT = f"1-{TRACE[:8]}-{TRACE[8:]}"
SUBSEGMENT = {
    "id": "53995c3f42cd8ad8",
    "name": "work",
    "trace_id": ROOT,
    "parent_id": "00f067aa0ba902b7",
    "type": "subsegment",
    "start_time": 1_700_000_000.25,
    "end_time": 1_700_000_000.5,
}


def read(**changes: object) -> list[FunctionSpan]:
    return read_datagram(HEADER + json.dumps(SUBSEGMENT | changes).encode())


def test_a_subsegment_is_a_span_below_the_invocation() -> None:
    assert read() == [
        FunctionSpan(
            trace_id=TRACE,
            span_id="53995c3f42cd8ad8",
            parent_span_id="00f067aa0ba902b7",
            name="work",
            start_ns=1_700_000_000_250_000_000,
            end_ns=1_700_000_000_500_000_000,
        )
    ]


def test_what_is_inside_is_below_what_is_around_it() -> None:
    inner = {"id": "1" * 16, "name": "in", "start_time": 1.5, "end_time": 1.6}
    middle = {"id": "2" * 16, "name": "mid", "start_time": 1, "end_time": 2, "subsegments": [inner]}
    spans = {each.name: each for each in read(subsegments=[middle])}
    assert spans["mid"].parent_span_id == spans["work"].span_id
    assert spans["in"].parent_span_id == spans["mid"].span_id
    assert {each.trace_id for each in spans.values()} == {TRACE}


def test_a_call_of_an_aws_service_is_told_in_opentelemetrys_names() -> None:
    (span,) = read(
        namespace="aws",
        aws={"operation": "GetObject", "region": "us-east-1", "request_id": "r", "retries": 0},
        http={"request": {"method": "GET", "url": "http://x/"}, "response": {"status": 404}},
        annotations={"customer": "ada", "n": 2, "paid": True, "share": 0.5},
        metadata={"default": {"k": [1]}},
    )
    assert span.kind is Kind.CLIENT
    assert span.attributes == {
        "rpc.method": "GetObject",
        "cloud.region": "us-east-1",
        "aws.request_id": "r",
        "http.request.method": "GET",
        "url.full": "http://x/",
        "http.response.status_code": 404,
        "customer": "ada",
        "n": 2,
        "paid": True,
        "share": 0.5,
        "xray.metadata.default": '{"k":[1]}',
    }


def test_an_exception_is_an_event_and_the_reason_of_a_failure() -> None:
    stack = [{"path": "app.py", "line": 3, "label": "handler"}]
    exceptions = [{"id": "1", "message": "'k'", "type": "KeyError", "stack": stack}]
    (span,) = read(fault=True, cause={"exceptions": exceptions})
    assert (span.error_type, span.error_message) == ("KeyError", "'k'")
    assert span.events == (
        Event(
            name="exception",
            time_ns=span.end_ns,
            attributes={
                "exception.type": "KeyError",
                "exception.message": "'k'",
                "exception.stacktrace": "app.py:3 handler",
            },
        ),
    )
    assert read(throttle=True)[0].error_type == "throttle"
    assert read(error=True, cause="53995c3f42cd8ad8")[0].error_type == "error"


def test_a_segment_in_progress_is_not_there_yet() -> None:
    assert read(in_progress=True, end_time=None) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"trace_id": TRACE},
        {"trace_id": None},
        {"trace_id": f"1-{'0' * 8}-{'0' * 24}"},
        {"id": "0" * 16},
        {"id": "53995C3F42CD8AD8"},
        {"id": 5},
        {"parent_id": "x"},
        {"start_time": "1"},
        {"start_time": True},
        {"end_time": None},
        {"end_time": float("nan")},
        {"end_time": float("inf")},
        {"start_time": -1},
        {"end_time": 1e300},
        {"end_time": 10**400},
        {"subsegments": "x"},
        {"subsegments": [1]},
        {"subsegments": [SUBSEGMENT] * SPANS_MAX},
    ],
)
def test_a_document_that_is_none_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(MalformedError):
        read(**changes)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\n",
        HEADER,
        HEADER[:-1],
        HEADER + b"[]",
        HEADER + b"{",
        HEADER + b"\xff",
        b"{}\n" + json.dumps(SUBSEGMENT).encode(),
        HEADER + b"[" * 60_000,
        HEADER + b'{"a":' * 12_000,
        HEADER + b'{"trace_id":' + b"9" * 5_000 + b"}",
        HEADER + json.dumps(SUBSEGMENT | {"x": "y" * DOCUMENT_BYTES_MAX}).encode(),
    ],
    ids=range(12),
)
def test_a_datagram_that_is_none_is_refused(data: bytes) -> None:
    with pytest.raises(MalformedError):
        read_datagram(data)


def test_a_document_may_be_deep_only_where_nobody_looks() -> None:
    nested: list[object] = []
    for _ in range(400):
        nested = [nested]
    (span,) = read(metadata={"default": nested}, cause={"exceptions": nested}, aws=nested)
    assert isinstance(span.attributes["xray.metadata.default"], str)
    document: dict[str, object] = dict(SUBSEGMENT)
    for _ in range(40):
        document = SUBSEGMENT | {"subsegments": [document]}
    with pytest.raises(MalformedError):
        read_datagram(HEADER + json.dumps(document).encode())


def test_texts_are_cut_and_made_unicode() -> None:
    (span,) = read(name="n" * 5_000, annotations={"k" * 500: "\ud800" + "v" * 5_000})
    assert len(span.name) == 1024
    ((key, value),) = span.attributes.items()
    assert (len(key), len(str(value)), str(value)[0]) == (128, 1024, "?")


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
FIELDS = st.sampled_from(
    [
        *SUBSEGMENT,
        *("subsegments", "cause", "http", "aws", "sql", "annotations", "metadata"),
        *("namespace", "fault", "in_progress"),
    ]
)


@given(st.dictionaries(FIELDS, ANYTHING, max_size=6))
def test_no_document_breaks_the_reader(changes: dict[str, object]) -> None:
    try:
        spans = read(**changes)
    except MalformedError:
        return
    for span in spans:
        assert span.trace_id == TRACE
        assert isinstance(span.name, str)
        span.name.encode()
        assert all(isinstance(each, str | int | float) for each in span.attributes.values())


@given(st.binary(max_size=200))
def test_no_bytes_break_the_reader(data: bytes) -> None:
    for each in (data, HEADER + data):
        with pytest.raises(MalformedError):
            read_datagram(each)
