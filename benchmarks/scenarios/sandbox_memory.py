"""What does an idle function cost in memory, beside AWS's Runtime Interface Emulator?

Environments of one function stand ready by provisioned concurrency, each has answered an event, and
all are idle. What they cost is what emberd's processes share of memory (PSS) has grown by, divided
by their number; and, because that misses the kernel's own (namespaces, cgroups, page tables, file
systems), what MemAvailable has fallen by, which the machine's other programs move too. The emulator
runs one environment per instance, which is measured after one event as well.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from benchmarks.aws import lambda_client
from benchmarks.client import RUNTIME, connected
from benchmarks.figures import Figure, Result, Value
from benchmarks.harness import BenchmarkError, Effort
from benchmarks.http_client import connection, plain_request
from benchmarks.peers.runtime_interface_emulator import PATH, emulator
from benchmarks.procfs import memory_available_bytes, pss_bytes, tree
from benchmarks.system import System, running_system

MEMORY_MB = 128
MIB = 1024 * 1024
PEERS = 8
READY_WITHIN_S = 120.0
PARKED_S = 90.0
"""Longer than a host keeps sandboxes parked for a burst like the last one."""
QUESTION = "What does an idle function cost in memory, beside AWS's emulator?"


def run(effort: Effort) -> Result:
    """Measure both, emberd first."""
    with running_system() as system:
        parked_s = PARKED_S if effort.rounds > 2 else 0.0
        ours_pss, ours_available = asyncio.run(_ours(effort.idle_sandboxes, parked_s, system))
    theirs_pss, theirs_available = _theirs()
    count: Value = effort.idle_sandboxes
    return Result(
        name="sandbox_memory",
        question=QUESTION,
        figures=(
            Figure(name="idle environments of emberd", value=count, unit=""),
            _memory("emberd, each (PSS)", ours_pss),
            _memory("emberd, each (MemAvailable)", ours_available),
            _memory("emulator, each (PSS)", theirs_pss),
            _memory("emulator, each (MemAvailable)", theirs_available),
            Figure(name="emberd / emulator (PSS)", value=ours_pss / theirs_pss, unit="x"),
            Figure(
                name="emberd / emulator (MemAvailable)",
                value=ours_available / theirs_available,
                unit="x",
            ),
        ),
    )


async def _ours(count: int, parked_s: float, system: System) -> tuple[float, float]:
    """Bytes per idle environment, by PSS and by MemAvailable."""
    async with connected(system.settings()) as client:
        name, _ = await client.create("hello", RUNTIME, memory_mb=MEMORY_MB)
        await client.invoke(name)
        system.settle()
        pss, available = _pss_of(system.pid), memory_available_bytes()
        with _provisioned(system.settings(), name, count):
            # As many at once as there are environments, so that each gets one or so.
            await asyncio.gather(*(client.invoke(f"{name}:1") for _ in range(count)))
            # What was parked for the next burst of starts is not theirs.
            await asyncio.sleep(parked_s)
            system.settle()
            return (
                (_pss_of(system.pid) - pss) / count,
                (available - memory_available_bytes()) / count,
            )


@contextmanager
def _provisioned(settings: dict[str, str], name: str, count: int) -> Iterator[None]:
    """That many environments of the function's first version stand ready."""
    with lambda_client(settings) as client:
        version = client.publish_version(FunctionName=name)["Version"]
        wanted = {"FunctionName": name, "Qualifier": version}
        client.put_provisioned_concurrency_config(**wanted, ProvisionedConcurrentExecutions=count)
        deadline = time.monotonic() + READY_WITHIN_S
        while client.get_provisioned_concurrency_config(**wanted)["Status"] != "READY":
            if time.monotonic() > deadline:
                raise BenchmarkError(
                    f"{count} environments were not ready in {READY_WITHIN_S:.0f} s"
                )
            time.sleep(0.2)
        yield


def _theirs() -> tuple[float, float]:
    """Bytes of one emulator with its function: PSS and MemAvailable of several, divided."""
    before = memory_available_bytes()
    with ExitStack() as running:
        peers = [running.enter_context(emulator("hello")) for _ in range(PEERS)]
        for each in peers:
            asyncio.run(_ask(each.port))
        share = sum(_pss_of(each.pid) for each in peers) / PEERS
        return share, (before - memory_available_bytes()) / PEERS


async def _ask(port: int) -> None:
    async with connection(port) as link:
        await link.ask(plain_request(PATH, "127.0.0.1"))


def _pss_of(root_pid: int) -> int:
    return sum(pss_bytes(pid) for pid in tree(root_pid))


def _memory(name: str, taken_bytes: float) -> Figure:
    return Figure(name=name, value=taken_bytes / MIB, unit="MiB")
