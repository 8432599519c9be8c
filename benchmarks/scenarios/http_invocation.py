"""How fast is Invoke over HTTP, and what does it cost, beside AWS's Runtime Interface Emulator?

The same handler under the same version of Python, asked by the same client over kept connections in
alternating rounds. emberd's requests are signed, its function runs in its sandbox; the emulator
checks nothing and isolates nothing. gRPC stands beside it as what HTTP adds is of interest too.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass

from benchmarks.client import MEMORY_MB, RUNTIME, connected
from benchmarks.figures import Figure, Result, Samples, Value, ratio_of_medians
from benchmarks.harness import BenchmarkError, Effort, Loop, Round, abba, closed_loop
from benchmarks.http_client import (
    Connection,
    asking,
    connection,
    invocation_path,
    lambda_port,
    plain_request,
    signed_request,
)
from benchmarks.peers.runtime_interface_emulator import PATH, Emulator, emulator
from benchmarks.procfs import cpu_s
from benchmarks.system import System, running_system
from benchmarks.warm import Side, samples_of, warm_call

CONCURRENCY = 16
QUESTION = "How fast is Invoke over HTTP, and what does it cost, beside AWS's emulator?"


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One side's round, one call after the other."""

    loop: Loop
    per_cpu_s: float


def run(effort: Effort) -> Result:
    """Measure emberd over HTTP, the emulator, and emberd over gRPC."""
    with running_system() as system, emulator() as peer:
        return asyncio.run(_measure(effort, system, peer))


async def _measure(effort: Effort, system: System, peer: Emulator) -> Result:
    settings = system.settings()
    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(connected(settings))
        name, token = await client.create_hello(RUNTIME)
        await client.invoke(name)
        system.settle()
        theirs = await stack.enter_async_context(connection(peer.port))
        port, path = lambda_port(settings), invocation_path(name)
        many = [await stack.enter_async_context(connection(port)) for _ in range(CONCURRENCY)]
        http = Side(
            name="emberd over HTTP, signed",
            call=asking(many[:1], lambda: signed_request(path, settings), token),
            root_pid=system.pid,
        )
        rie = Side(
            name="emulator",
            call=asking([theirs], lambda: plain_request(PATH, "127.0.0.1"), peer.token),
            root_pid=peer.pid,
        )
        grpc = Side(name="emberd over gRPC", call=warm_call(client, name), root_pid=system.pid)
        for side in (http, rie, grpc):
            await closed_loop(side.call, effort.warmup)
        beside_rie = await abba(effort.rounds, _measuring(http, effort), _measuring(rie, effort))
        beside_grpc = await abba(effort.rounds, _measuring(http, effort), _measuring(grpc, effort))
        loaded = await _at_once(many, path, settings, effort, system)
    return _result(beside_rie, beside_grpc, loaded)


def _measuring(side: Side, effort: Effort) -> Callable[[], Awaitable[Measured]]:
    async def measure() -> Measured:
        before = cpu_s(side.root_pid)
        loop = await closed_loop(side.call, effort.sequential)
        spent_s = cpu_s(side.root_pid) - before
        if spent_s <= 0:
            raise BenchmarkError(f"{side.name} took no measurable CPU time: measure more")
        return Measured(loop=loop, per_cpu_s=effort.sequential / spent_s)

    return measure


async def _at_once(
    links: list[Connection], path: str, settings: dict[str, str], effort: Effort, system: System
) -> tuple[float, float]:
    """Full load over HTTP: invocations per second and per CPU second."""
    request = signed_request(path, settings)

    async def worker(link: Connection, count: int) -> None:
        for _ in range(count):
            await link.ask(request)

    async def all_of(count: int) -> None:
        async with asyncio.TaskGroup() as group:
            for link in links:
                group.create_task(worker(link, count))

    await all_of(5)
    each = max(1, effort.concurrent // len(links))
    before, begun = cpu_s(system.pid), time.perf_counter()
    await all_of(each)
    taken_s, spent_s = time.perf_counter() - begun, cpu_s(system.pid) - before
    return each * len(links) / taken_s, each * len(links) / spent_s


def _samples(name: str, measured: list[Measured], **parameters: Value) -> Samples:
    return samples_of(name, [each.loop for each in measured], {**parameters, "runtime": RUNTIME})


def _result(
    beside_rie: list[Round[Measured]],
    beside_grpc: list[Round[Measured]],
    loaded: tuple[float, float],
) -> Result:
    ours, rie = [each.ours for each in beside_rie], [each.theirs for each in beside_rie]
    http, grpc = [each.ours for each in beside_grpc], [each.theirs for each in beside_grpc]
    ours_cpu = statistics.median(each.per_cpu_s for each in ours)
    rie_cpu = statistics.median(each.per_cpu_s for each in rie)
    grpc_cpu = statistics.median(each.per_cpu_s for each in grpc)
    steal = max(each.steal_share for each in (*beside_rie, *beside_grpc))
    return Result(
        name="http_invocation",
        question=QUESTION,
        samples=(
            _samples("emberd over HTTP, signed, one at a time", ours, memory_mb=MEMORY_MB),
            _samples("emulator, one at a time", rie),
            _samples("emberd over gRPC, one at a time", grpc, memory_mb=MEMORY_MB),
        ),
        figures=(
            _ratio("emberd over HTTP p50 / emulator p50", ours, rie),
            _ratio("emberd over HTTP p50 / over gRPC p50", http, grpc),
            Figure(name="emberd over HTTP", value=ours_cpu, unit="invocations/CPU-second"),
            Figure(name="emulator", value=rie_cpu, unit="invocations/CPU-second"),
            Figure(name="emberd over gRPC", value=grpc_cpu, unit="invocations/CPU-second"),
            Figure(name="emberd / emulator per CPU-second", value=ours_cpu / rie_cpu, unit="x"),
            Figure(name=f"emberd, {CONCURRENCY} at once", value=loaded[0], unit="invocations/s"),
            Figure(
                name=f"emberd, {CONCURRENCY} at once",
                value=loaded[1],
                unit="invocations/CPU-second",
            ),
            Figure(name="steal in the worst round kept", value=100 * steal, unit="%"),
        ),
    )


def _ratio(name: str, ours: list[Measured], theirs: list[Measured]) -> Figure:
    return ratio_of_medians(
        name,
        [each.loop.values_ns for each in ours],
        [each.loop.values_ns for each in theirs],
    )
