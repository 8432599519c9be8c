"""Packages that must be made ready before a sandbox is started from them."""

from __future__ import annotations

import asyncio

import pytest

from sandbox.work import RefusalReason, RefusedError, StartLevel
from tests.integration.attempts.playing import host


async def test_an_event_waits_until_its_package_is_ready(tmp_path):
    ready, asked = asyncio.Event(), asyncio.Event()

    async def make_ready(revision):
        asked.set()
        await ready.wait()

    async with host(tmp_path) as it:
        it.pool.make_ready = make_ready
        running = asyncio.create_task(it.run())
        await asked.wait()
        assert it.backend.sandbox_ids == [], "nothing is started meanwhile"
        ready.set()
        first = await running
        asked.clear()
        second = await it.run()
    assert (first.start_level, second.start_level) == (StartLevel.FRESH, StartLevel.WARM)
    assert not asked.is_set(), "who finds a warm sandbox asks for nothing"
    queue = next(phase for phase in first.phases if phase.name == "queue")
    assert queue.end_ns > queue.start_ns


async def test_an_event_whose_package_is_not_ready_in_time_is_refused(tmp_path):
    async def make_ready(revision):
        await asyncio.Event().wait()

    async with host(tmp_path) as it:
        it.pool.make_ready = make_ready
        with pytest.raises(RefusedError) as refused:
            await it.run(queue_timeout_s=0.05)
        assert refused.value.reason is RefusalReason.BUSY
        assert it.backend.sandbox_ids == []
