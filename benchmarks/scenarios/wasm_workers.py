"""What does one more event of a WebAssembly worker cost, in time and in memory?

Cold: the first event of a seat, while a guest sleeps in every other one that there is: the seat is
made for it, or was ahead of it. Warm: one in a seat that had events before. Both come after the
same pause and get a new instance. Two at once: the slower of two events that are begun together and
find one seat idle, beside two that find two. Then many guests sleep at once: what each costs is
what emberd's processes share of memory (PSS) has grown by, divided by their number.
"""

from __future__ import annotations

import asyncio
import time
from itertools import chain

from benchmarks.client import Client, connected
from benchmarks.figures import Figure, Result, Samples, Value, ratio_of_medians
from benchmarks.harness import BenchmarkError, Effort
from benchmarks.procfs import pss_bytes, tree
from benchmarks.system import System, running_system
from sandbox.sharing import FEW_SEATS
from tests.fakes.guests import DOES

QUESTION = "What does one more event of a WebAssembly worker cost?"
MEMORY_MB = 512
SMALL_MB = 128
SEATS_PER_ROUND = FEW_SEATS - 1
"""With the first they are all that one worker has before a second is made."""
WARM_PER_COLD = 3
PAUSE_S = 0.05
"""Before every event that is measured: what a processor has at hand is lost meanwhile."""
BUSY_WITHIN_S = 120.0
EACH = 500
"""Guests of one function that sleep: it may have 1,000 new environments in ten seconds."""
KIB = 1024


def run(effort: Effort) -> Result:
    """Time first, then memory."""
    limit = str(1_000 + effort.instances)
    with running_system(
        options=("--account-concurrency", limit, "--max-sandboxes", limit)
    ) as system:
        return asyncio.run(_measure(effort, system))


async def _measure(effort: Effort, system: System) -> Result:
    async with connected(system.settings()) as client:
        name = await client.create_module(DOES, memory_mb=MEMORY_MB)
        await client.send(name, b'"first"')
        system.settle()
        rounds = [
            await _round(client, name, number)
            for number in range(-(-effort.cold // SEATS_PER_ROUND))
        ]
        grown_bytes = await _sleeping(client, system, effort.instances)
    parameters: dict[str, Value] = {"memory_mb": MEMORY_MB}
    cold, warm, one_idle, two_idle = ([each[kind] for each in rounds] for kind in range(4))
    return Result(
        name="wasm_workers",
        question=QUESTION,
        samples=tuple(
            Samples(name=kind, values_ns=tuple(chain.from_iterable(found)), parameters=parameters)
            for kind, found in (
                ("the first event of a seat", cold),
                ("another event of a seat", warm),
                ("the slower of two at once, one seat idle", one_idle),
                ("the slower of two at once, two seats idle", two_idle),
            )
        ),
        figures=(
            ratio_of_medians("the first / another event of a seat", cold, warm),
            ratio_of_medians("two at once, one seat idle / two idle", one_idle, two_idle),
            Figure(name="guests asleep at once", value=effort.instances, unit=""),
            Figure(name="memory of each (PSS)", value=grown_bytes / KIB, unit="KiB"),
        ),
    )


async def _round(client: Client, name: str, number: int) -> tuple[list[int], ...]:
    """With a new worker: a few first events of a seat, each beside one more that sleeps."""
    await client.make_cold(name, {"ROUND": str(number)})
    await client.send(name, b'"first"')
    cold, warm, naps = [], [], []
    for _ in range(SEATS_PER_ROUND):
        warm += [await _timed(client, name) for _ in range(WARM_PER_COLD)]
        naps.append(asyncio.create_task(client.send(name, b'"nap"')))
        cold.append(await _timed(client, name))
    if any(each.done() for each in naps):
        raise BenchmarkError("a guest woke too early, so its seat may have been found idle")
    await asyncio.gather(*naps)
    await client.make_cold(name, {"ROUND": f"{number} again"})
    await client.send(name, b'"first"')
    one_idle, *two_idle = [
        max(await asyncio.gather(_timed(client, name), _timed(client, name)))
        for _ in range(1 + WARM_PER_COLD)
    ]
    return cold, warm, [one_idle], two_idle


async def _timed(client: Client, name: str) -> int:
    await asyncio.sleep(PAUSE_S)
    begun = time.perf_counter_ns()
    await client.send(name, b'"go"')
    return time.perf_counter_ns() - begun


async def _sleeping(client: Client, system: System, count: int) -> float:
    """Bytes for each of so many guests that sleep."""
    names = [
        await client.create_module(DOES, memory_mb=SMALL_MB, timeout_s=600)
        for _ in range(-(-count // EACH))
    ]
    for name in names:
        await client.send(name, b'"first"')
    system.settle()
    before = _pss_of(system)
    asleep = [
        asyncio.create_task(client.send(names[number // EACH], b'"sleep"'))
        for number in range(count)
    ]
    try:
        async with asyncio.timeout(BUSY_WITHIN_S):
            while await client.running() < count:
                for each in asleep:
                    if each.done():
                        raise BenchmarkError(f"a guest does not sleep: {each.result()}")
                await asyncio.sleep(0.5)
        system.settle()
        return (_pss_of(system) - before) / count
    except TimeoutError:
        message = f"{count} guests did not sleep within {BUSY_WITHIN_S:g} s"
        raise BenchmarkError(message) from None
    finally:
        for each in asleep:
            each.cancel()
        await asyncio.wait(asleep)


def _pss_of(system: System) -> int:
    return sum(pss_bytes(pid) for pid in tree(system.pid))
