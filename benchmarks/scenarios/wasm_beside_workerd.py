"""What does WebAssembly do with a second of the processor, beside workerd on the same JavaScript?

One handler, which answers with its event: as a component of componentize-qjs (QuickJS) in emberd,
with a new world for every event and signed requests; and in workerd (V8), where its world stays.
The same client asks both over HTTP. The component under plain wasmtime-py, in this process and one
call after the other, says how much of emberd's is QuickJS and a new world.
"""

from __future__ import annotations

import asyncio
import statistics
import subprocess
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TypeVar

from benchmarks.client import WORKLOADS, connected
from benchmarks.figures import Figure, Result, ratio_of_medians
from benchmarks.harness import BenchmarkError, Effort, Loop, Round, abba, saturate
from benchmarks.http_client import (
    asking,
    connection,
    invocation_path,
    lambda_port,
    plain_request,
    signed_request,
)
from benchmarks.peers.npm import program
from benchmarks.peers.workerd import Workerd, workerd
from benchmarks.scenarios.wasm_invocation import plain
from benchmarks.system import System, running_system
from benchmarks.warm import CONCURRENCY, Load, Side, loaded, samples_of, sequential

T = TypeVar("T")

QUESTION = "What does WebAssembly do with a second of the processor, beside workerd?"
FOLDER = WORKLOADS / "echo"
WIT = Path(__file__).parents[2] / "runtimes" / "wasm" / "wit"
MEMORY_MB = 256
"""Two workers have a seat for each call of the full load."""
TOKEN = "tea"
EVENT = b'{"token":"tea","count":2}'
BUILD_WITHIN_S = 120
MORE = 10
"""As many times more requests for workerd: the kernel counts CPU time in hundredths of a second."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Server:
    """One of the two that are compared."""

    name: str
    port: int
    request: Callable[[], bytes]
    pid: int


def run(effort: Effort) -> Result:
    """Build the component, then ask both sides in turns."""
    component = _component()
    with running_system() as system, workerd(FOLDER) as peer:
        return asyncio.run(_measure(effort, system, peer, component))


def _component() -> bytes:
    """The handler as examples/wasm/README.md builds one."""
    with tempfile.TemporaryDirectory(prefix="emberd-bench-") as folder:
        output = Path(folder) / "main.wasm"
        done = subprocess.run(
            [
                *(program("componentize-qjs"), "--sync", "--minify"),
                *("--wit", WIT, "--world", "function"),
                *("--js", FOLDER / "handler.js", "--output", output),
            ],
            capture_output=True,
            text=True,
            timeout=BUILD_WITHIN_S,
        )
        if done.returncode != 0:
            raise BenchmarkError(f"the component could not be built: {done.stderr[-1000:]}")
        return output.read_bytes()


async def _measure(effort: Effort, system: System, peer: Workerd, component: bytes) -> Result:
    settings = system.settings()
    async with connected(settings) as client:
        name = await client.create_module(component, memory_mb=MEMORY_MB)
        await client.send(name, EVENT)
    system.settle()
    ours = _Server(
        name="emberd",
        port=lambda_port(settings),
        request=partial(signed_request, invocation_path(name), settings, EVENT),
        pid=system.pid,
    )
    theirs = _Server(
        name="workerd",
        port=peer.port,
        request=partial(plain_request, "/", "127.0.0.1", EVENT),
        pid=peer.pid,
    )
    for server in (ours, theirs):
        await _asked(server, _warmed_up, effort)
    alone = await abba(
        effort.rounds,
        partial(_asked, ours, sequential, effort),
        partial(_asked, theirs, sequential, effort),
    )
    more = replace(effort, concurrent=effort.concurrent * MORE)
    full = await abba(
        effort.rounds,
        partial(_asked, ours, loaded, effort),
        partial(_asked, theirs, loaded, more),
    )
    return _result(alone, full, _plain_per_cpu_s(component, effort))


async def _asked(
    server: _Server, measure: Callable[[Side, Effort], Awaitable[T]], effort: Effort
) -> T:
    """Measure one side over new connections: workerd closes those that rest for some seconds."""
    async with AsyncExitStack() as stack:
        links = [
            await stack.enter_async_context(connection(server.port)) for _ in range(CONCURRENCY)
        ]
        call = asking(links, server.request, TOKEN)
        return await measure(Side(name=server.name, call=call, root_pid=server.pid), effort)


async def _warmed_up(side: Side, effort: Effort) -> None:
    await saturate(side.call, total=effort.warmup, concurrency=CONCURRENCY)


def _plain_per_cpu_s(component: bytes, effort: Effort) -> float:
    """Calls per CPU-second of plain wasmtime-py, each with a new store and instance."""
    call = plain(component, EVENT)
    call()
    before_s = time.process_time()
    for _ in range(effort.concurrent):
        call()
    return effort.concurrent / (time.process_time() - before_s)


def _result(alone: list[Round[Loop]], full: list[Round[Load]], plain_per_cpu_s: float) -> Result:
    ours, theirs = [each.ours for each in alone], [each.theirs for each in alone]
    loads, peers = [each.ours for each in full], [each.theirs for each in full]
    median = statistics.median
    ours_cpu, theirs_cpu = (median(each.per_cpu_s for each in found) for found in (loads, peers))
    parts = {part for each in loads for part in each.cpu_ms_by_part}
    return Result(
        name="wasm_beside_workerd",
        question=QUESTION,
        samples=(
            samples_of("emberd, signed, one at a time", ours, {"memory_mb": MEMORY_MB}),
            samples_of("workerd, one at a time", theirs, {}),
        ),
        figures=(
            Figure(name="emberd", value=ours_cpu, unit="invocations/CPU-second"),
            Figure(name="workerd", value=theirs_cpu, unit="requests/CPU-second"),
            Figure(name="plain wasmtime-py", value=plain_per_cpu_s, unit="calls/CPU-second"),
            Figure(name="emberd / workerd per CPU-second", value=ours_cpu / theirs_cpu, unit="x"),
            Figure(
                name="emberd / plain wasmtime-py per CPU-second",
                value=ours_cpu / plain_per_cpu_s,
                unit="x",
            ),
            Figure(
                name=f"emberd, {CONCURRENCY} at once",
                value=median(each.per_s for each in loads),
                unit="invocations/s",
            ),
            ratio_of_medians(
                "emberd p50 / workerd p50, one at a time",
                [each.values_ns for each in ours],
                [each.values_ns for each in theirs],
            ),
            *(
                Figure(
                    name=f"CPU per invocation: {part}",
                    value=median(each.cpu_ms_by_part.get(part, 0.0) for each in loads),
                    unit="ms",
                )
                for part in sorted(parts)
            ),
        ),
    )
