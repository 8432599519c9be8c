"""What do metrics and metering cost an invocation, behind its answer?

page: one scrape of 100 functions, which lets the event loop do other things every 50 lines.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from benchmarks.figures import Result, Samples
from benchmarks.harness import Effort, timed
from controlplane.metrics.exposition import text
from controlplane.metrics.metering import Meter
from controlplane.metrics.state import State
from controlplane.metrics.tallies import Tallies
from controlplane.model.invocation import InvocationRecord, StartLevel

FUNCTIONS = 100


def run(effort: Effort) -> Result:
    """Measure counting, metering and a scrape."""
    tallies, meter = Tallies(), Meter(lambda _name: {})
    record = _record()
    for number in range(FUNCTIONS):
        tallies.measure(replace(record, function_name=f"f{number}"))
    scrapes = max(20, effort.decisions // 200)
    return Result(
        name="counting",
        question="What do metrics and metering cost an invocation, behind its answer?",
        samples=(
            _measure("metrics", lambda: tallies.measure(record), effort.decisions),
            _measure("metering", lambda: meter.measure(record), effort.decisions),
            _measure("page", lambda: text(tallies, State(), openmetrics=True), scrapes),
        ),
    )


def _measure(name: str, call: Callable[[], object], samples: int) -> Samples:
    return Samples(
        name=name,
        values_ns=timed(call, warmup=samples // 10, samples=samples),
        parameters={"functions": FUNCTIONS},
    )


def _record() -> InvocationRecord:
    """A warm invocation whose trace is not kept, as nearly all are."""
    arn = "arn:aws:lambda:us-east-1:000000000000:function:hello"
    now_ns = time.time_ns()
    return InvocationRecord(
        request_id="request",
        trace_id="0" * 31 + "1",
        parent_span_id="",
        span_id="0" * 15 + "1",
        sampled=False,
        function_name="hello",
        function_arn=arn,
        invoked_arn=f"{arn}:live",
        version="1",
        memory_size_mb=128,
        start_ns=now_ns,
        end_ns=now_ns,
        phases=(),
        start_level=StartLevel.WARM,
        host_id="host",
        sandbox_id="sandbox",
        error_type="",
        billed_ms=2,
        duration_ns=1_200_000,
        memory_peak_bytes=40 << 20,
        architecture="x86_64",
    )
