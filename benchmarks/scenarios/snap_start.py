"""How fast is a cold start from a function template, SnapStart's snapshot?

The same handlers, hello and one with heavy imports, each as three functions: without SnapStart as a
fork of the runtime's template (parked) and executed because of a variable that only exec reads
(fresh), and with SnapStart for $LATEST (template). One of each in turn. Before every sample a
function has new variables, so that no environment serves it; with SnapStart the update ends when
the new init has run and its template stands ready. The answer must come from an init that was never
seen, and at the level that was meant.
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from dataclasses import dataclass, field

from benchmarks.client import MEMORY_MB, Client, connected
from benchmarks.figures import Figure, Result, Samples, ratio_of_medians
from benchmarks.harness import BenchmarkError, Effort
from benchmarks.scenarios.cold_beside_emulator import EXECUTED, RUNTIME, WORKLOADS
from benchmarks.system import System, running_system

PREPARED_S = 0.3
"""Between an update and its first event, for all alike: what a host makes in its spare moments, as
a template's next copy or the next parked sandbox, is there as a moment after any deployment."""
LEVELS = ("template", "parked", "fresh")
QUESTION = "How fast is a cold start from a function template (SnapStart)?"


@dataclass(slots=True)
class Taken:
    """Nanoseconds by workload and level, in rounds."""

    rounds: defaultdict[tuple[str, str], list[list[int]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    environments: set[str] = field(default_factory=set)
    discarded: int = 0
    """Cold, but not of the level that was meant."""


def run(effort: Effort) -> Result:
    """Measure cold starts of every level, one by one."""
    with running_system() as system:
        return asyncio.run(_measure(effort, system))


async def _measure(effort: Effort, system: System) -> Result:
    taken = Taken()
    async with connected(system.settings()) as client:
        functions = {
            (workload, level): (
                await client.create(workload, RUNTIME, snap_start=level == "template")
            )[0]
            for workload in WORKLOADS
            for level in LEVELS
        }
        for name in functions.values():
            await client.invoke(name)
        system.settle()
        for _ in range(effort.rounds):
            for each in functions:
                taken.rounds[each].append([])
            for _ in range(max(1, effort.cold // effort.rounds)):
                for (workload, level), name in functions.items():
                    await _sample(client, workload, level, name, taken)
    return _result(taken)


async def _sample(client: Client, workload: str, level: str, name: str, taken: Taken) -> None:
    extra = EXECUTED if level == "fresh" else {}
    await client.make_cold(name, {"ROUND": str(time.time_ns()), **extra})
    await asyncio.sleep(PREPARED_S)
    begun = time.perf_counter_ns()
    answer = await client.invoke(name)
    spent = time.perf_counter_ns() - begun
    if answer.environment in taken.environments or answer.start_level == "warm":
        raise BenchmarkError(f"{name} has new variables, yet its environment was not new")
    taken.environments.add(answer.environment)
    if answer.start_level == level:
        taken.rounds[workload, level][-1].append(spent)
    else:
        taken.discarded += 1


def _result(taken: Taken) -> Result:
    rounds = taken.rounds
    for (workload, level), found in rounds.items():
        if not all(found):
            raise BenchmarkError(f"a round has no cold start of {workload} of the level {level}")
    samples = [
        Samples(
            name=f"{workload}, {level}",
            values_ns=tuple(each for each_round in rounds[workload, level] for each in each_round),
            parameters={"runtime": RUNTIME, "memory_mb": MEMORY_MB},
        )
        for workload, level in rounds
    ]
    figures = [
        ratio_of_medians(
            f"{workload}: {other} / template", rounds[workload, other], rounds[workload, "template"]
        )
        for workload in WORKLOADS
        for other in ("fresh", "parked")
    ]
    heavy_to_hello = ratio_of_medians(
        "template: heavy / hello", rounds["heavy", "template"], rounds["hello", "template"]
    )
    left_out = Figure(name="cold, but of another level", value=taken.discarded, unit="samples")
    return Result(
        name="snap_start",
        question=QUESTION,
        samples=tuple(samples),
        figures=(*figures, heavy_to_hello, left_out),
    )
