"""How fast is a warm invocation over gRPC, and how much CPU does it cost?

A bare grpc.aio echo server in its own process, asked by the same client in alternating rounds, is
the floor. Medians come from a closed loop, tails from an open loop at half of what the system can
do, and the cost counts the CPU time of every process of emberd, sandboxes included.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import grpc

from benchmarks.client import MEMORY_MB, Client, connected
from benchmarks.figures import Figure, Result, Samples, Value, ratio_of_medians
from benchmarks.floors.fork_exec import best_runtime
from benchmarks.floors.grpc_echo import echo_call, echo_server
from benchmarks.harness import (
    BenchmarkError,
    Call,
    Effort,
    Loop,
    Round,
    abba,
    closed_loop,
    open_loop,
    saturate,
)
from benchmarks.system import System, cpu_by_part, running_system
from benchmarks.workloads.arrivals import poisson

T = TypeVar("T")

CONCURRENCY = 32
ARRIVALS_SEED = 7
WARM_WITHIN_TRIES = 50
QUESTION = "How fast is a warm invocation over gRPC, and how much CPU does it cost?"


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One of the two that are compared."""

    name: str
    call: Call
    root_pid: int
    """The root of the processes whose CPU time it costs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What a side did under full load."""

    per_s: float
    per_cpu_s: float
    cpu_ms_by_part: dict[str, float]
    """CPU time of one call."""
    discarded: int


def run(effort: Effort) -> Result:
    """Measure emberd and the echo in alternating rounds."""
    with running_system() as system, echo_server() as (echo_pid, echo_address):
        return asyncio.run(_connect(effort, system, echo_pid, echo_address))


async def _connect(effort: Effort, system: System, echo_pid: int, echo_address: str) -> Result:
    async with (
        connected(system.settings()) as client,
        grpc.aio.insecure_channel(echo_address) as channel,
    ):
        runtime, _ = best_runtime(await client.runtimes())
        name, _ = await client.create_hello(runtime)
        await client.invoke(name)
        system.settle()
        ours = Side(name="emberd", call=_warm_call(client, name), root_pid=system.pid)
        echo = Side(name="grpc.aio echo", call=echo_call(channel), root_pid=echo_pid)
        for side in (ours, echo):
            await closed_loop(side.call, effort.warmup)
        sequential = await _both(effort, ours, echo, lambda side: _sequential(side, effort))
        await _warm_up_all(client, name)
        loaded = await _both(effort, ours, echo, lambda side: _loaded(side, effort))
        rate = statistics.median(each.ours.per_s for each in loaded) / 2
        tail = await open_loop(ours.call, poisson(rate, effort.open_loop_s, ARRIVALS_SEED))
    parameters: dict[str, Value] = {"runtime": runtime, "memory_mb": MEMORY_MB}
    open_samples = Samples(
        name="emberd warm, open loop at half load",
        values_ns=tuple(tail.values_ns),
        discarded=tail.discarded,
        parameters={**parameters, "rate_per_s": round(rate, 1)},
    )
    return Result(
        name="warm_invocation",
        question=QUESTION,
        samples=(
            _samples("emberd warm, one at a time", [each.ours for each in sequential], parameters),
            _samples("grpc.aio echo, one at a time", [each.theirs for each in sequential], {}),
            open_samples,
        ),
        figures=_figures(sequential, loaded),
    )


async def _both(
    effort: Effort, ours: Side, echo: Side, measure: Callable[[Side], Awaitable[T]]
) -> list[Round[T]]:
    return await abba(effort.rounds, lambda: measure(ours), lambda: measure(echo))


async def _sequential(side: Side, effort: Effort) -> Loop:
    return await closed_loop(side.call, effort.sequential)


async def _loaded(side: Side, effort: Effort) -> Load:
    """Full load, with the CPU time that the side's processes take for it."""
    before, begun = cpu_by_part(side.root_pid), time.perf_counter()
    loop = await saturate(side.call, total=effort.concurrent, concurrency=CONCURRENCY)
    taken_s = time.perf_counter() - begun
    after = cpu_by_part(side.root_pid)
    spent_s = {part: after[part] - before[part] for part in after}
    if sum(spent_s.values()) <= 0:
        raise BenchmarkError(f"{side.name} took no measurable CPU time: measure more invocations")
    return Load(
        per_s=effort.concurrent / taken_s,
        per_cpu_s=effort.concurrent / sum(spent_s.values()),
        cpu_ms_by_part={p: 1e3 * each / effort.concurrent for p, each in spent_s.items()},
        discarded=loop.discarded,
    )


def _warm_call(client: Client, name: str) -> Call:
    async def call() -> bool:
        return (await client.invoke(name)).start_level == "warm"

    return call


async def _warm_up_all(client: Client, name: str) -> None:
    """Ask for so many at once until each of them finds a warm sandbox."""
    for _ in range(WARM_WITHIN_TRIES):
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(client.invoke(name)) for _ in range(CONCURRENCY)]
        if all(task.result().start_level == "warm" for task in tasks):
            return
    raise BenchmarkError(
        f"{CONCURRENCY} invocations at once never were all warm in {WARM_WITHIN_TRIES} tries"
    )


def _samples(name: str, loops: Sequence[Loop], parameters: dict[str, Value]) -> Samples:
    return Samples(
        name=name,
        values_ns=tuple(value for loop in loops for value in loop.values_ns),
        discarded=sum(loop.discarded for loop in loops),
        parameters={**parameters, "rounds": len(loops)},
    )


def _figures(sequential: list[Round[Loop]], loaded: list[Round[Load]]) -> tuple[Figure, ...]:
    steal = max([each.steal_share for each in sequential] + [each.steal_share for each in loaded])
    ours_per_cpu_s = statistics.median(each.ours.per_cpu_s for each in loaded)
    echo_per_cpu_s = statistics.median(each.theirs.per_cpu_s for each in loaded)
    return (
        ratio_of_medians(
            "emberd p50 / echo p50",
            [each.ours.values_ns for each in sequential],
            [each.theirs.values_ns for each in sequential],
        ),
        Figure(
            name=f"emberd, {CONCURRENCY} at once",
            value=statistics.median(each.ours.per_s for each in loaded),
            unit="invocations/s",
        ),
        Figure(name="emberd", value=ours_per_cpu_s, unit="invocations/CPU-second"),
        Figure(name="grpc.aio echo", value=echo_per_cpu_s, unit="calls/CPU-second"),
        Figure(
            name="emberd / echo per CPU-second", value=ours_per_cpu_s / echo_per_cpu_s, unit="x"
        ),
        *_cost_by_part([each.ours for each in loaded]),
        Figure(
            name="not warm under full load",
            value=sum(each.ours.discarded for each in loaded),
            unit="invocations",
        ),
        Figure(name="steal in the worst round kept", value=100 * steal, unit="%"),
    )


def _cost_by_part(loads: list[Load]) -> list[Figure]:
    parts = sorted({part for load in loads for part in load.cpu_ms_by_part})
    return [
        Figure(
            name=f"emberd, CPU of one invocation: {part}",
            value=statistics.median(load.cpu_ms_by_part.get(part, 0.0) for load in loads),
            unit="ms",
        )
        for part in parts
    ]
