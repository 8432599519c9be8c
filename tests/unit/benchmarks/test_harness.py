"""The loops measure what they say, and nothing that failed."""

from __future__ import annotations

import asyncio
import itertools

import pytest

from benchmarks.harness import BenchmarkError, abba, closed_loop, open_loop, saturate, timed
from benchmarks.workloads.arrivals import constant, poisson


async def test_a_closed_loop_has_one_call_at_a_time() -> None:
    running = 0

    async def call() -> bool:
        nonlocal running
        running += 1
        assert running == 1
        await asyncio.sleep(0)
        running -= 1
        return True

    loop = await closed_loop(call, 10)
    assert len(loop.values_ns) == 10


async def test_a_saturated_loop_has_so_many_calls_at_a_time_and_no_more_than_asked() -> None:
    running, most = 0, 0

    async def call() -> bool:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0)
        running -= 1
        return True

    loop = await saturate(call, total=10, concurrency=4)
    assert (most, len(loop.values_ns)) == (4, 10)


async def test_what_was_not_meant_is_counted_and_left_out() -> None:
    wanted = itertools.cycle([True, False, True])

    async def call() -> bool:
        return next(wanted)

    loop = await closed_loop(call, 9)
    assert (len(loop.values_ns), loop.discarded) == (6, 3)


async def test_an_open_loop_counts_from_when_a_call_was_due() -> None:
    gate = asyncio.Event()
    started = 0

    async def call() -> bool:
        nonlocal started
        started += 1
        if started == 3:
            gate.set()
        # Nobody waits for the one before: the third opens the gate for the first two.
        await gate.wait()
        return True

    loop = await open_loop(call, [0.0, 0.001, 0.02])
    assert len(loop.values_ns) == 3
    assert max(loop.values_ns) >= 19_000_000
    assert min(loop.values_ns) < 19_000_000


async def test_a_failed_call_leaves_no_result() -> None:
    async def call() -> bool:
        raise BenchmarkError("no")

    with pytest.raises(ExceptionGroup) as failure:
        await closed_loop(call, 3)
    assert failure.group_contains(BenchmarkError, match="no")


async def test_each_side_goes_first_in_every_other_round() -> None:
    order: list[str] = []

    async def ours() -> str:
        order.append("a")
        return "a"

    async def theirs() -> str:
        order.append("b")
        return "b"

    rounds = await abba(4, ours, theirs)
    assert "".join(order) == "abbaabba"
    assert {(each.ours, each.theirs) for each in rounds} == {("a", "b")}


def test_a_warm_up_is_not_measured() -> None:
    calls = itertools.count()
    assert len(timed(lambda: next(calls), warmup=5, samples=3)) == 3
    assert next(calls) == 8


def test_constant_arrivals_are_evenly_spaced() -> None:
    assert constant(4.0, 1.0) == [0.0, 0.25, 0.5, 0.75]


def test_poisson_arrivals_have_their_rate_and_are_the_same_for_the_same_seed() -> None:
    times = poisson(100.0, 50.0, seed=1)
    assert times == poisson(100.0, 50.0, seed=1)
    assert times != poisson(100.0, 50.0, seed=2)
    assert times == sorted(times)
    assert 4_500 < len(times) < 5_500
    assert times[-1] < 50.0
