"""Warm invocations measured side by side: what is compared, and how each side is measured."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.client import Client
from benchmarks.figures import Samples, Value
from benchmarks.harness import BenchmarkError, Call, Effort, Loop, closed_loop, saturate
from benchmarks.system import cpu_by_part

CONCURRENCY = 32
WARM_WITHIN_TRIES = 50


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


async def sequential(side: Side, effort: Effort) -> Loop:
    """One after the other."""
    return await closed_loop(side.call, effort.sequential)


async def loaded(side: Side, effort: Effort) -> Load:
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


def warm_call(client: Client, name: str) -> Call:
    """One invocation that is to be warm."""

    async def call() -> bool:
        return (await client.invoke(name)).start_level == "warm"

    return call


async def warm_up_all(call: Call) -> None:
    """Ask for so many at once until each of them finds a warm sandbox."""
    for _ in range(WARM_WITHIN_TRIES):
        if all(await asyncio.gather(*(call() for _ in range(CONCURRENCY)))):
            return
    raise BenchmarkError(
        f"{CONCURRENCY} invocations at once never were all warm in {WARM_WITHIN_TRIES} tries"
    )


def samples_of(name: str, loops: Sequence[Loop], parameters: dict[str, Value]) -> Samples:
    """All rounds of a side together."""
    return Samples(
        name=name,
        values_ns=tuple(value for loop in loops for value in loop.values_ns),
        discarded=sum(loop.discarded for loop in loops),
        parameters={**parameters, "rounds": len(loops)},
    )
