"""How fast do many environments come to be at once, and what do the last of them wait?

So many invocations of a new function are sent together; each holds its environment for seconds, so
that none can serve another. What is beyond these is the platform's. Answers tell their
environment: a burst that did not take as many as it has invocations is no burst, and fails.
"""

from __future__ import annotations

import asyncio
import os
import time
from dataclasses import dataclass

from benchmarks.client import Client, connected
from benchmarks.figures import Figure, Result, Samples, percentile
from benchmarks.floors.fork_exec import best_runtime
from benchmarks.harness import BenchmarkError, Effort
from benchmarks.procfs import MachineTime, cpu_s
from benchmarks.system import System, running_system

QUESTION = "How fast do many environments come to be at once?"
HELD_S = 4.0
MEMORY_MB = 256
SIZES = (1, 10, 50, 100)
TIMEOUT_S = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Burst:
    """What one burst took."""

    values_ns: tuple[int, ...]
    """Of each invocation, without the time that it held its environment for."""
    span_ns: int
    """From the first question to the last answer, without that time."""
    cpu_s: float
    """Of the whole system below `emberd serve`, sandboxes included that are still there."""
    parked: int
    steal_share: float


def run(effort: Effort) -> Result:
    """Send bursts of growing size, each to functions that nobody has called before."""
    sizes = SIZES if effort.rounds > 2 else SIZES[:2]
    with running_system() as system:
        return asyncio.run(_measure(system, sizes, max(1, effort.rounds // 2)))


async def _measure(system: System, sizes: tuple[int, ...], times: int) -> Result:
    async with connected(system.settings()) as client:
        runtime, _ = best_runtime(await client.runtimes())
        found: dict[int, list[Burst]] = {size: [] for size in sizes}
        for _ in range(times):
            for size in sizes:
                system.settle()
                found[size].append(await _burst(system, client, runtime, size))
    return _result(found, runtime)


async def _burst(system: System, client: Client, runtime: str, size: int) -> Burst:
    name, token = await client.create("sleeper", runtime, memory_mb=MEMORY_MB, timeout_s=TIMEOUT_S)
    before, cpu_before_s = MachineTime.now(), cpu_s(system.pid)
    begun_ns = time.perf_counter_ns()

    async def one() -> tuple[int, str, str]:
        answer = await client.invoke(name, {"seconds": HELD_S})
        if answer.token != token or answer.start_level == "warm":
            raise BenchmarkError(f"{name} was answered by another, or warm")
        return time.perf_counter_ns() - begun_ns, answer.environment, answer.start_level

    answers = await asyncio.gather(*(one() for _ in range(size)))
    if len({environment for _, environment, _ in answers}) != size:
        raise BenchmarkError(f"{size} invocations did not take as many environments")
    held_ns = int(HELD_S * 1e9)
    values = tuple(taken_ns - held_ns for taken_ns, _, _ in answers)
    return Burst(
        values_ns=values,
        span_ns=max(values),
        cpu_s=cpu_s(system.pid) - cpu_before_s,
        parked=sum(level == "parked" for _, _, level in answers),
        steal_share=before.steal_share_until(MachineTime.now()),
    )


def _result(found: dict[int, list[Burst]], runtime: str) -> Result:
    samples, figures = [], []
    cores = os.cpu_count() or 1
    for size, bursts in found.items():
        values = tuple(value for each in bursts for value in each.values_ns)
        samples.append(
            Samples(
                name=f"{size} at once, beyond the work",
                values_ns=values,
                parameters={"memory_mb": MEMORY_MB, "bursts": len(bursts), "runtime": runtime},
            )
        )
        if size == 1:
            continue
        rates = sorted(size / (each.span_ns / 1e9) for each in bursts)
        ideals = sorted(each.span_ns / 1e9 / (each.cpu_s / cores) for each in bursts)
        whole = [value + int(HELD_S * 1e9) for value in values]
        middle = len(bursts) // 2
        figures += [
            Figure(name=f"environments per second, {size} at once", value=rates[middle], unit="/s"),
            Figure(
                name=f"CPU per environment, {size} at once",
                value=1e3 * sorted(each.cpu_s for each in bursts)[middle] / size,
                unit="ms",
            ),
            Figure(name=f"makespan / ideal, {size} at once", value=ideals[middle], unit="x"),
            Figure(
                name=f"p99 / p50 with the work, {size} at once",
                value=percentile(sorted(whole), 99) / percentile(sorted(whole), 50),
                unit="x",
            ),
            Figure(
                name=f"parked, of {size}",
                value=sum(each.parked for each in bursts) / len(bursts),
                unit="",
            ),
        ]
    steal = max(each.steal_share for bursts in found.values() for each in bursts)
    figures.append(Figure(name="steal in the worst burst", value=100 * steal, unit="%"))
    return Result(name="burst", question=QUESTION, samples=tuple(samples), figures=tuple(figures))
