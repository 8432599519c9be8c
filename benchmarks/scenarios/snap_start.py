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

from benchmarks.client import RUNTIME, connected
from benchmarks.cold import Taken
from benchmarks.figures import Result
from benchmarks.harness import Effort
from benchmarks.scenarios.cold_beside_emulator import WORKLOADS
from benchmarks.system import System, running_system

PREPARED_S = 0.3
"""Between an update and its first event, for all alike: what a host makes in its spare moments, as
a template's next copy or the next parked sandbox, is there as a moment after any deployment."""
LEVELS = ("template", "parked", "fresh")
QUESTION = "How fast is a cold start from a function template (SnapStart)?"


def run(effort: Effort) -> Result:
    """Measure cold starts of every level, one by one."""
    with running_system() as system:
        return asyncio.run(_measure(effort, system))


async def _measure(effort: Effort, system: System) -> Result:
    taken = Taken(RUNTIME)
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
            taken.begin_round(*(f"{workload}, {level}" for workload, level in functions))
            for _ in range(max(1, effort.cold // effort.rounds)):
                for (workload, level), name in functions.items():
                    await taken.sample(client, name, f"{workload}, {level}", level, PREPARED_S)
    return _result(taken)


def _result(taken: Taken) -> Result:
    samples = taken.samples()
    figures = [
        taken.ratio(
            f"{workload}: {other} / template", f"{workload}, {other}", f"{workload}, template"
        )
        for workload in WORKLOADS
        for other in ("fresh", "parked")
    ]
    heavy_to_hello = taken.ratio("template: heavy / hello", "heavy, template", "hello, template")
    return Result(
        name="snap_start",
        question=QUESTION,
        samples=samples,
        figures=(*figures, heavy_to_hello, taken.left_out),
    )
