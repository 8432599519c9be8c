"""SnapStart on a host: init runs once, sandboxes are copied from it, and what cannot be says so."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import re
import time
from dataclasses import replace

import aiohttp
import pytest

from sandbox import starter
from sandbox.backend import ProcessExit
from sandbox.fake.backend import FakeProcess
from sandbox.template_shelf import OFF
from sandbox.work import (
    Credentials,
    RefusalReason,
    RefusedError,
    Snapshot,
    SnapshotResult,
    StartLevel,
)
from tests.integration.attempts.playing import (
    BASE,
    REVISION,
    failing_init,
    host,
    runtime,
    until,
)

SNAP = replace(REVISION, revision_id="rev-snap", snap_start=True)
ORDER = Snapshot(revision=SNAP)


class Forking:
    """A runtime that can be copied, and what its processes found."""

    def __init__(self, init=None, restore=None) -> None:
        self.inits = 0
        self.found: list[dict[str, str]] = []
        self._init = init
        self._restore = restore

    async def __call__(self, process: FakeProcess) -> ProcessExit:
        self.found.append(dict(process.spec.environment))
        if not process.spec.clone_of:
            self.inits += 1
            process.memory["init"] = self.inits
            if self._init is not None:
                await self._init(process)
        if process.spec.is_template:
            return await wait_to_be_copied(process)
        if process.spec.clone_of and self._restore is not None:
            return await self._restore(process)
        await process.say(b"init %d\n" % process.memory["init"])
        return await runtime(process)


async def wait_to_be_copied(process: FakeProcess) -> ProcessExit:
    host_name, port = process.runtime_api
    async with (
        aiohttp.ClientSession(f"http://{host_name}:{port}") as http,
        http.get(f"{BASE}/restore/next", timeout=aiohttp.ClientTimeout()),
    ):
        raise AssertionError("a template's restore/next is never answered")


async def refusing(process: FakeProcess) -> ProcessExit:
    """Init went well, but a thread runs."""
    host_name, port = process.runtime_api
    if not process.spec.is_template:
        return await runtime(process)
    async with (
        aiohttp.ClientSession(f"http://{host_name}:{port}") as http,
        http.post(f"{BASE}/snapshot/refused", data=b"a thread is alive:\n MainThread-2"),
    ):
        return await process.sleep_until_killed()


async def failing_hook(process: FakeProcess) -> ProcessExit:
    await process.say(b"restoring\n")
    error = b'{"errorType":"Runtime.AfterRestoreError"}'
    return await post_error(process, "restore", error, "Runtime.AfterRestoreError")


async def wordy(process: FakeProcess) -> ProcessExit:
    """Fails with as much as a runtime may say, and three times that once it is made into text."""
    phase = "restore" if process.spec.clone_of else "init"
    return await post_error(process, phase, b"\xff" * 6_000_000, "Runtime.Unknown")


async def post_error(
    process: FakeProcess, phase: str, error: bytes, error_type: str
) -> ProcessExit:
    host_name, port = process.runtime_api
    async with (
        aiohttp.ClientSession(f"http://{host_name}:{port}") as http,
        http.post(
            f"{BASE}/{phase}/error",
            data=io.BytesIO(error),
            headers={"Lambda-Runtime-Function-Error-Type": error_type},
        ),
    ):
        return ProcessExit(status=65)


async def hanging_hook(process: FakeProcess) -> ProcessExit:
    return await process.sleep_until_killed()


async def ready(it, order=ORDER):
    made = await it.templates.make(order)
    assert made.result is SnapshotResult.READY, made
    return made


async def test_init_runs_once_for_all_sandboxes_of_a_host(tmp_path):
    forking = Forking()
    async with host(tmp_path, forking) as it:
        await ready(it)
        results = await asyncio.gather(*(it.run(revision=SNAP) for _ in range(5)))
    assert forking.inits == 1
    assert {each.start_level for each in results} <= {StartLevel.TEMPLATE, StartLevel.WARM}
    assert StartLevel.TEMPLATE in {each.start_level for each in results}
    assert {json.loads(each.payload)["life"] for each in results} == {1}


async def test_a_restored_invocation_reports_as_on_lambda(tmp_path):
    async with host(tmp_path, Forking()) as it:
        await ready(it)
        of_init = it.lines()
        it.logs.clear()
        result = await it.run(revision=SNAP)
        streams = {each.log_stream for each in it.logs}
    lines = [line.decode() for line in it.lines()]
    assert [of_init[0], len(of_init)] == [b"INIT_START Runtime Version: python:3.13.0", 2]
    assert re.fullmatch(rb"INIT_REPORT Init Duration: [\d.]+ ms\tPhase: init", of_init[1])
    assert lines[0] == "RESTORE_START Runtime Version: python:3.13.0"
    assert re.fullmatch(r"RESTORE_REPORT Restore Duration: [\d.]+ ms", lines[2])
    assert lines[1] == "init 1"
    assert lines[3].startswith("START RequestId: ")
    assert "Init Duration" not in lines[-1]
    found = re.search(
        r"\tRestore Duration: ([\d.]+) ms\tBilled Restore Duration: (\d+) ms\t$", lines[-1]
    )
    assert found
    assert float(found[1]) == pytest.approx(result.restore_duration_ns / 1e6, abs=0.01)
    billed = re.search(r"\tBilled Duration: (\d+) ms", lines[-1])
    assert billed
    assert result.billed_ms == int(billed[1]) + int(found[2])
    assert result.init_duration_ns == 0
    assert [each.name for each in result.phases] == [
        "queue",
        "artifact",
        "sandbox",
        "birth",
        "restore",
        "invoke",
    ]
    assert len(streams) == 1, "a copy writes to a stream of its own"


async def test_a_warm_invocation_of_a_copy_waited_for_nothing(tmp_path):
    async with host(tmp_path, Forking()) as it:
        await ready(it)
        await it.run(revision=SNAP)
        again = await it.run(revision=SNAP)
    assert (again.start_level, again.restore_duration_ns) == (StartLevel.WARM, 0)
    assert "Restore" not in it.lines()[-1].decode()


async def test_the_runtime_is_told_that_it_is_copied_and_gets_its_own_variables(tmp_path):
    forking = Forking()
    async with host(tmp_path, forking) as it:
        await ready(it)
        await it.run(revision=SNAP, credentials=credentials("AKID2"))
        await it.run()
    template, copy, other = forking.found
    kinds = [each["AWS_LAMBDA_INITIALIZATION_TYPE"] for each in forking.found]
    assert kinds == ["snap-start", "snap-start", "on-demand"]
    assert "AWS_ACCESS_KEY_ID" not in template
    assert copy["AWS_ACCESS_KEY_ID"] == "AKID2"
    assert len({each["AWS_LAMBDA_LOG_STREAM_NAME"] for each in (template, copy, other)}) == 3


async def test_a_host_without_the_template_starts_without_it_and_makes_it_meanwhile(tmp_path):
    forking = Forking()
    async with host(tmp_path, forking) as it:
        first = await it.run(revision=SNAP)
        await ready(it)
        # The first one is warm; a second at the same time is copied.
        _, second = await asyncio.gather(
            it.run({"do": "linger"}, revision=SNAP), it.run(revision=SNAP)
        )
    assert first.start_level is StartLevel.FRESH
    assert first.init_duration_ns > 0
    assert second.start_level is StartLevel.TEMPLATE
    assert forking.inits == 2


async def test_what_cannot_be_copied_says_why_once_and_starts_as_ever(tmp_path):
    async with host(tmp_path, refusing) as it:
        made = await it.templates.make(ORDER)
        again = await it.templates.make(ORDER)
        result = await it.run(revision=SNAP)
        await until(lambda: len(it.backend.sandbox_ids) == 1)
    assert made.result is again.result is SnapshotResult.REFUSED
    assert made.message == again.message == "a thread is alive: MainThread-2"
    assert (result.start_level, result.function_error) == (StartLevel.FRESH, "")
    said = [line for line in it.lines() if b"no snapshot" in line]
    assert said == [b"emberd: no snapshot is used: a thread is alive: MainThread-2"]


async def test_a_runtime_that_knows_nothing_of_snapshots_is_refused(tmp_path):
    async with host(tmp_path, runtime) as it:
        made = await it.templates.make(ORDER)
        assert made.result is SnapshotResult.REFUSED
        assert "asked for an event" in made.message
        assert (await it.run(revision=SNAP)).start_level is StartLevel.FRESH


async def test_an_init_that_fails_is_told_and_leaves_no_template(tmp_path):
    async with host(tmp_path, failing_init) as it:
        made = await it.templates.make(ORDER)
        await until(lambda: it.backend.sandbox_ids == [])
    assert made.result is SnapshotResult.INIT_FAILED
    assert made.error_type == "Runtime.ImportModuleError"
    assert b"INIT_REPORT" in it.lines()[-1]
    assert it.lines()[-1].endswith(b"Status: error\tError Type: Runtime.ImportModuleError")


async def test_a_hook_that_fails_hands_the_attempt_back_and_the_next_copy_is_new(tmp_path):
    async with host(tmp_path, Forking(restore=failing_hook)) as it:
        await ready(it)
        for _ in range(2):
            with pytest.raises(RefusedError) as refused:
                await it.run(revision=SNAP)
            assert refused.value.reason is RefusalReason.RESTORE_FAILED
            assert refused.value.message == '{"errorType":"Runtime.AfterRestoreError"}'
        await until(lambda: len(it.backend.sandbox_ids) == 1)
    reports = [line.decode() for line in it.lines() if line.startswith(b"RESTORE_REPORT")]
    assert len(reports) == 2
    assert reports[0].endswith(" ms\tStatus: error\tError Type: Runtime.AfterRestoreError")


async def test_what_a_failed_init_or_hook_says_at_length_does_not_leave_the_host(tmp_path):
    """The control plane ends a stream that brings a message as large as this one would be."""
    async with host(tmp_path, Forking(init=wordy)) as it:
        made = await it.templates.make(ORDER)
    assert made.result is SnapshotResult.INIT_FAILED
    async with host(tmp_path / "hook", Forking(restore=wordy)) as it:
        await ready(it)
        with pytest.raises(RefusedError) as refused:
            await it.run(revision=SNAP)
    for told in (made.message, refused.value.message):
        assert json.loads(told)["errorMessage"].startswith("The error's 6000000 bytes")


async def test_a_restore_has_ten_seconds(tmp_path, monkeypatch):
    assert starter.RESTORE_TIMEOUT_S == 10.0
    monkeypatch.setattr(starter, "RESTORE_TIMEOUT_S", 0.05)
    async with host(tmp_path, Forking(restore=hanging_hook)) as it:
        await ready(it)
        with pytest.raises(RefusedError) as refused:
            await it.run(revision=SNAP)
        await until(lambda: len(it.backend.sandbox_ids) == 1)
    assert refused.value.reason is RefusalReason.RESTORE_TIMED_OUT
    assert re.fullmatch(
        rb"RESTORE_REPORT Restore Duration: [\d.]+ ms\tStatus: timeout", it.lines()[-1]
    )


async def test_a_copy_that_breaks_is_replaced_by_a_new_copy(tmp_path):
    forking = Forking()
    async with host(tmp_path, forking) as it:
        await ready(it)
        broken = await it.run({"do": "exit", "status": 3}, revision=SNAP)
        after = await it.run(revision=SNAP)
    assert broken.function_error
    assert (after.start_level, after.function_error) == (StartLevel.TEMPLATE, "")
    assert json.loads(after.payload)["life"] == 1, "it was not restarted"
    assert forking.inits == 1


async def test_a_template_that_died_is_made_anew_behind_a_start_without_it(tmp_path):
    forking = Forking()
    async with host(tmp_path, forking) as it:
        await ready(it)
        [template_id] = it.backend.sandbox_ids
        await it.backend.sandbox(template_id).kill()
        await until(lambda: template_id not in it.backend.sandbox_ids)
        first = await it.run({"do": "exit", "status": 0}, revision=SNAP)
        await ready(it)
        second = await it.run(revision=SNAP)
    assert (first.start_level, second.start_level) == (StartLevel.FRESH, StartLevel.TEMPLATE)


async def test_a_template_that_cannot_be_copied_costs_no_invocation(tmp_path, monkeypatch):
    async with host(tmp_path, Forking()) as it:
        await ready(it)
        [template_id] = it.backend.sandbox_ids
        monkeypatch.setattr(type(it.backend.sandbox(template_id)), "is_forkable", False)
        result = await it.run(revision=SNAP)
        await until(lambda: template_id not in it.backend.sandbox_ids)
    assert (result.start_level, result.function_error) == (StartLevel.FRESH, "")


async def test_a_retired_revision_takes_its_template_along(tmp_path):
    async with host(tmp_path, Forking()) as it:
        await ready(it)
        it.templates.retire("rev-snap")
        await until(lambda: it.backend.sandbox_ids == [])
        assert it.capacity.charged_bytes == 0


async def test_a_template_that_is_made_for_a_retired_revision_goes(tmp_path):
    begun, go = asyncio.Event(), asyncio.Event()

    async def slow(_process: FakeProcess) -> None:
        begun.set()
        await go.wait()

    async with host(tmp_path, Forking(init=slow)) as it:
        making = asyncio.create_task(it.templates.make(ORDER))
        await begun.wait()
        it.templates.retire("rev-snap")
        go.set()
        await making
        await until(lambda: it.backend.sandbox_ids == [])
        assert it.capacity.charged_bytes == 0


async def test_templates_give_way_to_sandboxes_that_need_the_room(tmp_path):
    other = replace(REVISION, revision_id="rev-other")
    async with host(tmp_path, Forking(), memory_mb=128) as it:
        await ready(it)
        results = await asyncio.gather(
            *(it.run({"do": "linger"}, revision=other) for _ in range(4))
        )
        await until(lambda: len(it.backend.sandbox_ids) == 4)
    assert all(not each.function_error for each in results)


async def test_the_host_says_when_it_has_no_room_for_a_template(tmp_path):
    async with host(tmp_path, Forking(), memory_mb=16) as it:
        made = await it.templates.make(ORDER)
    assert made.result is SnapshotResult.NOT_MADE
    assert "budget is spent" in made.message


async def test_a_host_that_makes_no_templates_says_so_and_starts_as_ever(tmp_path):
    forking = Forking()
    async with host(tmp_path, forking, templates_mb=0) as it:
        made = await it.templates.make(ORDER)
        result = await it.run(revision=SNAP)
        assert it.templates.count == 0
    assert (made.result, made.message) == (SnapshotResult.REFUSED, OFF)
    assert result.start_level is StartLevel.FRESH
    assert [
        each for each in forking.found if each["AWS_LAMBDA_INITIALIZATION_TYPE"] != "on-demand"
    ] == []


async def test_revisions_share_no_template(tmp_path):
    forking = Forking()
    second = replace(SNAP, revision_id="rev-snap-2")
    async with host(tmp_path, forking) as it:
        await ready(it)
        await ready(it, Snapshot(revision=second))
        await it.run(revision=SNAP)
        await it.run(revision=second)
    assert forking.inits == 2
    assert [line for line in it.lines() if line.startswith(b"init ")] == [b"init 1", b"init 2"]


def credentials(key_id: str, left_s: float = 7200.0) -> Credentials:
    return Credentials(
        access_key_id=key_id,
        secret_access_key="s",
        session_token="t",
        expires_s=time.time() + left_s,
    )


async def test_a_copy_is_not_used_beyond_the_credentials_of_its_template(tmp_path):
    forking = Forking()
    order = Snapshot(revision=SNAP, credentials=credentials("AKID1", left_s=901.5))
    async with host(tmp_path, forking) as it:
        await ready(it, order)
        fresh = credentials("AKID2")
        first = await it.run(revision=SNAP, credentials=fresh)
        [guard] = it.pool._idle["rev-snap"]
        assert guard.use_before_s <= order.credentials.expires_s
        guard.use_before_s = 0.0
        second = await it.run(revision=SNAP, credentials=fresh)
    assert first.start_level is StartLevel.TEMPLATE
    assert second.start_level is not StartLevel.WARM


async def test_two_orders_at_once_are_one_init(tmp_path):
    forking = Forking()
    async with host(tmp_path, forking) as it:
        with contextlib.suppress(asyncio.CancelledError):
            both = await asyncio.gather(it.templates.make(ORDER), it.templates.make(ORDER))
    assert [each.result for each in both] == [SnapshotResult.READY] * 2
    assert forking.inits == 1


async def test_a_hot_function_has_a_copy_ready_ahead_and_others_have_none(tmp_path):
    exits = {"do": "exit", "status": 0}
    async with host(tmp_path, Forking()) as it:
        await ready(it)
        first = await it.run(exits, revision=SNAP)
        assert it.pool.alive("rev-snap") == 0, "one event is no heat"
        second = await it.run(exits, revision=SNAP)
        await until(lambda: it.pool.idle_counts == {"rev-snap": 1})
        third = await it.run(exits, revision=SNAP)
        await until(lambda: it.pool.idle_counts == {"rev-snap": 1})
    levels = [each.start_level for each in (first, second, third)]
    assert levels == [StartLevel.TEMPLATE, StartLevel.TEMPLATE, StartLevel.WARM]
    assert (third.restore_duration_ns, third.init_duration_ns) == (0, 0)


async def test_no_copy_is_made_ahead_in_room_that_others_hold(tmp_path):
    other = replace(REVISION, revision_id="rev-other")
    exits = {"do": "exit", "status": 0}
    async with host(tmp_path, Forking(), memory_mb=128) as it:
        await ready(it)
        lingers = {"do": "linger"}
        await asyncio.gather(*(it.run(lingers, revision=other) for _ in range(2)))
        for _ in range(3):
            result = await it.run(exits, revision=SNAP)
            assert result.start_level is StartLevel.TEMPLATE
        assert it.pool.idle_counts == {"rev-other": 2}
