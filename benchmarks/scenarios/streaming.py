"""How soon is the first byte of a streamed answer here, and how fast does the rest come?

The first byte is compared with the whole of a warm buffered invocation by the same client in
alternating rounds. The rate is that of the first 6 MB, which Lambda does not hold back either.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Sequence

from benchmarks.client import Client, connected
from benchmarks.figures import Figure, Result, Samples, Value, ratio_of_medians
from benchmarks.floors.fork_exec import best_runtime
from benchmarks.harness import BenchmarkError, Effort, Loop, abba, closed_loop
from benchmarks.system import System, running_system

MEGABYTES = 5
BYTES = MEGABYTES * (1 << 20) + len("first") + len("last")
QUESTION = "How soon is the first byte of a streamed answer here, and how fast is the rest?"


def run(effort: Effort) -> Result:
    """Measure on a fresh emberd."""
    with running_system() as system:
        return asyncio.run(_connect(effort, system))


async def _connect(effort: Effort, system: System) -> Result:
    async with connected(system.settings()) as client:
        runtime, _ = best_runtime(await client.runtimes())
        streams, _ = await client.create("streams", runtime)
        hello, _ = await client.create_hello(runtime)
        await _first_bytes(client, streams, 1)
        await client.invoke(hello)
        system.settle()
        await _first_bytes(client, streams, effort.warmup)

        async def whole() -> bool:
            return (await client.invoke(hello)).start_level == "warm"

        await closed_loop(whole, effort.warmup)
        rounds = await abba(
            effort.rounds,
            lambda: _first_bytes(client, streams, effort.sequential),
            lambda: closed_loop(whole, effort.sequential),
        )
        rates = [await _rate(client, streams) for _ in range(effort.starts)]
    parameters: dict[str, Value] = {"runtime": runtime}
    return Result(
        name="streaming",
        question=QUESTION,
        samples=(
            _samples("first byte, warm", [each.ours for each in rounds], parameters),
            _samples("whole buffered answer, warm", [each.theirs for each in rounds], parameters),
        ),
        figures=(
            ratio_of_medians(
                "first byte p50 / whole buffered answer p50",
                [each.ours.values_ns for each in rounds],
                [each.theirs.values_ns for each in rounds],
            ),
            Figure(
                name=f"a streamed answer of {MEGABYTES} MiB",
                value=statistics.median(rates),
                unit="MB/s",
            ),
        ),
    )


async def _first_bytes(client: Client, name: str, samples: int) -> Loop:
    """The time to the first piece, with the rest read outside of it."""
    loop = Loop()
    for _ in range(samples):
        begun = time.perf_counter_ns()
        pieces = aiter(client.stream(name, {}))
        first = await anext(pieces)
        loop.add(time.perf_counter_ns() - begun, wanted=True)
        rest = b"".join([piece async for piece in pieces])
        if first + rest != b"firstlast":
            raise BenchmarkError(f"{name} streamed {first + rest!r}")
    return loop


async def _rate(client: Client, name: str) -> float:
    """MB per second of a large answer, from the question to its last byte."""
    begun, got = time.perf_counter(), 0
    async for piece in client.stream(name, {"megabytes": MEGABYTES}):
        got += len(piece)
    if got != BYTES:
        raise BenchmarkError(f"{name} streamed {got} of {BYTES} bytes")
    return got / 1e6 / (time.perf_counter() - begun)


def _samples(name: str, loops: Sequence[Loop], parameters: dict[str, Value]) -> Samples:
    return Samples(
        name=name,
        values_ns=tuple(value for loop in loops for value in loop.values_ns),
        discarded=sum(loop.discarded for loop in loops),
        parameters={**parameters, "rounds": len(loops)},
    )
