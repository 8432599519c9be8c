"""How much slower is a steady function beside neighbours that do their worst?

The function has one vCPU and is asked in an open loop at a fifth of what it can do alone; rounds
with neighbours and without take turns. The neighbours have 512 MB each and are asked again for as
long as a round lasts: one computes, one forks, one takes more memory than it has, one writes and
waits for the disk; then one of each at once. The client shares the machine with all of them.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from benchmarks.client import MEMORY_MB, Client, connected
from benchmarks.figures import Figure, Result, Value
from benchmarks.floors.fork_exec import best_runtime
from benchmarks.harness import BenchmarkError, Effort, Loop, Round, abba, closed_loop, open_loop
from benchmarks.system import running_system
from benchmarks.warm import samples_of, warm_call
from benchmarks.workloads.arrivals import poisson

QUESTION = "How much slower is a steady function beside neighbours that do their worst?"
NEIGHBOUR_MB = 512
KINDS = ("spin", "fork", "memory", "fsync")
CROWDS: tuple[tuple[str, ...], ...] = (*((kind,) for kind in KINDS), KINDS)
LOAD = 0.2
HEADSTART_S = 0.3
"""Neighbours begin so long before a round, and end when it does."""
_KILLED = frozenset({"Runtime.OutOfMemory", "Runtime.ExitError"})
_ENDS = {"memory": _KILLED, "fork": _KILLED | {""}}
"""Who takes too much memory is killed, a thousand processes perhaps; all others succeed."""
SEED = 11


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What is asked, and how often."""

    client: Client
    steady: str
    neighbours: dict[str, str]
    """Function by kind."""
    rate_per_s: float
    round_s: float


def run(effort: Effort) -> Result:
    """Measure each kind of neighbour, and all at once."""
    with running_system() as system:
        return asyncio.run(_connect(effort, system.settings(), system.settle))


async def _connect(effort: Effort, settings: dict[str, str], settle: Callable[[], None]) -> Result:
    async with connected(settings) as client:
        runtime, _ = best_runtime(await client.runtimes())
        steady, _ = await client.create_hello(runtime)
        neighbours = {
            kind: (await client.create("noise", runtime, memory_mb=NEIGHBOUR_MB, timeout_s=60))[0]
            for kind in KINDS
        }
        await client.invoke(steady)
        settle()
        await closed_loop(warm_call(client, steady), effort.warmup)
        alone = await closed_loop(warm_call(client, steady), effort.sequential)
        place = Place(
            client=client,
            steady=steady,
            neighbours=neighbours,
            rate_per_s=LOAD / (statistics.median(alone.values_ns) / 1e9),
            round_s=effort.open_loop_s / 2,
        )
        found = {crowd: await _compare(effort, place, crowd) for crowd in CROWDS}
    return _result(found, place, runtime)


async def _compare(effort: Effort, place: Place, crowd: Sequence[str]) -> list[Round[Loop]]:
    return await abba(max(2, effort.rounds // 2), _beside(place, crowd), _beside(place, ()))


def _beside(place: Place, crowd: Sequence[str]) -> Callable[[], Awaitable[Loop]]:
    async def measure() -> Loop:
        due_s = poisson(place.rate_per_s, place.round_s, SEED)
        async with _crowd(place, crowd):
            return await open_loop(warm_call(place.client, place.steady), due_s)

    return measure


@asynccontextmanager
async def _crowd(place: Place, kinds: Sequence[str]) -> AsyncIterator[None]:
    until_s = time.monotonic() + HEADSTART_S + place.round_s
    async with asyncio.TaskGroup() as group:
        for kind in kinds:
            group.create_task(_annoy(place, kind, until_s))
        await asyncio.sleep(HEADSTART_S)
        yield


async def _annoy(place: Place, kind: str, until_s: float) -> None:
    while (left_s := until_s - time.monotonic()) > 0:
        event = {"do": kind, "seconds": left_s}
        ended = await place.client.ask(place.neighbours[kind], event)
        if ended not in _ENDS.get(kind, {""}):
            raise BenchmarkError(f"the neighbour of kind {kind} ended with {ended or 'success'}")


def _result(found: dict[tuple[str, ...], list[Round[Loop]]], place: Place, runtime: str) -> Result:
    samples, figures = [], []
    parameters: dict[str, Value] = {
        "memory_mb": MEMORY_MB,
        "neighbour_mb": NEIGHBOUR_MB,
        "rate_per_s": round(place.rate_per_s, 1),
        "runtime": runtime,
    }
    for crowd, rounds in found.items():
        name = crowd[0] if len(crowd) == 1 else "one of each"
        for side, loops in (
            (f"beside {name}", [each.ours for each in rounds]),
            (f"alone, in turn with {name}", [each.theirs for each in rounds]),
        ):
            samples.append(samples_of(side, loops, parameters))
        beside, alone = samples[-2:]
        ratio = beside.percentile_ns(99) / alone.percentile_ns(99)
        figures.append(Figure(name=f"p99 beside {name} / alone", value=ratio, unit="x"))
    steal = max(each.steal_share for rounds in found.values() for each in rounds)
    figures.append(Figure(name="steal in the worst round kept", value=100 * steal, unit="%"))
    return Result(
        name="noisy_neighbour",
        question=QUESTION,
        samples=tuple(samples),
        figures=tuple(figures),
    )
