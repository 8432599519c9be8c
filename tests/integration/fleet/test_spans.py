"""What functions tell of their own work reaches the control plane, as it was told."""

from __future__ import annotations

import pytest

from controlplane.fleet.spans import span_of
from controlplane.model.spans import Span, SpanEvent, SpanKind, SpanLink
from emberd.fleet.v1 import fleet_pb2 as pb
from emberd.wire.times import timestamp
from sandbox import frames
from sandbox.tracing.queue import RECORDS_MAX, SpanQueue
from sandbox.tracing.spans import Event, FunctionSpan, Kind, SpanRecord
from tests.integration.fleet.playing import control_plane, echo, host_of, until

T0 = 1_800_000_000_000_000_000


def told(number: int = 1, **changes: object) -> SpanRecord:
    fields: dict[str, object] = {
        "trace_id": "1" * 32,
        "span_id": f"{number:016x}",
        "parent_span_id": "2" * 16,
        "name": "work",
        "kind": Kind.CLIENT,
        "start_ns": T0,
        "end_ns": T0 + 5,
        "attributes": {"text": "a", "n": -1, "share": 0.5, "yes": True},
        "error_type": "KeyError",
        "error_message": "'k'",
        "events": (Event(name="exception", time_ns=T0 + 1, attributes={"exception.type": "E"}),),
        "links": (("3" * 32, "4" * 16),),
    }
    span = FunctionSpan(**(fields | changes))  # type: ignore[arg-type]
    return SpanRecord(function_name="hello", version="1", invocation_id="inv-1", span=span)


async def test_spans_arrive_whole_and_in_order():
    async with control_plane() as fleet, host_of(fleet, echo) as host:
        for number in range(1, 1001):
            host.span_queue.offer(told(number))  # type: ignore[attr-defined]
        host.span_queue.drop(3)  # type: ignore[attr-defined]
        await until(lambda: len(fleet.spans) == 1000)
    assert [int(each.span_id, 16) for each in fleet.spans] == list(range(1, 1001))
    assert sum(fleet.dropped) == 3
    assert fleet.spans[0] == Span(
        trace_id="1" * 32,
        span_id=f"{1:016x}",
        parent_span_id="2" * 16,
        name="work",
        kind=SpanKind.CLIENT,
        start_ns=T0,
        end_ns=T0 + 5,
        attributes={"text": "a", "n": -1, "share": 0.5, "yes": True},
        error_type="KeyError",
        error_message="'k'",
        events=(SpanEvent(name="exception", time_ns=T0 + 1, attributes={"exception.type": "E"}),),
        links=(SpanLink(trace_id="3" * 32, span_id="4" * 16),),
        function="hello",
    )


async def test_what_was_refused_is_told_even_if_nothing_else_is():
    async with control_plane() as fleet, host_of(fleet, echo) as host:
        host.span_queue.drop(7)  # type: ignore[attr-defined]
        await until(lambda: fleet.dropped)
    assert (fleet.spans, fleet.dropped) == ([], [7])


@pytest.mark.parametrize(
    "changes",
    [
        {"trace_id": "x"},
        {"trace_id": "0" * 32},
        {"span_id": "0" * 16},
        {"parent_span_id": "1"},
        {"start_time": timestamp(0)},
        {"end_time": timestamp(T0 - 1)},
        {"function_name": ""},
    ],
)
def test_a_host_that_sends_no_spans_breaks_no_trace(changes):
    message = frames.function_span(told())
    for name, value in changes.items():
        message.ClearField(name)
        message.MergeFrom(pb.FunctionSpan(**{name: value}))
    assert span_of(message) is None


def test_a_host_cannot_send_more_of_a_span_than_is_kept():
    attributes = {f"k{n:03}": "v" * 5_000 for n in range(100)} | {"nan": float("nan")}
    events = tuple(Event(name="e", time_ns=T0) for _ in range(50))
    span = span_of(frames.function_span(told(attributes=attributes, events=events, name="")))
    assert span is not None
    assert (len(span.attributes), len(span.events), span.name) == (64, 16, "(unnamed)")
    assert {len(str(each)) for each in span.attributes.values()} == {1024}


async def test_a_full_queue_drops_and_counts():
    queue = SpanQueue()
    for _ in range(RECORDS_MAX + 5):
        queue.offer(told())
    batch, dropped = queue.take(10, 10**9)
    assert (len(batch), dropped) == (10, 5)
    queue.give_back(batch, dropped)
    assert queue.take(RECORDS_MAX * 2, 10**9)[1] == 5
