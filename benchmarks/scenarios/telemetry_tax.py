"""What does seeing cost: a warm invocation with telemetry beside one without?

Two emberds run side by side and are asked in alternating rounds by the same client. One counts
everything, keeps one trace in a hundred and sends metrics and traces to a collector in a process of
its own, whose CPU time counts for nobody. The other has OTEL_SDK_DISABLED=true: it neither counts
nor keeps a trace. Both write the functions' logs and meter what they use.
"""

from __future__ import annotations

import asyncio
import statistics
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

from benchmarks.client import MEMORY_MB, connected
from benchmarks.figures import Figure, Result, Value, ratio_of_medians
from benchmarks.floors.fork_exec import best_runtime
from benchmarks.floors.otlp_sink import otlp_sink
from benchmarks.harness import Effort, Loop, Round, abba, closed_loop
from benchmarks.system import System, running_system
from benchmarks.warm import (
    CONCURRENCY,
    Load,
    Side,
    loaded,
    samples_of,
    sequential,
    warm_call,
    warm_up_all,
)

T = TypeVar("T")

QUESTION = "What do all metrics and one trace in a hundred cost a warm invocation?"
TRACES_SHARE = "0.01"
METRICS_EVERY_MS = "5000"
"""Twelve times as often as by default, so that a short run has its share of it."""

ROUNDS = 3
"""Times as many rounds as usual: what is looked for is a few hundredths."""

OFF = {"OTEL_SDK_DISABLED": "true"}


def on(endpoint: str) -> dict[str, str]:
    """All metrics, and one trace in a hundred."""
    return {
        "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint,
        "OTEL_LOGS_EXPORTER": "none",
        "OTEL_TRACES_SAMPLER": "parentbased_traceidratio",
        "OTEL_TRACES_SAMPLER_ARG": TRACES_SHARE,
        "OTEL_METRIC_EXPORT_INTERVAL": METRICS_EVERY_MS,
    }


def run(effort: Effort) -> Result:
    """Measure both in alternating rounds."""
    with (
        otlp_sink() as endpoint,
        running_system(on(endpoint)) as seeing,
        running_system(OFF) as blind,
    ):
        return asyncio.run(_measure(effort, seeing, blind))


async def _measure(effort: Effort, seeing: System, blind: System) -> Result:
    async with _side("with telemetry", seeing) as ours, _side("without", blind) as theirs:
        for system in (seeing, blind):
            system.settle()
        for side in (ours, theirs):
            await closed_loop(side.call, effort.warmup)
        one_by_one = await _both(effort, ours, theirs, lambda side: sequential(side, effort))
        for side in (ours, theirs):
            await warm_up_all(side.call)
        at_once = await _both(effort, ours, theirs, lambda side: loaded(side, effort))
    parameters: dict[str, Value] = {"memory_mb": MEMORY_MB, "traces": TRACES_SHARE}
    return Result(
        name="telemetry_tax",
        question=QUESTION,
        samples=(
            samples_of("warm, with telemetry", [each.ours for each in one_by_one], parameters),
            samples_of("warm, without", [each.theirs for each in one_by_one], parameters),
        ),
        figures=_figures(one_by_one, at_once),
    )


@asynccontextmanager
async def _side(name: str, system: System) -> AsyncIterator[Side]:
    async with connected(system.settings()) as client:
        runtime, _ = best_runtime(await client.runtimes())
        function, _ = await client.create_hello(runtime)
        await client.invoke(function)
        yield Side(name=name, call=warm_call(client, function), root_pid=system.pid)


async def _both(
    effort: Effort, ours: Side, theirs: Side, measure: Callable[[Side], Awaitable[T]]
) -> list[Round[T]]:
    return await abba(ROUNDS * effort.rounds, lambda: measure(ours), lambda: measure(theirs))


def _figures(one_by_one: list[Round[Loop]], at_once: list[Round[Load]]) -> tuple[Figure, ...]:
    steal = max([each.steal_share for each in one_by_one] + [x.steal_share for x in at_once])
    return (
        ratio_of_medians(
            "p50 with telemetry / without",
            [each.ours.values_ns for each in one_by_one],
            [each.theirs.values_ns for each in one_by_one],
        ),
        ratio_of_medians(
            f"work per CPU-second with telemetry / without, {CONCURRENCY} at once",
            [(each.ours.per_cpu_s,) for each in at_once],
            [(each.theirs.per_cpu_s,) for each in at_once],
        ),
        Figure(
            name="with telemetry",
            value=statistics.median(each.ours.per_cpu_s for each in at_once),
            unit="invocations/CPU-second",
        ),
        Figure(
            name="without",
            value=statistics.median(each.theirs.per_cpu_s for each in at_once),
            unit="invocations/CPU-second",
        ),
        Figure(
            name="not warm under full load",
            value=sum(each.ours.discarded + each.theirs.discarded for each in at_once),
            unit="invocations",
        ),
        Figure(name="steal in the worst round kept", value=100 * steal, unit="%"),
    )
