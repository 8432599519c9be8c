"""How fast is a cold start beside that of AWS's Runtime Interface Emulator, which isolates nothing?

The same handlers under the same version of Python, hello and one with heavy imports, one of each
in turn. emberd's function has new variables before every sample, so that no environment serves it
and its code is on the host; the answer must come from an environment that was never seen. Its
sandbox is a fork of the runtime's template (parked), or executes the runtime because of a variable
that only exec reads (fresh). The emulator's cold start is that of its process until the answer.
"""

from __future__ import annotations

import asyncio
import time

from benchmarks.client import RUNTIME, connected
from benchmarks.cold import Taken
from benchmarks.figures import Result
from benchmarks.harness import BenchmarkError, Effort
from benchmarks.http_client import connection, plain_request
from benchmarks.peers.runtime_interface_emulator import PATH, emulator
from benchmarks.system import System, running_system

WORKLOADS = ("hello", "heavy")
KINDS = ("parked", "fresh", "emulator")
LOOK_AGAIN_S = 0.0005
QUESTION = "How fast is a cold start beside that of AWS's emulator?"


def run(effort: Effort) -> Result:
    """Measure cold starts of both, one by one."""
    with running_system() as system:
        return asyncio.run(_measure(effort, system))


async def _measure(effort: Effort, system: System) -> Result:
    taken = Taken(RUNTIME)
    async with connected(system.settings()) as client:
        functions = {each: (await client.create(each, RUNTIME))[0] for each in WORKLOADS}
        for name in functions.values():
            await client.invoke(name)
        system.settle()
        for _ in range(effort.rounds):
            taken.begin_round(*(f"{each}, {kind}" for each in WORKLOADS for kind in KINDS))
            for _ in range(max(1, effort.cold // effort.rounds)):
                for workload, name in functions.items():
                    for level in ("parked", "fresh"):
                        await taken.sample(client, name, f"{workload}, {level}", level)
                    await _theirs(workload, taken)
    return _result(taken)


async def _theirs(workload: str, taken: Taken) -> None:
    with emulator(workload, look_again_s=LOOK_AGAIN_S) as peer:
        async with connection(peer.port) as link:
            answer = await link.ask(plain_request(PATH, "127.0.0.1"))
        taken.add(f"{workload}, emulator", time.perf_counter_ns() - peer.begun_ns)
        if answer.get("token") != peer.token:
            raise BenchmarkError(f"something else answered: {answer}")


def _result(taken: Taken) -> Result:
    figures = [
        taken.ratio(
            f"{workload}: {ours} / {theirs}", f"{workload}, {ours}", f"{workload}, {theirs}"
        )
        for workload in WORKLOADS
        for ours, theirs in (("parked", "emulator"), ("fresh", "emulator"), ("parked", "fresh"))
    ]
    heavy_to_hello = taken.ratio("parked: heavy / hello", "heavy, parked", "hello, parked")
    return Result(
        name="cold_beside_emulator",
        question=QUESTION,
        samples=taken.samples(),
        figures=(*figures, heavy_to_hello, taken.left_out),
    )
