"""Records become spans off the answer's path, and too many of them are counted, not kept."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from controlplane import telemetry as module
from controlplane.model.invocation import StartLevel
from controlplane.model.spans import Span, SpanKind
from controlplane.model.trace import NO_HEADERS, TraceHeaders
from controlplane.storage.log_retention import Caps
from controlplane.storage.traces import DEFAULT_CAPS, TraceCaps
from controlplane.telemetry import Telemetry
from controlplane.telemetry_caps import log_caps, trace_caps
from tests.unit.telemetry.builders import TRACE_ID, record


class Traces:
    """Keeps what it is given."""

    def __init__(self) -> None:
        self.kept: list[Sequence[Span]] = []
        self.came = asyncio.Event()

    def put(self, spans: Sequence[Span]) -> None:
        self.kept.append(spans)
        self.came.set()


def make(traces: Traces) -> Telemetry:
    return Telemetry(traces, service_instance="test", otlp=False)


async def test_a_record_becomes_spans_without_being_asked_for() -> None:
    traces = Traces()
    telemetry = make(traces)
    running = asyncio.create_task(telemetry.run())
    telemetry.record(record())
    async with asyncio.timeout(5):
        await traces.came.wait()
    running.cancel()
    assert [span.name for span in traces.kept[0]][:3] == ["hello", "front", "schedule"]


async def test_settling_waits_for_everything_recorded_before() -> None:
    traces = Traces()
    telemetry = make(traces)
    for _ in range(100):
        telemetry.record(record())
    await telemetry.settle()
    assert len(traces.kept) == 100


async def test_an_unsampled_record_makes_no_spans() -> None:
    traces = Traces()
    telemetry = make(traces)
    telemetry.record(record(sampled=False, start_level=StartLevel.WARM))
    await telemetry.settle()
    assert traces.kept == []


@pytest.mark.parametrize(
    "remarkable",
    [
        {"error_type": "ValueError"},
        {"error_type": "TOO_MANY_REQUESTS", "start_level": None, "phases": ()},
        {"error_type": "Sandbox.Timedout"},
        {"start_level": StartLevel.FRESH},
        {"start_level": StartLevel.PARKED},
        {"start_level": StartLevel.TEMPLATE},
    ],
)
async def test_failures_throttles_and_cold_starts_are_kept_whatever_the_sampler_drew(
    remarkable: dict[str, Any],
) -> None:
    traces = Traces()
    telemetry = make(traces)
    warm = {"sampled": False, "start_level": StartLevel.WARM}
    telemetry.record(record(**warm))
    telemetry.record(record(**(warm | remarkable)))
    await telemetry.settle()
    assert len(traces.kept) == 1
    assert traces.kept[0][0].error_type == remarkable.get("error_type", "")


@pytest.mark.parametrize(
    ("sampler", "argument"), [("always_off", ""), ("parentbased_traceidratio", "0")]
)
async def test_a_sampler_that_keeps_nothing_keeps_no_failure_either(
    monkeypatch: pytest.MonkeyPatch, sampler: str, argument: str
) -> None:
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", sampler)
    monkeypatch.setenv("OTEL_TRACES_SAMPLER_ARG", argument)
    traces = Traces()
    telemetry = make(traces)
    telemetry.record(record(sampled=False, error_type="ValueError"))
    await telemetry.settle()
    assert traces.kept == []


async def test_records_beyond_the_bound_are_dropped_and_counted() -> None:
    traces = Traces()
    telemetry = make(traces)
    for _ in range(module.RECORDS_MAX + 3):
        telemetry.record(record())
    assert telemetry.dropped == 3
    await telemetry.close()
    assert len(traces.kept) == module.RECORDS_MAX


async def test_closing_works_off_what_waits() -> None:
    traces = Traces()
    telemetry = make(traces)
    telemetry.record(record())
    await telemetry.close()
    assert len(traces.kept) == 1


async def test_a_store_that_fails_does_not_end_the_work() -> None:
    class Failing(Traces):
        def put(self, spans: Sequence[Span]) -> None:
            super().put(spans)
            if len(self.kept) == 1:
                raise RuntimeError("first one only")

    traces = Failing()
    telemetry = make(traces)
    running = asyncio.create_task(telemetry.run())
    telemetry.record(record())
    async with asyncio.timeout(5):
        await traces.came.wait()
        traces.came.clear()
        telemetry.record(record())
        await traces.came.wait()
    running.cancel()
    assert len(traces.kept) == 2


async def test_a_callers_trace_is_joined() -> None:
    context = make(Traces()).new_context(
        TraceHeaders(traceparent=f"00-{TRACE_ID}-53995c3f42cd8ad8-01")
    )
    assert (context.trace_id, context.parent_span_id) == (TRACE_ID, "53995c3f42cd8ad8")


async def test_new_traces_differ_in_every_id() -> None:
    telemetry = make(Traces())
    contexts = [telemetry.new_context(NO_HEADERS) for _ in range(100)]
    assert len({each.trace_id for each in contexts}) == 100
    assert len({each.span_id for each in contexts}) == 100
    assert all(each.sampled for each in contexts)


async def test_the_sampler_variable_is_honoured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "always_off")
    assert not make(Traces()).new_context(NO_HEADERS).sampled


async def test_an_unknown_sampler_keeps_every_trace_and_says_so(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "dice")
    assert make(Traces()).new_context(NO_HEADERS).sampled
    assert [each.__dict__["sampler"] for each in caplog.records] == ["dice"]


async def test_disabled_telemetry_neither_counts_nor_keeps_but_meters(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
    traces, metered = Traces(), []
    telemetry = make(traces)
    telemetry.on_record(metered.append)
    asked = TraceHeaders(traceparent=f"00-{TRACE_ID}-00f067aa0ba902b7-01")
    assert not telemetry.new_context(asked).sampled
    telemetry.record(record(error_type="ValueError"))
    await telemetry.settle()
    assert (traces.kept, list(telemetry.tallies), len(metered)) == ([], [], 1)


@pytest.mark.parametrize("protocol", ["grpc", "http/protobuf"])
def test_a_start_reads_nothing_of_the_sdk_even_where_telemetry_is_exported(protocol: str) -> None:
    code = (
        "import asyncio, sys\n"
        "from controlplane.model.trace import NO_HEADERS\n"
        "from controlplane.telemetry import Telemetry\n"
        "async def main():\n"
        "    Telemetry(None, service_instance='x', otlp=True).new_context(NO_HEADERS)\n"
        "asyncio.run(main())\n"
        "print([name for name in sys.modules if name.startswith('opentelemetry')])\n"
    )
    wanted = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9",
        "OTEL_EXPORTER_OTLP_PROTOCOL": protocol,
    }
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **wanted},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "[]\n"


def test_one_package_of_the_control_plane_knows_the_sdk() -> None:
    folder = Path(module.__file__).parent
    knows = {
        path.parent.name
        for path in folder.rglob("*.py")
        if re.search(r"^\s*(from|import) opentelemetry", path.read_text(), re.MULTILINE)
    }
    assert knows == {"otlp"}


def test_the_store_of_traces_is_as_large_as_its_settings_say() -> None:
    assert trace_caps({}) == DEFAULT_CAPS
    named = {"EMBERD_TRACES_MAX": "7", "EMBERD_TRACES_MB": "0.5", "EMBERD_TRACES_DAYS": "2"}
    assert trace_caps(named) == TraceCaps(parts=7, size_bytes=512 * 1024, age_s=172_800.0)


@pytest.mark.parametrize("value", ["many", "0", "-1", "nan", "inf"])
def test_a_setting_that_is_no_number_is_said_and_passed_over(
    value: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert trace_caps({"EMBERD_TRACES_MB": value}) == DEFAULT_CAPS
    assert "a setting is no number above 0" in caplog.text


def own(number: int, trace_id: str = TRACE_ID) -> Span:
    return Span(
        trace_id=trace_id,
        span_id=f"{number:016x}",
        parent_span_id="",
        name="work",
        kind=SpanKind.INTERNAL,
        start_ns=1,
        end_ns=2,
        attributes={},
        error_type="",
        function="hello",
    )


async def test_spans_of_functions_are_kept_by_their_traces() -> None:
    traces = Traces()
    telemetry = make(traces)
    telemetry.take_spans([own(1), own(2), own(3, "f" * 32)], 0)
    await telemetry.settle()
    assert [[each.span_id[-1] for each in piece] for piece in traces.kept] == [["1", "2"], ["3"]]
    assert telemetry.lost["function_spans"] == 0


async def test_spans_of_functions_beyond_the_bound_are_dropped_and_counted() -> None:
    telemetry = make(Traces())
    telemetry.take_spans([own(1)] * (module.TOLD_MAX - 1), 2)
    telemetry.take_spans([own(1)] * 4, 0)
    assert telemetry.lost["function_spans"] == 2 + 3


def test_what_is_kept_of_logs_can_be_said() -> None:
    assert log_caps({}) == Caps()
    named = {
        "EMBERD_LOGS_LINES": "7",
        "EMBERD_LOGS_MB": "0.5",
        "EMBERD_LOGS_TOTAL_MB": "2",
        "EMBERD_LOGS_DAYS": "2",
    }
    assert log_caps(named) == Caps(
        function_lines=7,
        function_bytes=512 * 1024,
        all_lines=70,
        all_bytes=2 << 20,
        age_s=172_800.0,
    )
