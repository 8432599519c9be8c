"""The loops. A benchmark hands in a call that raises unless what it measures succeeded.

Closed loop: the next call starts when the last has ended; honest for a median. Open loop: calls
start by the clock, and latency counts from when a call was due, so that slowness cannot hide
behind the calls that it delayed; the only honest loop for a tail.

A call answers whether it was what was meant: a cold start among warm invocations is counted and
left out, never mixed in.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from benchmarks.procfs import MachineTime

T = TypeVar("T")

Call = Callable[[], Awaitable[bool]]
"""Raises unless it succeeded; says whether the success was of the kind that is measured."""

STEAL_MAX = 0.05
"""A round in which the hypervisor gave more of the machine to others is void."""


class BenchmarkError(Exception):
    """What was measured did not succeed, so there is no number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """How much is measured. Quick shows that a benchmark runs; its numbers mean little."""

    rounds: int = 8
    """Of a comparison; even, so that each side goes first equally often."""
    warmup: int = 200
    sequential: int = 250
    """Samples per round, one after the other."""
    concurrent: int = 1_500
    """Invocations per round at full load."""
    open_loop_s: float = 20.0
    cold: int = 40
    starts: int = 7
    decisions: int = 20_000
    idle_s: float = 10.0
    """How long an idle system is watched."""
    idle_sandboxes: int = 40
    """Environments that stand idle at once."""
    replayed_functions: int = 1_000
    replayed_s: float = 86_400.0
    """Of a day that is replayed, not lived."""
    instances: int = 2_000
    """WebAssembly guests that sleep at once."""

    @classmethod
    def quick(cls) -> Effort:
        """Seconds instead of minutes."""
        return cls(
            rounds=2,
            warmup=20,
            sequential=30,
            concurrent=100,
            open_loop_s=2.0,
            cold=4,
            starts=2,
            decisions=500,
            idle_s=1.0,
            idle_sandboxes=3,
            replayed_functions=20,
            replayed_s=7_200.0,
            instances=20,
        )


@dataclass(slots=True)
class Loop:
    """What a loop measured."""

    values_ns: list[int] = field(default_factory=list)
    discarded: int = 0
    """Successes of another kind."""

    def add(self, taken_ns: int, *, wanted: bool) -> None:
        """Take one measurement, or count that it was left out."""
        if wanted:
            self.values_ns.append(taken_ns)
        else:
            self.discarded += 1


@dataclass(frozen=True, slots=True)
class Round(Generic[T]):
    """Both sides of a comparison, measured one right after the other."""

    ours: T
    theirs: T
    steal_share: float


def timed(call: Callable[[], object], *, warmup: int, samples: int) -> tuple[int, ...]:
    """Nanoseconds of each of so many calls of something that does not wait."""
    for _ in range(warmup):
        call()
    taken = []
    clock = time.perf_counter_ns
    for _ in range(samples):
        begun = clock()
        call()
        taken.append(clock() - begun)
    return tuple(taken)


async def closed_loop(call: Call, samples: int) -> Loop:
    """So many calls, one after the other."""
    return await saturate(call, total=samples, concurrency=1)


async def saturate(call: Call, *, total: int, concurrency: int) -> Loop:
    """So many calls, always so many of them at once."""
    loop = Loop()
    left = iter(range(total))

    async def worker() -> None:
        for _ in left:
            begun = time.perf_counter_ns()
            wanted = await call()
            loop.add(time.perf_counter_ns() - begun, wanted=wanted)

    async with asyncio.TaskGroup() as group:
        for _ in range(concurrency):
            group.create_task(worker())
    return loop


async def open_loop(call: Call, due_s: Sequence[float]) -> Loop:
    """Calls by the clock, each measured from when it was due; none waits for the one before."""
    loop = Loop()
    begun = time.perf_counter_ns()

    async def one(due_ns: int) -> None:
        wanted = await call()
        loop.add(time.perf_counter_ns() - due_ns, wanted=wanted)

    async with asyncio.TaskGroup() as group:
        for each in due_s:
            due_ns = begun + int(each * 1e9)
            wait_s = (due_ns - time.perf_counter_ns()) / 1e9
            if wait_s > 0:
                await asyncio.sleep(wait_s)
            group.create_task(one(due_ns))
    return loop


async def abba(
    rounds: int, ours: Callable[[], Awaitable[T]], theirs: Callable[[], Awaitable[T]]
) -> list[Round[T]]:
    """Measure two sides in rounds, each going first every other time, and leave out void rounds.

    When half of the rounds or more are void all are kept, and the steal that is reported says so.
    """
    taken = []
    for number in range(rounds):
        before = MachineTime.now()
        if number % 2 == 0:
            a, b = await ours(), await theirs()
        else:
            b, a = await theirs(), await ours()
        taken.append(Round(a, b, before.steal_share_until(MachineTime.now())))
    valid = [each for each in taken if each.steal_share <= STEAL_MAX]
    return valid if len(valid) > rounds / 2 else taken
