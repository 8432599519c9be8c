"""Only spans of a sandbox's own invocations are taken, and not without end."""

from __future__ import annotations

from dataclasses import replace

from sandbox.tracing import book as module
from sandbox.tracing.book import Refusal, TraceBook
from sandbox.tracing.context import TraceContext, context_of
from sandbox.tracing.spans import FunctionSpan

NOW = 1_800_000_000_000_000_000
OWN = TraceContext(trace_id="1" * 32, span_id="a" * 16, sampled=True)
SPAN = FunctionSpan(
    trace_id=OWN.trace_id, span_id="b" * 16, name="work", start_ns=NOW - 10, end_ns=NOW
)


def book(context: TraceContext | None = OWN) -> TraceBook:
    made = TraceBook()
    made.begin("inv-1", context)
    return made


def test_a_span_of_an_invocation_is_its_own() -> None:
    assert book().judge(SPAN, NOW) == ("inv-1", OWN.span_id)


def test_spans_of_earlier_invocations_come_late_but_not_too_late() -> None:
    made = book()
    for number in range(2, module.INVOCATIONS_KEPT + 1):
        made.begin(f"inv-{number}", replace(OWN, trace_id=f"{number:032x}"))
    assert made.judge(SPAN, NOW) == ("inv-1", OWN.span_id)
    made.begin("inv-last", replace(OWN, trace_id="f" * 32))
    assert made.judge(SPAN, NOW) is Refusal.FOREIGN


def test_two_invocations_of_one_trace_are_the_newer() -> None:
    made = book()
    made.begin("inv-2", replace(OWN, span_id="c" * 16))
    assert made.judge(SPAN, NOW) == ("inv-2", "c" * 16)


def test_a_foreign_trace_is_refused() -> None:
    assert book().judge(replace(SPAN, trace_id="2" * 32), NOW) is Refusal.FOREIGN
    assert book(None).judge(SPAN, NOW) is Refusal.FOREIGN


def test_a_trace_that_is_not_kept_takes_no_spans() -> None:
    assert book(replace(OWN, sampled=False)).judge(SPAN, NOW) is Refusal.UNSAMPLED


def test_nobody_replaces_the_invocations_own_span() -> None:
    assert book().judge(replace(SPAN, span_id=OWN.span_id), NOW) is Refusal.TAKEN


def test_times_far_away_are_refused() -> None:
    for start_ns, end_ns in ((0, NOW), (NOW, NOW - 1), (NOW, NOW + module.FUTURE_NS + 1)):
        span = replace(SPAN, start_ns=start_ns, end_ns=end_ns)
        assert book().judge(span, NOW) is Refusal.UNTIMELY


def test_one_invocation_sends_only_so_many_spans() -> None:
    made = book()
    verdicts = [made.judge(SPAN, NOW) for _ in range(module.SPANS_PER_INVOCATION + 1)]
    assert verdicts[-2:] == [("inv-1", OWN.span_id), Refusal.FULL]


def test_one_invocation_sends_only_so_much() -> None:
    made = book()
    large = replace(SPAN, attributes={"a": "x" * (module.CHARACTERS_PER_INVOCATION // 2)})
    assert made.judge(large, NOW) == ("inv-1", OWN.span_id)
    assert made.judge(large, NOW) is Refusal.FULL


def test_the_header_of_the_control_plane_is_read_and_no_other() -> None:
    header = f"Root=1-{'1' * 8}-{'1' * 24};Parent={'a' * 16};Sampled=1"
    assert context_of(header) == context_of(header + ";Lineage=1:a:0") == OWN
    assert OWN.traceparent() == f"00-{'1' * 32}-{'a' * 16}-01"
    assert context_of("") is context_of("Root=1-2;Sampled=1") is None
