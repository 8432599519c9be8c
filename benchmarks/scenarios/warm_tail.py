"""How much slower than the median is the slowest in a hundred, at half load, beside AWS's emulator?

Both are asked over HTTP by the clock, evenly, at half of the rate that they manage at most; each
invocation counts from when it was due. The emulator serves one at a time, so that its requests
wait for each other on one connection; emberd's go out on several, signed.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass

from benchmarks.client import MEMORY_MB, RUNTIME, connected
from benchmarks.figures import Figure, Result, percentile
from benchmarks.harness import Call, Effort, Loop, Round, abba, open_loop, saturate
from benchmarks.http_client import (
    asking,
    connection,
    invocation_path,
    lambda_port,
    plain_request,
    signed_request,
)
from benchmarks.peers.runtime_interface_emulator import PATH, Emulator, emulator
from benchmarks.system import System, running_system
from benchmarks.warm import samples_of
from benchmarks.workloads.arrivals import constant

LINKS = 16
QUESTION = "How much slower than the median is the slowest in a hundred, at half load?"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A side, and how many a second it is asked for."""

    call: Call
    per_s: float


def run(effort: Effort) -> Result:
    """Find what each manages, then ask for half of it in alternating rounds."""
    with running_system() as system, emulator() as peer:
        return asyncio.run(_measure(effort, system, peer))


async def _measure(effort: Effort, system: System, peer: Emulator) -> Result:
    settings = system.settings()
    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(connected(settings))
        name, token = await client.create_hello(RUNTIME)
        await client.invoke(name)
        system.settle()
        port = lambda_port(settings)
        many = [await stack.enter_async_context(connection(port)) for _ in range(LINKS)]
        one = [await stack.enter_async_context(connection(peer.port))]
        path = invocation_path(name)
        ours = asking(many, lambda: signed_request(path, settings), token)
        theirs = asking(one, lambda: plain_request(PATH, "127.0.0.1"), peer.token)
        sides = [
            await _half(call, len(links), effort) for call, links in ((ours, many), (theirs, one))
        ]
        rounds = await abba(effort.rounds, *(_by_the_clock(side, effort) for side in sides))
    return _result(rounds, *(side.per_s for side in sides))


async def _half(call: Call, concurrency: int, effort: Effort) -> Asked:
    """Warm it up, and find half of what it manages."""
    await saturate(call, total=effort.warmup, concurrency=concurrency)
    begun = time.perf_counter()
    await saturate(call, total=effort.concurrent, concurrency=concurrency)
    return Asked(call=call, per_s=effort.concurrent / (time.perf_counter() - begun) / 2)


def _by_the_clock(side: Asked, effort: Effort) -> Callable[[], Awaitable[Loop]]:
    due_s = constant(side.per_s, effort.open_loop_s / 2)
    return lambda: open_loop(side.call, due_s)


def _result(rounds: list[Round[Loop]], our_rate: float, their_rate: float) -> Result:
    ours, theirs = [each.ours for each in rounds], [each.theirs for each in rounds]
    ours_tail, theirs_tail = _tail(ours), _tail(theirs)
    steal = max(each.steal_share for each in rounds)
    return Result(
        name="warm_tail",
        question=QUESTION,
        samples=(
            samples_of(
                "emberd over HTTP, signed, half load",
                ours,
                {"memory_mb": MEMORY_MB, "rate_per_s": round(our_rate, 1)},
            ),
            samples_of("emulator, half load", theirs, {"rate_per_s": round(their_rate, 1)}),
        ),
        figures=(
            Figure(name="emberd p99 / p50", value=ours_tail, unit="x"),
            Figure(name="emulator p99 / p50", value=theirs_tail, unit="x"),
            Figure(name="emberd / emulator of these", value=ours_tail / theirs_tail, unit="x"),
            Figure(name="steal in the worst round kept", value=100 * steal, unit="%"),
        ),
    )


def _tail(loops: list[Loop]) -> float:
    """The median of the rounds, lest one moment of the machine be all that is seen."""
    return statistics.median(
        percentile(loop.values_ns, 99) / percentile(loop.values_ns, 50) for loop in loops
    )
