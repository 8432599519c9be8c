"""What a function may use, enforced by the kernel of a real host."""

from __future__ import annotations

import asyncio

import pytest

from sandbox.backend import ProcessExit
from sandbox.process.backend import ProcessBackend
from sandbox.spec import MIB
from tests.host.harness import Host, read_until

pytestmark = pytest.mark.host

USES_MEMORY = "kept = [bytearray(b'x' * (1 << 20)) for _ in range(256)]\n"

HAS_A_CHILD_THAT_USES_MEMORY = f"""
import os, signal
if os.fork() == 0:
    {USES_MEMORY}
signal.pause()
"""

FORKS = """
import os, signal
made = 1
try:
    while True:
        if os.fork() == 0:
            signal.pause()
        made += 1
except BlockingIOError:
    print('made', made, flush=True)
signal.pause()
"""

COMPUTES = """
import time
start, used = time.monotonic(), time.process_time()
while time.process_time() - used < 0.4:
    pass
print('took', time.monotonic() - start, flush=True)
time.sleep(60)
"""


async def test_memory_above_the_limit_ends_the_sandbox_and_is_counted(
    host: Host, backend: ProcessBackend
) -> None:
    sandbox = await backend.create(host.spec(USES_MEMORY, memory_bytes=64 * MIB))
    async with asyncio.timeout(10):
        assert await sandbox.wait() == ProcessExit(signal=9)
    assert sandbox.usage().oom_kills >= 1
    assert sandbox.usage().memory_peak_bytes <= 64 * MIB


async def test_a_child_out_of_memory_ends_the_whole_tree(
    host: Host, backend: ProcessBackend
) -> None:
    spec = host.spec(HAS_A_CHILD_THAT_USES_MEMORY, memory_bytes=64 * MIB)
    sandbox = await backend.create(spec)
    async with asyncio.timeout(10):
        assert await sandbox.wait() == ProcessExit(signal=9)
    assert sandbox.usage().oom_kills >= 1


async def test_a_sandbox_out_of_memory_can_be_reset(host: Host, backend: ProcessBackend) -> None:
    source = (
        "import os, signal\n"
        "if os.path.exists('/tmp/second'):\n"
        "    print('again', flush=True)\n"
        "    signal.pause()\n"
        "open('/tmp/second', 'w').close()\n" + USES_MEMORY
    )
    sandbox = await backend.create(host.spec(source, memory_bytes=64 * MIB))
    async with asyncio.timeout(10):
        await sandbox.wait()
    await sandbox.reset()
    read_until(sandbox.log_fd, b"again")


async def test_a_program_that_has_no_memory_to_start_in_is_reported_as_any_other(
    host: Host, backend: ProcessBackend
) -> None:
    """Also where pid 1 was not quick enough to say that it ran, or went first."""
    for _ in range(10):
        sandbox = await backend.create(host.spec("pass", memory_bytes=4 * MIB))
        async with asyncio.timeout(10):
            assert await sandbox.wait() == ProcessExit(signal=9)
        assert sandbox.usage().oom_kills >= 1
        await sandbox.destroy()


async def test_processes_stop_at_the_limit(host: Host, backend: ProcessBackend) -> None:
    sandbox = await backend.create(host.spec(FORKS, processes=20))
    assert read_until(sandbox.log_fd, b"\n") == b"made 20\n"


async def test_the_share_of_a_core_is_kept_once_it_is_limited(
    host: Host, backend: ProcessBackend
) -> None:
    sandbox = await backend.create(host.spec(COMPUTES, cpu_millis=200))
    sandbox.limit_cpu()
    _, took_s = read_until(sandbox.log_fd, b"\n", 30).split()
    # A fifth of a core: 0.4 s of work last at least 1.5 s, less what ran before the limit.
    assert float(took_s) > 1.0
