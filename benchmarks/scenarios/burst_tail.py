"""When many ask at once for a second of work, what does the last of them wait?

Bursts of growing size, each sent twice to a function that nobody has called before: the first finds
no environment (a long pause between bursts), the second those of the first (a short one). What
a burst could take at best is its CPU time spread over all cores, and the work itself.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import time
from collections import defaultdict
from dataclasses import dataclass

from benchmarks.client import Client, connected
from benchmarks.figures import Figure, Result, Samples, percentile
from benchmarks.floors.fork_exec import best_runtime
from benchmarks.harness import Effort
from benchmarks.procfs import MachineTime, cpu_s
from benchmarks.system import System, running_system

QUESTION = "When many ask at once for a second of work, what does the last of them wait?"
WORK_S = 1.0
MEMORY_MB = 256
SIZES = (1, 100, 300, 500)
QUICK_SIZES = (1, 10)
TIMES = 2
TIMEOUT_S = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Burst:
    """What one burst took."""

    values_ns: tuple[int, ...]
    cpu_s: float
    """Of the whole system below `emberd serve`, sandboxes included."""
    cold: int
    steal_share: float

    @property
    def beyond_ideal(self) -> float:
        """How many times its CPU time on all cores it took, without the work."""
        ideal_s = self.cpu_s / (os.cpu_count() or 1)
        return (max(self.values_ns) / 1e9 - WORK_S) / ideal_s

    @property
    def tail(self) -> float:
        """p99 / p50, the work included."""
        return percentile(self.values_ns, 99) / percentile(self.values_ns, 50)


def run(effort: Effort) -> Result:
    """Send all bursts, some times over."""
    quick = effort.rounds <= 2
    with running_system() as system:
        return asyncio.run(_measure(system, QUICK_SIZES if quick else SIZES, 1 if quick else TIMES))


async def _measure(system: System, sizes: tuple[int, ...], times: int) -> Result:
    found: defaultdict[tuple[int, str], list[Burst]] = defaultdict(list)
    async with connected(system.settings()) as client:
        runtime, _ = best_runtime(await client.runtimes())
        for _ in range(times):
            for size in sizes:
                system.settle()
                name, _ = await client.create(
                    "sleeper", runtime, memory_mb=MEMORY_MB, timeout_s=TIMEOUT_S
                )
                for pause in ("long", "short"):
                    found[size, pause].append(await _burst(system, client, name, size))
                await client.delete(name)
    return _result(found, runtime)


async def _burst(system: System, client: Client, name: str, size: int) -> Burst:
    before, cpu_before_s = MachineTime.now(), cpu_s(system.pid)
    begun_ns = time.perf_counter_ns()

    async def one() -> tuple[int, bool]:
        answer = await client.invoke(name, {"seconds": WORK_S})
        return time.perf_counter_ns() - begun_ns, answer.start_level != "warm"

    answers = await asyncio.gather(*(one() for _ in range(size)))
    return Burst(
        values_ns=tuple(taken_ns for taken_ns, _ in answers),
        cpu_s=cpu_s(system.pid) - cpu_before_s,
        cold=sum(cold for _, cold in answers),
        steal_share=before.steal_share_until(MachineTime.now()),
    )


def _result(found: dict[tuple[int, str], list[Burst]], runtime: str) -> Result:
    samples, figures = [], []
    for (size, pause), bursts in found.items():
        name = f"{size} at once, {pause} pause"
        samples.append(
            Samples(
                name=name,
                values_ns=tuple(value for each in bursts for value in each.values_ns),
                parameters={"memory_mb": MEMORY_MB, "bursts": len(bursts), "runtime": runtime},
            )
        )
        if size == 1:
            continue
        tail = statistics.median(each.tail for each in bursts)
        beyond_ideal = statistics.median(each.beyond_ideal for each in bursts)
        cold = sum(each.cold for each in bursts) / len(bursts)
        figures += [
            Figure(name=f"p99 / p50, {name}", value=tail, unit="x"),
            Figure(name=f"makespan / ideal, {name}", value=beyond_ideal, unit="x"),
            Figure(name=f"cold, {name}", value=cold, unit="environments"),
        ]
    steal = max(each.steal_share for bursts in found.values() for each in bursts)
    figures.append(Figure(name="steal in the worst burst", value=100 * steal, unit="%"))
    return Result(
        name="burst_tail", question=QUESTION, samples=tuple(samples), figures=tuple(figures)
    )
