"""One record becomes one tree of spans."""

from __future__ import annotations

import random

from controlplane.model.invocation import StartLevel
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
    assert {part.error_type for part in parts} == {""}


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
