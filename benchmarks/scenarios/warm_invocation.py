"""How fast is a warm invocation over gRPC, and how much CPU does it cost?

A bare grpc.aio echo server in its own process, asked by the same client in alternating rounds, is
the floor. Medians come from a closed loop, tails from an open loop at half of what the system can
do, and the cost counts the CPU time of every process of emberd, sandboxes included.
"""

from __future__ import annotations

import asyncio
import statistics
from collections.abc import Awaitable, Callable
from typing import TypeVar

import grpc

from benchmarks.client import MEMORY_MB, connected
from benchmarks.figures import Figure, Result, Samples, Value, ratio_of_medians
from benchmarks.floors.fork_exec import best_runtime
from benchmarks.floors.grpc_echo import echo_call, echo_server
from benchmarks.harness import Effort, Loop, Round, abba, closed_loop, open_loop
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
from benchmarks.workloads.arrivals import poisson

T = TypeVar("T")

ARRIVALS_SEED = 7
QUESTION = "How fast is a warm invocation over gRPC, and how much CPU does it cost?"


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
        ours = Side(name="emberd", call=warm_call(client, name), root_pid=system.pid)
        echo = Side(name="grpc.aio echo", call=echo_call(channel), root_pid=echo_pid)
        for side in (ours, echo):
            await closed_loop(side.call, effort.warmup)
        one_by_one = await _both(effort, ours, echo, lambda side: sequential(side, effort))
        await warm_up_all(ours.call)
        at_once = await _both(effort, ours, echo, lambda side: loaded(side, effort))
        rate = statistics.median(each.ours.per_s for each in at_once) / 2
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
            samples_of(
                "emberd warm, one at a time", [each.ours for each in one_by_one], parameters
            ),
            samples_of("grpc.aio echo, one at a time", [each.theirs for each in one_by_one], {}),
            open_samples,
        ),
        figures=_figures(one_by_one, at_once),
    )


async def _both(
    effort: Effort, ours: Side, echo: Side, measure: Callable[[Side], Awaitable[T]]
) -> list[Round[T]]:
    return await abba(effort.rounds, lambda: measure(ours), lambda: measure(echo))


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
