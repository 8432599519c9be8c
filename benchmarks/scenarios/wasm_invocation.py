"""What does a new WebAssembly instance for every event cost?

The same answer three ways: a component under emberd, which gets a new instance for every event; the
Python function hello under emberd, which keeps its process; and the component under plain
wasmtime-py in this process, a new store and instance for every call, as the floor. Both of emberd's
are warm: their sandboxes stand. Then events of a megabyte, which the component answers with.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Callable
from itertools import chain

import wasmtime
from wasmtime import component

from benchmarks.client import MEMORY_MB, Client, connected
from benchmarks.figures import Figure, Result, Samples, Value, ratio_of_medians
from benchmarks.floors.fork_exec import best_runtime
from benchmarks.harness import BenchmarkError, Call, Effort, closed_loop, timed
from benchmarks.system import System, running_system
from benchmarks.warm import warm_call
from runtimes.wasm.emberd_wasm import Event
from runtimes.wasm.emberd_wasm.handler import context_of
from tests.fakes.guests import COMPONENT_ECHO

QUESTION = "What does a new WebAssembly instance for every event cost?"
SMALL = b"{}"
LARGE = b'"' + b"x" * 1_000_000 + b'"'


def run(effort: Effort) -> Result:
    """Measure all in turn."""
    with running_system() as system:
        return asyncio.run(_measure(effort, system))


async def _measure(effort: Effort, system: System) -> Result:
    async with connected(system.settings()) as client:
        runtime, _ = best_runtime(await client.runtimes())
        hello, _ = await client.create_hello(runtime)
        wasm = await client.create_module(COMPONENT_ECHO)
        calls: dict[str, Call] = {
            "component, 2 bytes": _echo(client, wasm, SMALL),
            "hello in Python": warm_call(client, hello),
            "component, 1 MB": _echo(client, wasm, LARGE),
        }
        for call in calls.values():
            await closed_loop(call, effort.warmup)
        system.settle()
        rounds: dict[str, list[list[int]]] = {name: [] for name in calls}
        for _ in range(effort.rounds):
            for name, call in calls.items():
                found = await closed_loop(call, effort.sequential)
                rounds[name].append(found.values_ns)
    floor = {
        f"plain wasmtime-py, {name}": timed(call, warmup=effort.warmup, samples=effort.sequential)
        for name, call in (
            ("2 bytes", plain(COMPONENT_ECHO, SMALL)),
            ("1 MB", plain(COMPONENT_ECHO, LARGE)),
        )
    }
    return _result(rounds, floor)


def _echo(client: Client, name: str, payload: bytes) -> Call:
    async def call() -> bool:
        answer, start_level = await client.send(name, payload)
        if answer != payload:
            raise BenchmarkError(f"{name} answered with something else than its event")
        return start_level == "warm"

    return call


def plain(module: bytes, payload: bytes) -> Callable[[], object]:
    """A call of plain wasmtime-py: a new store, an instance and the component's answer."""
    engine = wasmtime.Engine()
    linker = component.Linker(engine)
    linker.add_wasip2()
    compiled = component.Component(engine, module)
    text = payload.decode()
    context = context_of(Event(body=payload, deadline_ms=int(time.time() * 1000)))

    def call() -> object:
        store = wasmtime.Store(engine)
        store.set_wasi(wasmtime.WasiConfig())
        function = linker.instantiate(store, compiled).get_func(store, "handle")
        if function is None:
            raise BenchmarkError("the component exports no handle")
        answer = function(store, text, context)
        store.close()
        return answer

    return call


def _result(rounds: dict[str, list[list[int]]], plain: dict[str, tuple[int, ...]]) -> Result:
    small, python, large = rounds.values()
    median = statistics.median
    grown_ns = median(map(median, large)) - median(map(median, small))
    parameters: dict[str, Value] = {"memory_mb": MEMORY_MB}
    return Result(
        name="wasm_invocation",
        question=QUESTION,
        samples=(
            *(
                Samples(
                    name=name,
                    values_ns=tuple(chain.from_iterable(found)),
                    parameters={**parameters},
                )
                for name, found in rounds.items()
            ),
            *(Samples(name=name, values_ns=values) for name, values in plain.items()),
        ),
        figures=(
            ratio_of_medians("component / hello in Python", small, python),
            Figure(name="what 1 MB more each way takes", value=grown_ns / 1e6, unit="ms"),
        ),
    )
