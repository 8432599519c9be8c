"""A copy of a function template, and the template during its init, behind every sandbox's walls."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import select
import signal
import time
from collections.abc import Mapping
from dataclasses import replace

import pytest

from emberd.wire.errors import UnavailableError
from sandbox.backend import ProcessExit
from sandbox.process.backend import ProcessBackend, ProcessSandbox
from sandbox.spec import MIB
from tests.host.census import template_runtimes_of
from tests.host.harness import BECOMES_A_COPY, Host, eventually, read_until, spec_of_copy
from tests.host.test_endurance import KILLED_WITHIN_S
from tests.host.test_isolation import ALLOWED, PROBES, REFUSED
from tests.host.test_limits import COMPUTES, FORKS, HAS_A_CHILD_THAT_USES_MEMORY, USES_MEMORY

pytestmark = pytest.mark.host

IN_A_COPY: Mapping[str, object] = {"netlink route": "EAFNOSUPPORT"}
"""What differs from every other sandbox."""

IN_A_TEMPLATE: Mapping[str, object] = {
    **IN_A_COPY,
    # It may narrow its own filter further, which is what its copies need it for.
    "another seccomp filter": "EFAULT",
    "descriptors": {"0": "/dev/null", "1": "pipe", "2": "pipe", "3": "socket"},
}


async def _copy(
    host: Host, backend: ProcessBackend, source: str, **limits: int
) -> tuple[ProcessSandbox, ProcessSandbox]:
    """A template and a copy of it that runs the program."""
    spec = replace(host.spec(BECOMES_A_COPY + source, **limits), is_template=True)
    template = await backend.create(spec)
    return template, await backend.create(spec_of_copy(spec))


def _others(told: dict[str, object]) -> dict[str, object]:
    """Outcomes that are not those of every sandbox."""
    assert set(told) == {*REFUSED, *ALLOWED, "environment"}, "every probe was tried"
    return {
        probe: outcome
        for probe, outcome in told.items()
        if probe != "environment" and outcome not in REFUSED.get(probe, (ALLOWED.get(probe),))
    }


async def test_every_probe_from_a_copy_ends_as_it_must(
    copying_host: Host, copying: ProcessBackend
) -> None:
    _, copy = await _copy(copying_host, copying, f"exec({PROBES!r})")
    assert _others(json.loads(read_until(copy.log_fd, b"\n"))) == IN_A_COPY


async def test_every_probe_from_a_template_during_init_ends_as_it_must(
    copying_host: Host, copying: ProcessBackend
) -> None:
    """No probe here is held by Landlock alone, which a template lacks."""
    template = await copying.create(replace(copying_host.spec(PROBES), is_template=True))
    others = _others(json.loads(read_until(template.log_fd, b"\n")))
    # While she bears a copy the midwife acts as the function's user, and so is listed beside it.
    assert others.pop("other pids", 2) == 2
    assert others == IN_A_TEMPLATE


@pytest.mark.parametrize("source", [USES_MEMORY, HAS_A_CHILD_THAT_USES_MEMORY])
async def test_memory_above_the_limit_ends_a_whole_copy_and_is_counted(
    copying_host: Host, copying: ProcessBackend, source: str
) -> None:
    template, copy = await _copy(copying_host, copying, source, memory_bytes=64 * MIB)
    async with asyncio.timeout(10):
        assert await copy.wait() == ProcessExit(signal=9)
    assert copy.usage().oom_kills >= 1
    assert copy.usage().memory_peak_bytes <= 64 * MIB
    assert template.usage().oom_kills == 0


async def test_processes_of_a_copy_stop_at_the_limit(
    copying_host: Host, copying: ProcessBackend
) -> None:
    _, copy = await _copy(copying_host, copying, FORKS, processes=20)
    assert read_until(copy.log_fd, b"\n") == b"made 20\n"


async def test_a_copys_share_of_a_core_is_kept_once_it_is_limited(
    copying_host: Host, copying: ProcessBackend
) -> None:
    _, copy = await _copy(copying_host, copying, COMPUTES, cpu_millis=200)
    copy.limit_cpu()
    _, took_s = read_until(copy.log_fd, b"\n", 30).split()
    assert float(took_s) > 1.0


SPINS_WITHOUT_SIGNALS = """
import os, signal
signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
os.fork()
print("ready", flush=True)
while True: pass
"""


async def test_a_copy_that_is_killed_at_a_time_out_is_gone_within_a_tenth_of_a_second(
    copying_host: Host, copying: ProcessBackend
) -> None:
    template, copy = await _copy(copying_host, copying, SPINS_WITHOUT_SIGNALS)
    took_s = []
    for _ in range(5):
        read_until(copy.log_fd, b"ready")
        begun = time.monotonic()
        await copy.kill()
        took_s.append(time.monotonic() - begun)
        await copy.destroy()
        copy = await copying.create(spec_of_copy(template.spec))
    # The median: one of them may meet a machine that is busy with something else.
    assert sorted(took_s)[2] < KILLED_WITHIN_S, took_s


TICKS = f"""
import os, signal
signal.signal(signal.SIGALRM, lambda *_: os.write(1, b"tick "))
signal.setitimer(signal.ITIMER_REAL, 0.01, 0.01)
{BECOMES_A_COPY}
print("copied", flush=True)
signal.pause()
"""


async def test_a_template_that_only_waits_runs_no_further_until_it_is_copied(
    copying_host: Host, copying: ProcessBackend
) -> None:
    template = await copying.create(replace(copying_host.spec(TICKS), is_template=True))
    first = await copying.create(spec_of_copy(template.spec))
    read_until(first.log_fd, b"copied")

    def is_still() -> bool:
        heard, _, _ = select.select([template.log_fd], [], [], 0.3)
        return not heard or not os.read(template.log_fd, 65536)

    assert await asyncio.to_thread(eventually, is_still, 20)
    for _ in range(3):
        copy = await copying.create(spec_of_copy(template.spec))
        read_until(copy.log_fd, b"copied")
    assert b"tick" in read_until(template.log_fd, b"tick")


OUTGROWS_ITS_MEMORY_WHEN_TOLD = f"""
import signal
def outgrow(*_):
    {USES_MEMORY}
signal.signal(signal.SIGUSR1, outgrow)
print("waits", flush=True)
{BECOMES_A_COPY}
print("copied", flush=True)
signal.pause()
"""


async def test_copies_outlive_a_template_that_runs_out_of_memory(
    copying_host: Host, copying: ProcessBackend
) -> None:
    """Its pid 1, with which they would end, is spared: by cgroup v2's group kill too."""
    spec = copying_host.spec(OUTGROWS_ITS_MEMORY_WHEN_TOLD, memory_bytes=64 * MIB)
    template = await copying.create(replace(spec, is_template=True))
    read_until(template.log_fd, b"waits")
    [runtime] = template_runtimes_of(copying_host)
    copy = await copying.create(spec_of_copy(template.spec))
    read_until(copy.log_fd, b"copied")
    os.kill(runtime, signal.SIGUSR1)
    with contextlib.suppress(UnavailableError):
        # Where it is frozen by now, this lets it go on.
        await copying.create(spec_of_copy(template.spec))
    async with asyncio.timeout(10):
        assert await template.wait() == ProcessExit(signal=9)
    assert template.usage().oom_kills >= 1
    ending = asyncio.create_task(copy.wait())
    await template.destroy()
    assert not ending.done()
    await copy.kill()
    assert await ending == ProcessExit(signal=9)
