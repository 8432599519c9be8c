"""How fast is a cold start beside that of AWS's Runtime Interface Emulator, which isolates nothing?

The same handlers under the same version of Python, hello and one with heavy imports, one of each
in turn. emberd's function has new variables before every sample, so that no environment serves it
and its code is on the host; the answer must come from an environment that was never seen. Its
sandbox is a fork of the runtime's template (parked), or executes the runtime because of a variable
that only exec reads (fresh). The emulator's cold start is that of its process until the answer.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections import defaultdict
from dataclasses import dataclass, field

from benchmarks.client import MEMORY_MB, Client, connected
from benchmarks.figures import Figure, Result, Samples, ratio_of_medians
from benchmarks.harness import BenchmarkError, Effort
from benchmarks.http_client import connection, plain_request
from benchmarks.peers.runtime_interface_emulator import PATH, emulator
from benchmarks.system import System, running_system

RUNTIME = f"python3.{sys.version_info.minor}"
"""That of this program, because the emulator's runtime client is installed there."""

WORKLOADS = ("hello", "heavy")
EXECUTED = {"PYTHONHASHSEED": "random"}
"""Read by exec only."""
LOOK_AGAIN_S = 0.0005
QUESTION = "How fast is a cold start beside that of AWS's emulator?"


@dataclass(slots=True)
class Taken:
    """Nanoseconds by workload and kind, in rounds."""

    rounds: defaultdict[tuple[str, str], list[list[int]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    environments: set[str] = field(default_factory=set)
    discarded: int = 0
    """Cold, but not of the level that was meant."""

    def begin_round(self) -> None:
        """Another round begins."""
        for workload in WORKLOADS:
            for kind in ("parked", "fresh", "emulator"):
                self.rounds[workload, kind].append([])

    def add(self, workload: str, kind: str, taken_ns: int) -> None:
        """One sample in the round."""
        self.rounds[workload, kind][-1].append(taken_ns)


def run(effort: Effort) -> Result:
    """Measure cold starts of both, one by one."""
    with running_system() as system:
        return asyncio.run(_measure(effort, system))


async def _measure(effort: Effort, system: System) -> Result:
    taken = Taken()
    async with connected(system.settings()) as client:
        functions = {each: (await client.create(each, RUNTIME))[0] for each in WORKLOADS}
        for name in functions.values():
            await client.invoke(name)
        system.settle()
        for _ in range(effort.rounds):
            taken.begin_round()
            for _ in range(max(1, effort.cold // effort.rounds)):
                for workload, name in functions.items():
                    await _ours(client, workload, name, {}, taken)
                    await _ours(client, workload, name, EXECUTED, taken)
                    await _theirs(workload, taken)
    return _result(taken)


async def _ours(
    client: Client, workload: str, name: str, extra: dict[str, str], taken: Taken
) -> None:
    await client.make_cold(name, {"ROUND": str(time.time_ns()), **extra})
    begun = time.perf_counter_ns()
    answer = await client.invoke(name)
    spent = time.perf_counter_ns() - begun
    if answer.environment in taken.environments or answer.start_level == "warm":
        raise BenchmarkError(f"{name} has new variables, yet its environment was not new")
    taken.environments.add(answer.environment)
    if answer.start_level == ("fresh" if extra else "parked"):
        taken.add(workload, answer.start_level, spent)
    else:
        taken.discarded += 1


async def _theirs(workload: str, taken: Taken) -> None:
    with emulator(workload, look_again_s=LOOK_AGAIN_S) as peer:
        async with connection(peer.port) as link:
            answer = await link.ask(plain_request(PATH, "127.0.0.1"))
        taken.add(workload, "emulator", time.perf_counter_ns() - peer.begun_ns)
        if answer.get("token") != peer.token:
            raise BenchmarkError(f"something else answered: {answer}")


def _result(taken: Taken) -> Result:
    samples = [
        Samples(
            name=f"{workload}, {kind}",
            values_ns=tuple(each for each_round in rounds for each in each_round),
            parameters={"runtime": RUNTIME, "memory_mb": MEMORY_MB},
        )
        for (workload, kind), rounds in taken.rounds.items()
    ]
    figures = [
        ratio_of_medians(
            f"{workload}: {ours} / {theirs}",
            taken.rounds[workload, ours],
            taken.rounds[workload, theirs],
        )
        for workload in WORKLOADS
        for ours, theirs in (("parked", "emulator"), ("fresh", "emulator"), ("parked", "fresh"))
    ]
    heavy_to_hello = ratio_of_medians(
        "parked: heavy / hello", taken.rounds["heavy", "parked"], taken.rounds["hello", "parked"]
    )
    left_out = Figure(name="cold, but of another level", value=taken.discarded, unit="samples")
    return Result(
        name="cold_beside_emulator",
        question=QUESTION,
        samples=tuple(samples),
        figures=(*figures, heavy_to_hello, left_out),
    )
