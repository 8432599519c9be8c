"""Lives without number: sandboxes that start, end in every way there is, and leave nothing.

`make test` lets 200 live and die; `make soak` 10,000, and prints what was counted.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import select
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from sandbox.backend import ProcessExit
from sandbox.process.backend import ProcessBackend, ProcessSandbox
from sandbox.spec import MIB, SandboxSpec
from tests.host.census import processes_of, settled
from tests.host.harness import PATIENCE, Host, eventually, read_until

pytestmark = pytest.mark.host

LIVES = int(os.environ.get("EMBERD_SOAK_LIVES", "120"))
WARMING_LIVES = 20
"""Before the first count: pools fill, modules are imported, allocators find their size."""
AT_ONCE = 3
MEMORY_BYTES = 8 * MIB
"""What allocators may take more, however many lives there were."""
LIFE_S_MAX = 0.2 * PATIENCE
"""On average, on a busy machine."""
KILLED_WITHIN_S = 0.1 * PATIENCE

Death = Callable[[ProcessSandbox], Awaitable[None]]


async def ends(sandbox: ProcessSandbox) -> None:
    """By itself."""
    async with asyncio.timeout(20):
        await sandbox.wait()


async def is_killed(sandbox: ProcessSandbox) -> None:
    """As at a time-out."""
    read_until(sandbox.log_fd, b"ready")
    await sandbox.kill()


async def is_killed_frozen(sandbox: ProcessSandbox) -> None:
    """As an idle one that nobody needs any more."""
    read_until(sandbox.log_fd, b"ready")
    sandbox.freeze()


async def crashes_twice(sandbox: ProcessSandbox) -> None:
    """As a function that fails, is started again in the same environment, and fails again."""
    await ends(sandbox)
    await sandbox.reset()
    await ends(sandbox)


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """What a sandbox runs, and how that ends."""

    source: str
    death: Death
    end: ProcessExit


WAITS = "import signal\nprint('ready', flush=True)\nsignal.pause()"

LIVES_OF = {
    "ok": Life(source="print('done')", death=ends, end=ProcessExit(status=0)),
    "exit": Life(source="raise SystemExit(3)", death=ends, end=ProcessExit(status=3)),
    "segfault": Life(
        source="import ctypes\nctypes.string_at(0)", death=ends, end=ProcessExit(signal=11)
    ),
    "memory": Life(
        source="kept = [bytearray(b'x' * (1 << 20)) for _ in range(256)]",
        death=ends,
        end=ProcessExit(signal=9),
    ),
    "time-out": Life(source=WAITS, death=is_killed, end=ProcessExit(signal=9)),
    "frozen": Life(source=WAITS, death=is_killed_frozen, end=ProcessExit(signal=9)),
    "again": Life(source="raise SystemExit(4)", death=crashes_twice, end=ProcessExit(status=4)),
}


@pytest.fixture
async def quiet_host(own_host: Host) -> AsyncIterator[tuple[Host, ProcessBackend]]:
    """A host on which nobody else starts sandboxes."""
    backend = await ProcessBackend.connect(own_host.start())
    yield own_host, backend
    await backend.close()


async def test_however_many_live_and_crash_nothing_grows(
    quiet_host: tuple[Host, ProcessBackend], capsys: pytest.CaptureFixture[str]
) -> None:
    # A soak takes longer than any other test may.
    signal.setitimer(signal.ITIMER_REAL, 60 + LIVES * LIFE_S_MAX)
    host, backend = quiet_host
    specs = {name: host.spec(life.source, memory_bytes=64 * MIB) for name, life in LIVES_OF.items()}
    await live(backend, specs, range(WARMING_LIVES))
    before = settled(host)
    begun = time.monotonic()
    await live(backend, specs, range(WARMING_LIVES, WARMING_LIVES + LIVES))
    took_s = time.monotonic() - begun
    # Settled as before, lest embryos that are still to come hide what is too much.
    after = settled(host)
    with capsys.disabled():
        print(f"\n{LIVES} lives in {took_s:.0f} s\nbefore {before}\nafter  {after}")
    assert not after.growth_since(before, memory_bytes=MEMORY_BYTES)


async def live(backend: ProcessBackend, specs: dict[str, SandboxSpec], numbers: range) -> None:
    """Let so many live, some at once, each kind in its turn."""
    turns = zip(numbers, itertools.cycle(LIVES_OF.items()), strict=False)

    async def worker() -> None:
        for number, (name, life) in turns:
            spec = replace(specs[name], sandbox_id=f"life-{number}")
            sandbox = await backend.create(spec)
            await life.death(sandbox)
            await sandbox.destroy()
            assert await sandbox.wait() == life.end, name

    async with asyncio.TaskGroup() as group:
        for _ in range(AT_ONCE):
            group.create_task(worker())


@pytest.mark.parametrize(
    "last_words",
    [
        pytest.param("while True: pass", id="spins"),
        pytest.param("os.read(os.pipe()[0], 1)", id="waits in a system call"),
        pytest.param("os.kill(os.getpid(), signal.SIGSTOP)", id="has stopped itself"),
        pytest.param(
            "signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())\n"
            "for _ in range(3): os.fork()\n"
            "signal.sigwait([signal.SIGUSR1])",
            id="blocks every signal",
        ),
    ],
)
async def test_what_is_killed_at_a_time_out_is_gone_within_a_tenth_of_a_second(
    host: Host, backend: ProcessBackend, last_words: str
) -> None:
    source = f"import os, signal\nprint('ready', flush=True)\n{last_words}"
    took_s = []
    for _ in range(5):
        sandbox = await backend.create(host.spec(source))
        read_until(sandbox.log_fd, b"ready")
        begun = time.monotonic()
        await sandbox.kill()
        took_s.append(time.monotonic() - begun)
        await sandbox.destroy()
    # The median: one of them may meet a machine that is busy with something else.
    assert sorted(took_s)[2] < KILLED_WITHIN_S, took_s


async def test_a_frozen_sandbox_uses_no_processor(host: Host, backend: ProcessBackend) -> None:
    """Neither its main thread nor those that it left running."""
    source = (
        "import threading\n"
        "def spin():\n"
        "    while True: pass\n"
        "for _ in range(2): threading.Thread(target=spin).start()\n"
        "print('ready', flush=True)\n"
        "spin()"
    )
    sandbox = await backend.create(host.spec(source))
    read_until(sandbox.log_fd, b"ready")
    working = cpu_ticks(host)
    assert eventually(lambda: cpu_ticks(host) > working)
    sandbox.freeze()
    # The launcher replaces what it gave away, and then rests.
    assert eventually(lambda: cpu_ticks(host) == cpu_ticks_after(host, 0.3))
    before = cpu_ticks(host)
    assert cpu_ticks_after(host, 1) == before


def cpu_ticks_after(host: Host, window_s: float) -> int:
    """The same, so much later: nothing tells of what does not happen."""
    select.select([], [], [], window_s)
    return cpu_ticks(host)


def cpu_ticks(host: Host) -> int:
    """What all processes of a host have used (proc(5): utime and stime)."""
    used = 0
    for pid in processes_of(host):
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except FileNotFoundError:
            continue  # it has just ended
        used += int(fields[11]) + int(fields[12])
    return used
