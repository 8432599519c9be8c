"""Sandboxes that stand ready before any event comes: made, replaced, kept, let go."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace

from sandbox.backend import ProcessExit
from sandbox.fake.backend import FakeProcess
from sandbox.keeper import INIT_FAILED, Keeper
from sandbox.work import Provision, StartLevel
from tests.integration.attempts.playing import (
    REVISION,
    failing_init,
    host,
    runtime,
    second_init,
    until,
)


class Kept:
    """A host with a keeper, and what the keeper reported."""

    def __init__(self, it, retry_s) -> None:
        self.it = it
        self.reports: list[tuple[str, int, str]] = []
        self.keeper = Keeper(it.pool, lambda *report: self.reports.append(report), retry_s=retry_s)

    def want(self, wanted, revision=REVISION):
        self.keeper.want(Provision(revision=revision, wanted=wanted))

    async def reported(self, *report):
        await until(lambda: self.reports[-1:] == [("rev-1", *report)])


@asynccontextmanager
async def keeping(folder, program=runtime, *, retry_s=60.0, **how):
    async with host(folder, program, **how) as it:
        kept = Kept(it, retry_s)
        running = asyncio.create_task(kept.keeper.run())
        try:
            yield kept
        finally:
            running.cancel()
            await asyncio.wait({running})


async def test_what_is_wanted_stands_ready_and_the_first_event_finds_it_warm(tmp_path):
    async with keeping(tmp_path) as kept:
        kept.want(2)
        await kept.reported(2, "")
        assert kept.it.pool.idle_counts == {"rev-1": 2}
        result = await kept.it.run()
        assert kept.reports[0] == ("rev-1", 0, "")
    assert result.start_level is StartLevel.WARM
    assert result.init_duration_ns == 0


async def test_a_provisioned_sandbox_says_so_and_reports_its_init(tmp_path):
    seen = []

    async def looks_around(process: FakeProcess) -> ProcessExit:
        seen.append(process.spec.environment["AWS_LAMBDA_INITIALIZATION_TYPE"])
        return await runtime(process)

    async with keeping(tmp_path, looks_around) as kept:
        kept.want(1)
        await kept.reported(1, "")
        lines = kept.it.lines()
        await kept.it.run(revision=replace(REVISION, revision_id="rev-2"))
    assert seen == ["provisioned-concurrency", "on-demand"]
    [line] = [each for each in lines if each.startswith(b"INIT_REPORT Init Duration: ")]
    assert line.endswith(b" ms\tPhase: init")


async def test_a_sandbox_that_is_lost_is_replaced(tmp_path):
    async with keeping(tmp_path) as kept:
        kept.want(1)
        await kept.reported(1, "")
        lost = await kept.it.run({"do": "exit", "status": 3})
        await until(lambda: kept.it.pool.idle_counts == {"rev-1": 1})
        found = await kept.it.run()
    assert lost.function_error
    assert (found.start_level, found.function_error) == (StartLevel.WARM, "")


async def test_neither_age_nor_need_of_room_takes_what_is_kept(tmp_path):
    other = replace(REVISION, revision_id="rev-2")
    async with keeping(tmp_path, memory_mb=96) as kept:
        kept.want(1)
        await kept.reported(1, "")
        await asyncio.gather(kept.it.run(), kept.it.run())
        await kept.it.run(revision=other)
        await asyncio.gather(*(kept.it.run(revision=other) for _ in range(2)))
        assert kept.it.pool.idle_counts["rev-1"] == 1
        kept.it.pool._reap(float("inf"))
        assert kept.it.pool.idle_counts == {"rev-1": 1}


async def test_what_is_wanted_no_more_is_like_any_other_sandbox(tmp_path):
    async with keeping(tmp_path) as kept:
        kept.want(2)
        await kept.reported(2, "")
        kept.want(0)
        kept.it.pool._reap(float("inf"))
        assert kept.it.pool.idle_counts == {}
        await asyncio.sleep(0)
        assert kept.it.pool.alive("rev-1") == 0


async def test_a_new_stream_wants_nothing_until_it_says_so(tmp_path):
    async with keeping(tmp_path) as kept:
        kept.want(1)
        await kept.reported(1, "")
        kept.keeper.forget_all()
        assert kept.it.pool.idle_counts == {"rev-1": 1}
        kept.it.pool._reap(float("inf"))
        assert kept.it.pool.idle_counts == {}
        kept.want(1)
        await kept.reported(1, "")


async def test_a_retired_revision_is_not_started_again(tmp_path):
    async with keeping(tmp_path) as kept:
        kept.want(1)
        await kept.reported(1, "")
        kept.keeper.forget("rev-1")
        kept.it.pool.retire("rev-1")
        await until(lambda: kept.it.backend.sandbox_ids == [])
        assert kept.it.pool.alive("rev-1") == 0


async def test_an_init_that_fails_is_reported_in_lambdas_word_and_tried_again(tmp_path):
    lives = []

    async def third_time(process: FakeProcess) -> ProcessExit:
        lives.append(process)
        return await (failing_init(process) if len(lives) < 3 else runtime(process))

    async with keeping(tmp_path, third_time, retry_s=0.01) as kept:
        kept.want(1)
        await until(lambda: ("rev-1", 0, INIT_FAILED) in kept.reports)
        await kept.reported(1, "")
    assert len(lives) == 3


async def test_a_host_without_room_says_so(tmp_path):
    async with keeping(tmp_path, memory_mb=64) as kept:
        kept.want(3)
        await until(lambda: kept.reports[-1:] and kept.reports[-1][1] == 2)
        assert "the host's budget is spent" in kept.reports[-1][2]
        assert kept.it.pool.idle_counts == {"rev-1": 2}


async def test_an_event_that_waits_gets_the_sandbox_that_was_meant_to_stand_ready(tmp_path):
    async with keeping(tmp_path, second_init, cores=1) as kept:
        kept.want(1)
        result = await kept.it.run()
        assert result.function_error == ""
        await kept.reported(1, "")
