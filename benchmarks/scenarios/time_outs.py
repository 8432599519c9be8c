"""How long after its deadline does a function still run, and when does its caller hear of it?

A function streams the time until it is killed; its last line says how long it lived, by the same
clock that its deadline is told in. Five run at once, so that they end at the same time.
"""

from __future__ import annotations

import asyncio
import time

from benchmarks.client import MEMORY_MB, Client, connected
from benchmarks.figures import Figure, Result, Samples
from benchmarks.floors.fork_exec import best_runtime
from benchmarks.harness import BenchmarkError, Effort
from benchmarks.system import running_system

QUESTION = "How long does a function live past its deadline?"
AT_ONCE = 5
TIMEOUT_S = 1


def run(effort: Effort) -> Result:
    """Let functions run into their time-outs; 50 of them in earnest."""
    with running_system() as system:
        return asyncio.run(_measure(effort, system.settings()))


async def _measure(effort: Effort, settings: dict[str, str]) -> Result:
    lives: list[tuple[int, int]] = []
    async with connected(settings) as client:
        runtime, _ = best_runtime(await client.runtimes())
        name, token = await client.create("beats", runtime, timeout_s=TIMEOUT_S)
        for _ in range(max(1, effort.cold // 4)):
            one = [_life(client, name, token) for _ in range(AT_ONCE)]
            lives.extend(await asyncio.gather(*one))
    lived = [last_ns for last_ns, _ in lives]
    parameters = {"memory_mb": MEMORY_MB, "timeout_s": TIMEOUT_S, "at_once": AT_ONCE}
    return Result(
        name="time_outs",
        question=QUESTION,
        samples=(
            Samples(
                name="caller told, after the deadline",
                values_ns=tuple(told_ns for _, told_ns in lives),
                parameters={**parameters, "runtime": runtime},
            ),
        ),
        figures=(
            Figure(name="last sign of life, latest", value=max(lived) / 1e6, unit="ms"),
            Figure(name="last sign of life, earliest", value=min(lived) / 1e6, unit="ms"),
            Figure(name="time-outs", value=len(lives), unit=""),
        ),
    )


async def _life(client: Client, name: str, token: str) -> tuple[int, int]:
    """Nanoseconds after the deadline: the last line's, and the end of the answer's."""
    said = bytearray()
    try:
        async for piece in client.stream(name, {}):
            said += piece
    except BenchmarkError as error:
        told_ns = time.time_ns()
        if "timed out" not in str(error).lower():
            raise
    else:
        raise BenchmarkError(f"{name} ended by itself, which it never does")
    found, deadline_ns, *beats = said.decode().split("\n")[:-1]
    if found != token or not beats:
        raise BenchmarkError(f"something else answered: {said[:200]!r}")
    return int(beats[-1]) - int(deadline_ns), told_ns - int(deadline_ns)
