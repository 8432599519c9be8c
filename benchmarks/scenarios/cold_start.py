"""How fast does a function answer that never ran here?

Every sample is a new function with new code, so its package is not on the host. The answer must
carry that package's token and an environment id that was never seen, otherwise there is no sample.
Samples are kept apart by the start level that the host reports. The floor beside them is starting
the runtime's interpreter with an empty program; the phases come from the invocations' traces.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from collections import defaultdict
from dataclasses import dataclass, field

from benchmarks.client import MEMORY_MB, Answer, Client, connected
from benchmarks.figures import Figure, Result, Samples, Value, percentile
from benchmarks.floors.fork_exec import best_runtime, fork_exec, version_of
from benchmarks.harness import BenchmarkError, Effort, timed
from benchmarks.system import System, running_system

QUESTION = "How fast does a function answer that never ran here?"
TRACE_WITHIN_S = 5.0
TRACE_EVERY_S = 0.05


@dataclass(slots=True)
class Cold:
    """What is collected over all samples."""

    by_level: defaultdict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    inits: list[int] = field(default_factory=list)
    phases: defaultdict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    seen: set[str] = field(default_factory=set)
    """Environment ids."""
    explained: list[float] = field(default_factory=list)
    """The share of each trace that its parts add up to."""
    without_trace: int = 0


def run(effort: Effort) -> Result:
    """Measure cold starts one by one, and the floor in the same run."""
    with running_system() as system:
        return asyncio.run(_measure(effort, system))


async def _measure(effort: Effort, system: System) -> Result:
    cold = Cold()
    floor: list[int] = []
    async with connected(system.settings()) as client:
        runtime, program = best_runtime(await client.runtimes())
        start_floor = fork_exec(program)
        # Before the background work of a first start is done, as its first user would.
        first_ns = await _one(client, runtime, Cold())
        system.settle()
        for _ in range(effort.cold):
            await _one(client, runtime, cold)
            # One of each in turn, so that both see the same machine.
            floor.extend(timed(start_floor, warmup=0, samples=1))
    parameters: dict[str, Value] = {"runtime": runtime, "memory_mb": MEMORY_MB}
    return Result(
        name="cold_start",
        question=QUESTION,
        samples=(*_levels(cold, parameters), *_parts(cold), _floor(floor, program)),
        figures=_figures(cold, floor, first_ns),
    )


async def _one(client: Client, runtime: str, cold: Cold) -> int:
    """The first and the second invocation of a new function."""
    name, token = await client.create_hello(runtime)
    try:
        answer, taken_ns = await _timed_invoke(client, name)
        if answer.token != token:
            raise BenchmarkError(f"{name} answered with the token of another package")
        if answer.environment in cold.seen or answer.start_level == "warm":
            raise BenchmarkError(f"{name} never ran, yet its first environment was not new")
        cold.seen.add(answer.environment)
        cold.by_level[answer.start_level].append(taken_ns)
        cold.inits.append(answer.init_ns)
        again, again_ns = await _timed_invoke(client, name)
        if again.start_level == "warm" and again.environment == answer.environment:
            cold.by_level["warm"].append(again_ns)
        await _add_phases(client, answer.request_id, cold)
    finally:
        await client.delete(name)
    return taken_ns


async def _timed_invoke(client: Client, name: str) -> tuple[Answer, int]:
    begun = time.perf_counter_ns()
    answer = await client.invoke(name)
    return answer, time.perf_counter_ns() - begun


async def _add_phases(client: Client, request_id: str, cold: Cold) -> None:
    """Traces are kept off the response path, so one may come a moment later."""
    deadline = time.monotonic() + TRACE_WITHIN_S
    while (trace := await client.trace(request_id)) is None:
        if time.monotonic() > deadline:
            cold.without_trace += 1
            return
        await asyncio.sleep(TRACE_EVERY_S)
    for name, taken_ns in trace.parts_ns.items():
        cold.phases[name].append(taken_ns)
    cold.phases["(all of the trace)"].append(trace.whole_ns)
    cold.explained.append(trace.top_ns / max(1, trace.whole_ns))


def _levels(cold: Cold, parameters: dict[str, Value]) -> list[Samples]:
    return [
        Samples(name=f"{level}, seen by the client", values_ns=tuple(taken), parameters=parameters)
        for level, taken in cold.by_level.items()
    ]


def _parts(cold: Cold) -> list[Samples]:
    named = {"init, as billed": cold.inits}
    named.update({f"phase {name}": taken for name, taken in cold.phases.items()})
    return [Samples(name=name, values_ns=tuple(taken)) for name, taken in named.items() if taken]


def _floor(floor: list[int], program: str) -> Samples:
    return Samples(
        name="floor: fork+exec of the runtime",
        values_ns=tuple(floor),
        parameters={"interpreter": version_of(program)},
    )


def _figures(cold: Cold, floor: list[int], first_ns: int) -> tuple[Figure, ...]:
    ratios = [
        Figure(
            name=f"{level} p50 / floor p50",
            value=percentile(taken, 50) / percentile(floor, 50),
            unit="x",
        )
        for level, taken in cold.by_level.items()
        if level != "warm"
    ]
    return (
        *ratios,
        Figure(
            name="the very first invocation after the first start",
            value=first_ns / 1e6,
            unit="ms",
            note="one sample: it may wait for the runtime's image",
        ),
        Figure(
            name="phases add up to, of the whole trace",
            value=100 * statistics.median(cold.explained) if cold.explained else 0.0,
            unit="%",
        ),
        Figure(name="without a trace", value=cold.without_trace, unit="invocations"),
    )
