"""One record becomes one tree of spans."""

from __future__ import annotations

import json
import random

import pytest

from controlplane.model.invocation import RefusedAttempt, StartLevel
from controlplane.model.spans import Span, SpanKind, spans_of
from tests.unit.telemetry.builders import (
    ARN,
    CALLER_SPAN_ID,
    REQUEST_ID,
    SPAN_ID,
    T0,
    TRACE_ID,
    phase,
    record,
)


def made(**changes: object) -> list[Span]:
    return spans_of(record(**changes), random.Random(1).getrandbits)


def by_name(spans: list[Span]) -> dict[str, Span]:
    return {span.name: span for span in spans}


def test_the_root_is_the_function_answering_its_caller() -> None:
    root = made()[0]
    assert (root.name, root.kind) == ("hello", SpanKind.SERVER)
    assert (root.trace_id, root.span_id, root.parent_span_id) == (
        TRACE_ID,
        SPAN_ID,
        CALLER_SPAN_ID,
    )
    assert (root.start_ns, root.end_ns) == (T0, T0 + 60_000_000)


def test_the_root_carries_the_conventions_for_functions() -> None:
    assert made()[0].attributes == {
        "faas.name": "hello",
        "faas.version": "3",
        "faas.invocation_id": REQUEST_ID,
        "faas.trigger": "other",
        "faas.max_memory": 134_217_728,
        "faas.coldstart": True,
        "faas.instance": "sandbox-1",
        "cloud.resource_id": f"{ARN}:3",
        "cloud.region": "us-east-1",
        "cloud.account.id": "000000000000",
        "aws.lambda.invoked_arn": f"{ARN}:live",
        "host.id": "host-1",
        "emberd.start_level": "fresh",
        "emberd.billed_duration_ms": 34,
    }


def test_every_start_level_but_warm_is_a_cold_start() -> None:
    cold = {level: made(start_level=level)[0].attributes["faas.coldstart"] for level in StartLevel}
    assert cold == {
        StartLevel.WARM: False,
        StartLevel.TEMPLATE: True,
        StartLevel.PARKED: True,
        StartLevel.FRESH: True,
    }


def test_phases_are_nested_by_their_parent() -> None:
    spans = by_name(made())
    assert spans["mounts"].parent_span_id == spans["sandbox"].span_id
    tops = {"front", "schedule", "artifact", "sandbox", "init", "invoke"}
    assert {name for name, span in spans.items() if span.parent_span_id == SPAN_ID} == tops


def test_every_span_has_an_id_of_its_own_in_the_same_trace() -> None:
    spans = made()
    assert len({span.span_id for span in spans}) == len(spans) == 8
    assert {span.trace_id for span in spans} == {TRACE_ID}


def test_a_failure_marks_the_root_with_its_type() -> None:
    root, *parts = made(error_type="Sandbox.Timedout")
    assert root.error_type == root.attributes["error.type"] == "Sandbox.Timedout"
    assert {part.name for part in parts if part.error_type} == {"invoke"}


def test_a_functions_exception_is_an_event_with_all_that_the_runtime_told() -> None:
    payload = json.dumps(
        {"errorType": "KeyError", "errorMessage": "'k'", "stackTrace": ["  File a\n", "  File b\n"]}
    )
    root = made(error_type="Function.Unknown", error_payload=payload.encode())[0]
    assert root.error_message == "'k'"
    (event,) = root.events
    assert (event.name, event.time_ns) == ("exception", root.end_ns)
    assert event.attributes == {
        "exception.type": "KeyError",
        "exception.message": "'k'",
        "exception.stacktrace": "  File a\n  File b",
    }


@pytest.mark.parametrize("payload", [b"", b"[]", b"{", b'{"errorType":1}', b"[" * 20_000])
def test_an_error_that_says_nothing_is_still_an_exception(payload: bytes) -> None:
    root = made(error_type="Function.Unknown", error_payload=payload)[0]
    assert root.events[0].attributes == {"exception.type": "Function.Unknown"}


def test_a_refusal_of_ours_says_why() -> None:
    root = made(start_level=None, error_type="TOO_MANY_REQUESTS", error_message="no slot is free")[
        0
    ]
    assert root.error_message == "no slot is free"
    assert root.events[0].attributes == {
        "exception.type": "TOO_MANY_REQUESTS",
        "exception.message": "no slot is free",
    }


def test_a_host_that_handed_it_back_is_a_span_which_the_next_one_links() -> None:
    refused = tuple(
        RefusedAttempt(
            host_id=f"host-{number}",
            reason="memory",
            message="the budget is spent",
            start_ns=T0 + number,
            end_ns=T0 + number + 1,
        )
        for number in (1, 3)
    )
    spans = made(refused=refused)
    first, second = (each for each in spans if each.name == "attempt")
    assert first.attributes == {"host.id": "host-1", "error.type": "memory"}
    assert (first.error_type, first.error_message) == ("memory", "the budget is spent")
    assert [each.span_id for each in second.links] == [first.span_id]
    assert [each.span_id for each in by_name(spans)["artifact"].links] == [second.span_id]
    assert {first.parent_span_id, second.parent_span_id} == {SPAN_ID}


def test_what_a_front_says_of_a_call_stands_on_the_root() -> None:
    root = made(said={"faas.trigger": "http", "http.request.method": "GET"})[0]
    assert root.attributes["faas.trigger"] == "http"
    assert root.attributes["http.request.method"] == "GET"


def test_an_invocation_that_never_ran_says_nothing_of_a_start() -> None:
    root = made(start_level=None, host_id="", sandbox_id="", error_type="TOO_MANY_REQUESTS")[0]
    absent = {"faas.coldstart", "faas.instance", "host.id", "emberd.start_level"}
    assert not absent & root.attributes.keys()


def test_a_phase_with_an_unknown_parent_belongs_to_the_invocation() -> None:
    parts = made(phases=(phase("mounts", 1, 2, "nobody"), phase("loop", 2, 3, "loop")))[1:]
    assert {part.parent_span_id for part in parts} == {SPAN_ID}


def test_a_phase_that_happened_twice_is_two_spans() -> None:
    parts = made(phases=(phase("queue", 1, 2), phase("queue", 3, 4)))[1:]
    assert len({part.span_id for part in parts}) == 2
