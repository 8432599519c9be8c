"""Sandboxes between invocations: kept, given up, retired."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from dataclasses import replace

import aiohttp

from sandbox.backend import ProcessExit
from sandbox.fake.backend import FakeProcess
from sandbox.work import Credentials, StartLevel
from tests.integration.attempts.playing import BASE, REVISION, host, until


async def hangs_up_when_idle(process: FakeProcess) -> ProcessExit:
    """Its runtime dies while it waits, and a frozen pid 1 cannot tell of it."""
    host, port = process.runtime_api
    async with aiohttp.ClientSession(f"http://{host}:{port}") as http:
        async with http.get(f"{BASE}/invocation/next") as asked:
            request_id = asked.headers["Lambda-Runtime-Aws-Request-Id"]
        async with http.post(f"{BASE}/invocation/{request_id}/response", data=b"1"):
            pass
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0.05):
                await http.get(f"{BASE}/invocation/next")
    return await process.sleep_until_killed()


async def names_its_network(process: FakeProcess) -> ProcessExit:
    """Answers with what its sandbox was made with."""
    host, port = process.runtime_api
    async with aiohttp.ClientSession(f"http://{host}:{port}") as http:
        while True:
            async with http.get(f"{BASE}/invocation/next") as asked:
                request_id = asked.headers["Lambda-Runtime-Aws-Request-Id"]
            name = process.spec.network.encode()
            async with http.post(f"{BASE}/invocation/{request_id}/response", data=name):
                pass


async def test_a_sandbox_is_made_with_the_network_of_its_revision(tmp_path):
    alone = replace(REVISION, revision_id="rev-2", network="none")
    async with host(tmp_path, names_its_network) as it:
        usual = await it.run()
        without = await it.run(revision=alone)
    assert (usual.payload, without.payload) == (b"egress", b"none")
    assert usual.sandbox_id != without.sandbox_id


async def test_a_runtime_that_died_unseen_while_idle_gets_no_event(tmp_path):
    async with host(tmp_path, hangs_up_when_idle) as it:
        first = await it.run()
        await until(lambda: ("rev-1", 0) in it.changes)
        second = await it.run()
    assert (first.payload, second.payload) == (b"1", b"1")
    assert first.sandbox_id != second.sandbox_id


def credentials(left_s: float) -> Credentials:
    return Credentials(
        access_key_id="ASIA1",
        secret_access_key="secret",
        session_token="token",
        expires_s=time.time() + left_s,
    )


async def test_a_sandbox_whose_credentials_end_soon_gets_no_further_event(tmp_path):
    async with host(tmp_path) as it:
        first = await it.run(credentials=credentials(left_s=15 * 60))
        second = await it.run(credentials=credentials(left_s=12 * 3600))
        third = await it.run(credentials=credentials(left_s=12 * 3600))
    levels = [each.start_level for each in (first, second, third)]
    assert levels == [StartLevel.FRESH, StartLevel.FRESH, StartLevel.WARM]
    assert first.sandbox_id != second.sandbox_id


async def test_a_broken_sandbox_whose_credentials_end_soon_is_not_started_again(tmp_path):
    async with host(tmp_path) as it:
        broken = await it.run({"do": "die"}, credentials=credentials(left_s=15 * 60))
        after = await it.run(credentials=credentials(left_s=12 * 3600))
        kept = await it.run({"do": "die"}, credentials=credentials(left_s=12 * 3600))
        again = await it.run(credentials=credentials(left_s=12 * 3600))
    assert broken.sandbox_id != after.sandbox_id
    assert kept.sandbox_id == again.sandbox_id


async def test_a_retired_revision_leaves_no_sandbox_behind(tmp_path):
    async with host(tmp_path) as it:
        await it.run()
        it.pool.retire("rev-1")
        assert it.pool.idle_counts == {}
        assert it.capacity.sandboxes == 0


async def test_a_revision_that_comes_back_is_kept_warm_again(tmp_path):
    async with host(tmp_path) as it:
        await it.run()
        it.pool.retire("rev-1")
        await it.run()
        again = await it.run()
    assert again.start_level is StartLevel.WARM


async def test_a_runtime_that_is_slow_to_ask_again_delays_no_answer_and_is_used_again(tmp_path):
    async with host(tmp_path) as it:
        await it.run()
        lingering = await it.run({"do": "linger"})
        after = await it.run()
    assert not lingering.sandbox_kept
    assert ("rev-1", 1) in it.changes
    assert json.loads(after.payload)["calls"] == 3


async def test_an_attempt_that_is_cancelled_in_the_middle_gives_its_sandbox_up(tmp_path):
    async with host(tmp_path) as it:
        await it.run()
        task = asyncio.create_task(it.run({"do": "hang"}))
        await until(lambda: b"hanging" in it.lines())
        task.cancel()
        await asyncio.wait({task})
        after = await it.run()
    assert json.loads(after.payload)["life"] == 2
