"""Who gets a sandbox, who waits, and who is refused."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from sandbox.work import RefusalReason, RefusedError
from tests.integration.attempts.playing import REVISION, exiting_init, host, until


async def test_many_at_once_are_all_served_by_no_more_sandboxes_than_were_started(tmp_path):
    async with host(tmp_path, memory_mb=4096) as it:
        results = await asyncio.gather(*(it.run() for _ in range(100)))
        assert len({result.sandbox_id for result in results}) <= 100
        # Room is given back before what held it is gone, so the two meet once all is quiet.
        await until(lambda: it.capacity.sandboxes == len(it.backend.sandbox_ids))
    assert len({result.invocation_id for result in results}) == 100
    assert all(result.function_error == "" for result in results)


async def test_a_host_without_memory_refuses_at_once(tmp_path):
    async with host(tmp_path, memory_mb=16) as it:
        with pytest.raises(RefusedError, match="budget is spent") as caught:
            await it.run()
    assert caught.value.reason is RefusalReason.MEMORY


async def test_idle_sandboxes_of_others_make_room(tmp_path):
    async with host(tmp_path, memory_mb=40) as it:
        first = await it.run()
        other = await it.run(revision=replace(REVISION, revision_id="rev-2"))
        assert it.pool.idle_counts == {"rev-2": 1}
    assert first.sandbox_id != other.sandbox_id
    assert ("rev-1", 0) in it.changes


async def test_nobody_waits_longer_for_a_sandbox_than_he_said(tmp_path):
    async with host(tmp_path, exiting_init, cores=1) as it:
        it.pool._starters = 0  # nothing starts
        with pytest.raises(RefusedError) as caught:
            async with asyncio.timeout(5):
                await it.run(queue_timeout_s=0)
    assert caught.value.reason is RefusalReason.BUSY


async def test_an_unknown_runtime_is_refused_with_those_that_are_here(tmp_path):
    async with host(tmp_path) as it:
        with pytest.raises(RefusedError, match=r"no runtime cobol, only \['python3.13'\]"):
            await it.run(revision=replace(REVISION, runtime_id="cobol"))
        assert it.capacity.sandboxes == 0
