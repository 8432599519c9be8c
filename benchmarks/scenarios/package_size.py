"""Does a large package start slower than a small one, once it is on the host?

One function of some kilobytes and one of a hundred megabytes, same handler, cold starts of both in
turn: new variables before every sample, so that no environment serves it. Packages are mounted and
never copied per sandbox, so their size should not show.
"""

from __future__ import annotations

import asyncio

from benchmarks.client import RUNTIME, connected
from benchmarks.cold import Taken
from benchmarks.figures import Result
from benchmarks.harness import Effort
from benchmarks.system import System, running_system

LARGE_MB = 100
SMALL, LARGE = "small package, cold", "large package, cold"
QUESTION = "Does a large package start slower than a small one, once it is on the host?"


def run(effort: Effort) -> Result:
    """Measure cold starts of both in turn."""
    with running_system() as system:
        return asyncio.run(_measure(effort, system))


async def _measure(effort: Effort, system: System) -> Result:
    taken = Taken(RUNTIME)
    async with connected(system.settings()) as client:
        small, _ = await client.create_hello(RUNTIME)
        names = {SMALL: small, LARGE: await client.create_large(RUNTIME, LARGE_MB)}
        for name in names.values():
            await client.invoke(name)
        system.settle()
        for _ in range(effort.rounds):
            taken.begin_round(*names)
            for kind, name in names.items():
                for _ in range(max(1, effort.cold // effort.rounds)):
                    _, spent_ns = await taken.start(client, name)
                    taken.add(kind, spent_ns)
    return Result(
        name="package_size",
        question=QUESTION,
        samples=taken.samples(),
        figures=(taken.ratio(f"{LARGE_MB} MB / some KB", LARGE, SMALL),),
    )
