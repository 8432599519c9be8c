"""Does a large package start slower than a small one, once it is on the host?

One function of some kilobytes and one of a hundred megabytes, same handler, cold starts of both in
turn: new variables before every sample, so that no environment serves it. Packages are mounted and
never copied per sandbox, so their size should not show.
"""

from __future__ import annotations

import asyncio
import sys
import time

from benchmarks.client import MEMORY_MB, Client, connected
from benchmarks.figures import Result, Samples, ratio_of_medians
from benchmarks.harness import BenchmarkError, Effort
from benchmarks.system import System, running_system

RUNTIME = f"python3.{sys.version_info.minor}"
LARGE_MB = 100
QUESTION = "Does a large package start slower than a small one, once it is on the host?"


def run(effort: Effort) -> Result:
    """Measure cold starts of both in turn."""
    with running_system() as system:
        return asyncio.run(_measure(effort, system))


async def _measure(effort: Effort, system: System) -> Result:
    seen: set[str] = set()
    rounds: dict[str, list[list[int]]] = {"small": [], "large": []}
    async with connected(system.settings()) as client:
        small, _ = await client.create_hello(RUNTIME)
        names = {"small": small, "large": await client.create_large(RUNTIME, LARGE_MB)}
        for name in names.values():
            await client.invoke(name)
        system.settle()
        for _ in range(effort.rounds):
            taken = {kind: await _round(client, names, kind, effort, seen) for kind in names}
            for kind, values in taken.items():
                rounds[kind].append(values)
    return Result(
        name="package_size",
        question=QUESTION,
        samples=tuple(
            Samples(
                name=f"{kind} package, cold",
                values_ns=tuple(each for values in taken for each in values),
                parameters={"runtime": RUNTIME, "memory_mb": MEMORY_MB},
            )
            for kind, taken in rounds.items()
        ),
        figures=(ratio_of_medians(f"{LARGE_MB} MB / some KB", rounds["large"], rounds["small"]),),
    )


async def _round(
    client: Client, names: dict[str, str], kind: str, effort: Effort, seen: set[str]
) -> list[int]:
    return [
        await _cold(client, names[kind], seen) for _ in range(max(1, effort.cold // effort.rounds))
    ]


async def _cold(client: Client, name: str, seen: set[str]) -> int:
    await client.make_cold(name, {"ROUND": str(time.time_ns())})
    begun = time.perf_counter_ns()
    answer = await client.invoke(name)
    taken = time.perf_counter_ns() - begun
    if answer.start_level == "warm" or answer.environment in seen:
        raise BenchmarkError(f"{name} has new variables, yet its environment was not new")
    seen.add(answer.environment)
    return taken
