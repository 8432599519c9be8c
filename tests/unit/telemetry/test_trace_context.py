"""Both trace headers say the same thing, and a malformed one says nothing."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.model.trace import (
    KEEP_ALL,
    Caller,
    Sampling,
    TraceHeaders,
    begin,
    parse_traceparent,
    parse_xray_header,
    read,
    sampling_of,
)

TRACE = "5759e988bd862e3fe1be46a994272793"
SPAN = "53995c3f42cd8ad8"


def parse(header: str) -> Caller | None:
    """What a caller is taken for that sends this as one of the two headers."""
    return read(TraceHeaders(traceparent=header, xray=header))


hex_ids = st.integers(min_value=1, max_value=2**64 - 1)


def test_a_traceparent_names_trace_span_and_choice() -> None:
    expected = Caller(trace_id=TRACE, span_id=SPAN, sampled=True)
    assert parse(f"00-{TRACE}-{SPAN}-01") == expected


def test_an_xray_header_names_the_same_trace() -> None:
    header = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"
    assert parse(header) == parse(f"00-{TRACE}-{SPAN}-01")


def test_an_xray_header_may_hold_fields_in_any_order_and_others() -> None:
    header = (
        f"Self=1-67891234-12456789abcdef012345678; Sampled=0 ;Odd;"
        f"Parent={SPAN};Root=1-{TRACE[:8]}-{TRACE[8:]}"
    )
    assert parse(header) == Caller(trace_id=TRACE, span_id=SPAN, sampled=False)


def test_an_xray_root_alone_leaves_the_choice_to_us() -> None:
    expected = Caller(trace_id=TRACE, span_id="", sampled=None)
    assert parse(f"Root=1-{TRACE[:8]}-{TRACE[8:]}") == expected
    assert parse(f"Root=1-{TRACE[:8]}-{TRACE[8:]};Sampled=?") == expected


@pytest.mark.parametrize(
    "header",
    [
        "",
        "garbage",
        f"00-{TRACE}-{SPAN}",
        f"00-{TRACE.upper()}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-01-more",
        f"00-{TRACE}-{SPAN}-zz",
        f"Root=1-{TRACE[:8]}-{TRACE[8:-1]};Sampled=1",
        f"Root=1-{'0' * 8}-{'0' * 24};Sampled=1",
        "Parent=53995c3f42cd8ad8;Sampled=1",
    ],
)
def test_a_malformed_header_is_as_good_as_none(header: str) -> None:
    assert parse(header) is None


def test_a_later_version_of_traceparent_is_read_as_far_as_known() -> None:
    assert parse_traceparent(f"01-{TRACE}-{SPAN}-03-future") == Caller(
        trace_id=TRACE, span_id=SPAN, sampled=True
    )


@given(st.text(max_size=80))
def test_no_header_makes_the_parsers_fail(header: str) -> None:
    for caller in (parse(header), parse_traceparent(header), parse_xray_header(header)):
        assert caller is None or re.fullmatch("[0-9a-f]{32}", caller.trace_id)


@given(trace_bits=st.integers(0, 2**96 - 1), span_bits=st.integers(0, 2**64 - 1))
def test_what_we_hand_on_is_read_back_from_either_header(trace_bits: int, span_bits: int) -> None:
    context = begin(None, KEEP_ALL, now_s=1_800_000_000, trace_bits=trace_bits, span_bits=span_bits)
    expected = Caller(trace_id=context.trace_id, span_id=context.span_id, sampled=True)
    assert parse(context.traceparent()) == expected
    assert parse(context.xray_header()) == expected


def test_a_trace_that_begins_here_has_no_parent_and_starts_with_its_second() -> None:
    context = begin(None, KEEP_ALL, now_s=0x5759E988, trace_bits=1, span_bits=2)
    assert context.trace_id == "5759e988" + "1".zfill(24)
    assert context.parent_span_id == ""
    assert context.span_id == "2".zfill(16)


def test_a_joined_trace_keeps_its_id_and_gets_a_span_of_its_own() -> None:
    caller = Caller(trace_id=TRACE, span_id=SPAN, sampled=True)
    context = begin(caller, KEEP_ALL, now_s=0, trace_bits=7, span_bits=9)
    assert (context.trace_id, context.parent_span_id) == (TRACE, SPAN)
    assert context.xray_header() == (
        f"Root=1-{TRACE[:8]}-{TRACE[8:]};Parent=0000000000000009;Sampled=1"
    )


def test_a_caller_that_does_not_sample_is_followed() -> None:
    caller = Caller(trace_id=TRACE, span_id=SPAN, sampled=False)
    context = begin(caller, KEEP_ALL, now_s=0, trace_bits=0, span_bits=1)
    assert not context.sampled
    assert context.traceparent().endswith("-00")


def test_a_sampler_without_parentbased_does_not_follow() -> None:
    caller = Caller(trace_id=TRACE, span_id=SPAN, sampled=False)
    always = sampling_of("always_on", "")
    assert always is not None
    assert begin(caller, always, now_s=0, trace_bits=0, span_bits=1).sampled


@pytest.mark.parametrize(
    ("name", "argument", "expected"),
    [
        ("", "", KEEP_ALL),
        ("parentbased_always_on", "", KEEP_ALL),
        ("always_off", "", Sampling(follow_caller=False, share=0.0)),
        ("parentbased_always_off", "", Sampling(follow_caller=True, share=0.0)),
        ("traceidratio", "0.25", Sampling(follow_caller=False, share=0.25)),
        ("parentbased_traceidratio", "", Sampling(follow_caller=True, share=1.0)),
        ("parentbased_", "", None),
        ("traceidratio", "2", None),
        ("traceidratio", "nan", None),
        ("traceidratio", "half", None),
        ("jaeger_remote", "", None),
    ],
)
def test_the_samplers_of_opentelemetry_are_understood(
    name: str, argument: str, expected: Sampling | None
) -> None:
    assert sampling_of(name, argument) == expected


@given(bits=hex_ids, share=st.floats(0.0, 1.0))
def test_a_ratio_decides_as_opentelemetrys_own_sampler(bits: int, share: float) -> None:
    from opentelemetry.sdk.trace.sampling import TraceIdRatioBased

    theirs = TraceIdRatioBased(share).should_sample(None, bits, "any").decision.is_sampled()
    ours = Sampling(follow_caller=False, share=share).keeps(f"{bits:032x}", caller_sampled=None)
    assert ours == theirs


def test_a_traceparent_goes_before_an_xray_header_and_keeps_the_lineage_of_the_same_trace() -> None:
    other = "1" * 16
    xray = f"Root=1-{TRACE[:8]}-{TRACE[8:]};Parent={other};Sampled=0;Lineage=1:a87bd80c:0"
    caller = read(TraceHeaders(traceparent=f"00-{TRACE}-{SPAN}-01", xray=xray))
    assert caller == Caller(trace_id=TRACE, span_id=SPAN, sampled=True, lineage="1:a87bd80c:0")
    elsewhere = xray.replace(TRACE[:8], "00000001")
    caller = read(TraceHeaders(traceparent=f"00-{TRACE}-{SPAN}-01", xray=elsewhere))
    assert caller == Caller(trace_id=TRACE, span_id=SPAN, sampled=True)


def test_an_xray_header_counts_where_the_traceparent_is_malformed() -> None:
    xray = f"Root=1-{TRACE[:8]}-{TRACE[8:]};Parent={SPAN};Sampled=1"
    caller = read(TraceHeaders(traceparent="00-nonsense", tracestate="a=1", xray=xray))
    assert caller == Caller(trace_id=TRACE, span_id=SPAN, sampled=True)


def test_tracestate_and_lineage_go_on_as_they_came() -> None:
    headers = TraceHeaders(
        traceparent=f"00-{TRACE}-{SPAN}-01",
        tracestate="rojo=00f067aa0ba902b7 ,, t61rcwkgmze@vendor=x y",
        xray=f"Root=1-{TRACE[:8]}-{TRACE[8:]};Lineage=1:a87bd80c:0",
    )
    context = begin(read(headers), KEEP_ALL, now_s=1, trace_bits=1, span_bits=2)
    assert context.tracestate == "rojo=00f067aa0ba902b7,t61rcwkgmze@vendor=x y"
    assert context.xray_header().endswith(";Sampled=1;Lineage=1:a87bd80c:0")
    assert parse_xray_header(context.xray_header()) == Caller(
        trace_id=TRACE, span_id=context.span_id, sampled=True, lineage="1:a87bd80c:0"
    )


@pytest.mark.parametrize(
    "tracestate",
    [
        "a",
        "A=1",
        "a=1\r\nx: y",
        "a=b=c",
        "=1",
        ",".join(f"a{n}=1" for n in range(33)),
        "a=" + "x" * 511,
    ],
)
def test_a_tracestate_that_is_none_does_not_travel(tracestate: str) -> None:
    caller = read(TraceHeaders(traceparent=f"00-{TRACE}-{SPAN}-01", tracestate=tracestate))
    assert caller == Caller(trace_id=TRACE, span_id=SPAN, sampled=True)


@pytest.mark.parametrize("lineage", ["a\r\nb", "x" * 257, "ü", ""])
def test_a_lineage_that_is_none_does_not_travel(lineage: str) -> None:
    caller = parse_xray_header(f"Root=1-{TRACE[:8]}-{TRACE[8:]};Lineage={lineage}")
    assert caller == Caller(trace_id=TRACE, span_id="", sampled=None)


def test_a_caller_is_told_the_same_trace_by_both_headers() -> None:
    context = begin(None, KEEP_ALL, now_s=1, trace_bits=7, span_bits=9)
    told = context.answer_headers()
    assert parse_xray_header(told["X-Amzn-Trace-Id"]) == parse_traceparent(told["traceresponse"])
