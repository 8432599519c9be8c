"""How much longer than a warm invocation does a cold one take for a user of boto3?

A function of 256 MB that imports nothing but the standard library, its code on the host. Before
every cold invocation it gets new variables; the answer must come from an environment that was never
seen. Right after it comes a warm one, so that both see the same machine and the same connection.
"""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from benchmarks.aws import lambda_client
from benchmarks.client import RUNTIME, connected
from benchmarks.figures import Figure, Result, Samples
from benchmarks.harness import BenchmarkError, Effort
from benchmarks.system import System, running_system

if TYPE_CHECKING:
    from types_boto3_lambda import LambdaClient

MEMORY_MB = 256
PAUSE_S = 0.2
"""After every pair, as users make pauses; the host prepares its next sandbox meanwhile."""
QUESTION = "How much longer than a warm invocation does a cold one take for a user of boto3?"


@dataclass(slots=True)
class Taken:
    """What was measured."""

    cold_ns: list[int] = field(default_factory=list)
    warm_ns: list[int] = field(default_factory=list)
    environments: set[str] = field(default_factory=set)


def run(effort: Effort) -> Result:
    """Measure pairs, one after the other."""
    taken = Taken()
    with running_system() as system, lambda_client(system.settings()) as client:
        name = asyncio.run(_deploy(system))
        for _ in range(3):
            _pair(client, name, Taken())
        system.settle()
        for _ in range(effort.cold):
            _pair(client, name, taken)
            time.sleep(PAUSE_S)
    cold, warm = (
        Samples(
            name=f"{kind}, by boto3",
            values_ns=tuple(values),
            parameters={"memory_mb": MEMORY_MB, "runtime": RUNTIME},
        )
        for kind, values in (("cold", taken.cold_ns), ("warm", taken.warm_ns))
    )
    differences = sorted(a - b for a, b in zip(taken.cold_ns, taken.warm_ns, strict=True))
    return Result(
        name="cold_minus_warm",
        question=QUESTION,
        samples=(cold, warm),
        figures=(
            Figure(
                name="cold p50 minus warm p50",
                value=(cold.percentile_ns(50) - warm.percentile_ns(50)) / 1e6,
                unit="ms",
            ),
            Figure(
                name="median difference of a pair",
                value=differences[len(differences) // 2] / 1e6,
                unit="ms",
                low=differences[len(differences) // 40] / 1e6,
                high=differences[-1 - len(differences) // 40] / 1e6,
                note="with the range of 95 % of the pairs",
            ),
        ),
    )


async def _deploy(system: System) -> str:
    async with connected(system.settings()) as client:
        name, _ = await client.create("hello", RUNTIME, memory_mb=MEMORY_MB)
    return name


def _pair(client: LambdaClient, name: str, taken: Taken) -> None:
    client.update_function_configuration(
        FunctionName=name, Environment={"Variables": {"ROUND": str(time.time_ns())}}
    )
    client.get_waiter("function_updated_v2").wait(
        FunctionName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 30}
    )
    cold_ns, environment = _timed(client, name)
    if environment in taken.environments:
        raise BenchmarkError(f"{name} has new variables, yet its environment was not new")
    warm_ns, again = _timed(client, name)
    if again != environment:
        raise BenchmarkError(f"{name} was answered by another environment than a moment before")
    taken.environments.add(environment)
    taken.cold_ns.append(cold_ns)
    taken.warm_ns.append(warm_ns)


def _timed(client: LambdaClient, name: str) -> tuple[int, str]:
    begun = time.perf_counter_ns()
    answer = client.invoke(FunctionName=name, Payload=b"{}")
    payload = answer["Payload"].read()
    taken_ns = time.perf_counter_ns() - begun
    if "FunctionError" in answer:
        raise BenchmarkError(f"{name} failed: {payload[:500]!r}")
    return taken_ns, str(json.loads(payload)["environment"])
