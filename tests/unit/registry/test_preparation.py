"""A function is made ready behind the answer; until then Lambda's states say so."""

from __future__ import annotations

import asyncio

import pytest

from controlplane.model.configuration import ConfigurationChange
from controlplane.model.ids import LATEST
from controlplane.model.status import (
    CREATING,
    READY,
    UPDATING,
    Failure,
    NotReadyError,
    Status,
)
from controlplane.registry import preparation, registry
from emberd.wire.errors import ConflictError, InvalidArgumentError, NotFoundError
from tests.unit.registry.conftest import BASIC, CODE_1, CODE_2

ARN = "arn:aws:lambda:us-east-1:000000000000:function:thumb"
NOT_NOW = "The operation cannot be performed at this time."
PENDING = f"{NOT_NOW} The function is currently in the following state: Pending"
IN_PROGRESS = f"{NOT_NOW} An update is in progress for resource: {ARN}"
CHANGE = ConfigurationChange(memory_size_mb=256)


class Gate:
    """Preparation that goes on when a test lets it, or fails as a test says."""

    def __init__(self) -> None:
        self.opened = asyncio.Event()
        self.failure: Exception | None = None
        self.refusal = ""
        self.asked = 0
        self.arrivals: asyncio.Queue[None] = asyncio.Queue()

    async def reached(self, times):
        """Wait until preparation was begun so many times more."""
        for _ in range(times):
            await self.arrivals.get()

    async def __call__(self, version):
        self.asked += 1
        self.arrivals.put_nowait(None)
        await self.opened.wait()
        if self.failure is not None:
            raise self.failure
        return self.refusal


@pytest.fixture
async def gate(bench):
    """A registry in which nothing is ready before the test says so."""
    await bench.registry.close()
    gate = bench.prepare = Gate()
    await bench.open()
    return gate


async def create(bench, **given):
    return await bench.registry.create("thumb", BASIC, CODE_1, publish=given.get("publish", False))


async def update(bench):
    return await bench.registry.update_code(
        "thumb", CODE_2, publish=False, dry_run=False, revision_id=""
    )


def changes(bench):
    return (
        lambda: update(bench),
        lambda: bench.registry.update_configuration("thumb", CHANGE, revision_id=""),
        lambda: bench.registry.versions.publish(
            "thumb", description="", code_sha256="", revision_id=""
        ),
    )


async def test_a_new_function_is_pending_and_then_active(bench, gate):
    made = await create(bench)
    assert made.version.status == CREATING
    assert bench.registry.get("thumb", "") == made
    gate.opened.set()
    ready = await bench.registry.settled(made)
    assert ready.version.status == READY
    assert ready.version.lambda_revision_id != made.version.lambda_revision_id
    assert ready.version.last_modified == made.version.last_modified
    assert bench.registry.get("thumb", "") == ready


async def test_a_pending_function_is_neither_run_nor_changed(bench, gate):
    await create(bench, publish=True)
    for reference in ("thumb", "thumb:1"):
        with pytest.raises(ConflictError) as refused:
            bench.resolve(reference)
        assert (refused.value.message, refused.value.reason) == (PENDING, "RESOURCE_CONFLICT")
    for change in changes(bench):
        with pytest.raises(ConflictError) as refused:
            await change()
        assert refused.value.message == PENDING


async def test_an_update_is_in_progress_while_the_old_code_runs(bench, gate):
    gate.opened.set()
    await bench.settled(create(bench))
    old = bench.resolve().revision
    gate.opened.clear()
    made = await update(bench)
    assert made.version.status == UPDATING
    assert bench.resolve().revision == old
    assert bench.retired == []
    for change in changes(bench):
        with pytest.raises(ConflictError) as refused:
            await change()
        assert refused.value.message == IN_PROGRESS
    gate.opened.set()
    ready = await bench.registry.settled(made)
    assert ready.version.status == READY
    assert ready.version.lambda_revision_id != made.version.lambda_revision_id
    assert bench.resolve().revision.artifact_id == ready.version.artifact_id != old.artifact_id
    assert bench.retired == [old.revision_id]


async def test_tags_wait_for_an_update_too(bench, gate):
    gate.opened.set()
    await bench.settled(create(bench))
    gate.opened.clear()
    await update(bench)
    with pytest.raises(ConflictError) as refused:
        await bench.registry.settings.tags.add(ARN, {"team": "a"})
    assert refused.value.message == IN_PROGRESS


async def test_a_caller_waits_for_readiness_only_so_long(bench, gate, monkeypatch):
    monkeypatch.setattr(registry, "READY_WAIT_S", 0.0)
    assert (await bench.settled(create(bench))).version.status == CREATING


async def test_a_function_without_its_package_cannot_be_made_ready(bench, gate):
    made = await create(bench)
    await bench.registry.close()
    await bench.blobs.delete(made.version.artifact_id)
    await bench.open()
    view = await bench.registry.settled(made)
    assert view.version.status.state == "Failed"
    assert "is not here" in view.version.status.state_reason


async def test_a_dry_run_prepares_nothing(bench, gate):
    gate.opened.set()
    await bench.settled(create(bench))
    asked = gate.asked
    view = await bench.update_code(dry_run=True)
    assert view.version.status == READY
    assert gate.asked == asked


async def test_a_function_that_cannot_be_made_ready_has_failed_for_good(bench, gate):
    gate.failure = InvalidArgumentError("it does not compile", reason="INVALID_PARAMETER_VALUE")
    gate.opened.set()
    view = await bench.settled(create(bench))
    assert view.version.status == Status(
        state="Failed",
        state_reason="it does not compile",
        state_reason_code="InternalError",
        last_update="",
    )
    with pytest.raises(ConflictError) as refused:
        bench.resolve()
    assert refused.value.message.endswith("in the following state: Failed")
    await bench.registry.delete("thumb", "")
    gate.failure = None
    assert (await bench.settled(create(bench))).version.status == READY


async def test_after_an_update_that_failed_the_old_code_goes_on_until_the_next_one(bench, gate):
    gate.opened.set()
    await bench.settled(create(bench))
    old = bench.resolve().revision
    gate.failure = InvalidArgumentError("it does not compile", reason="INVALID_PARAMETER_VALUE")
    failed = (await bench.settled(update(bench))).version.status
    assert (failed.state, failed.last_update) == ("Active", "Failed")
    assert failed.last_update_reason == "it does not compile"
    await bench.open()
    assert bench.resolve().revision == old
    gate.failure = None
    ready = await bench.configure(CHANGE)
    assert ready.version.status == READY
    assert bench.resolve().revision.artifact_id == ready.version.artifact_id != old.artifact_id


async def test_what_was_being_prepared_is_taken_up_after_a_restart(bench, gate):
    gate.opened.set()
    made = await bench.settled(create(bench))
    old = bench.resolve().revision
    gate.opened.clear()
    await update(bench)
    await bench.registry.close()
    await bench.open()
    assert bench.registry.get("thumb", "").version.status == UPDATING
    assert bench.resolve().revision == old
    gate.opened.set()
    await bench.registry.settled(bench.registry.get("thumb", ""))
    assert bench.registry.get("thumb", "").version.status == READY
    assert bench.resolve().revision != old
    assert made.version.artifact_id == old.artifact_id


async def test_a_function_deleted_while_it_is_prepared_stays_deleted(bench, gate):
    made = await create(bench)
    waiting = asyncio.create_task(bench.registry.settled(made))
    await bench.registry.delete("thumb", "")
    gate.opened.set()
    with pytest.raises(NotFoundError):
        await waiting
    assert bench.registry.list("", 0).items == ()


async def test_a_function_made_anew_while_the_old_one_is_prepared_is_prepared_itself(bench, gate):
    first = await create(bench)
    await gate.reached(1)
    await bench.registry.delete("thumb", "")
    second = await create(bench)
    gate.opened.set()
    ready = await bench.registry.settled(second)
    assert ready.version.status == READY
    assert ready.version.last_modified == second.version.last_modified
    assert second.version.lambda_revision_id != first.version.lambda_revision_id
    assert gate.asked == 2


async def test_a_function_made_anew_waits_for_nothing_of_the_old_one(bench, gate):
    """Whose preparation may never end: no host may have what it needs."""
    await create(bench)
    await gate.reached(1)
    gate.opened = asyncio.Event()
    gate.opened.set()
    await bench.registry.delete("thumb", "")
    assert (await bench.settled(create(bench))).version.status == READY


async def test_what_is_deleted_is_not_prepared_any_more(bench):
    begun, ended = asyncio.Queue(), asyncio.Queue()

    async def prepare(version):
        if version.version == LATEST:
            return ""
        begun.put_nowait(version.version)
        try:
            return await asyncio.Future()
        finally:
            ended.put_nowait(version.version)

    await bench.registry.close()
    bench.prepare = prepare
    await bench.open()
    for qualifier, number in (("1", "1"), ("", "2")):
        await bench.create() if number == "1" else await bench.configure(CHANGE)
        await bench.registry.versions.publish(
            "thumb", description="", code_sha256="", revision_id=""
        )
        assert await begun.get() == number
        assert ended.empty()
        await bench.registry.delete("thumb", qualifier)
        assert await ended.get() == number


async def test_a_store_that_fails_delays_readiness_and_no_more(bench, gate, monkeypatch):
    monkeypatch.setattr(preparation, "RETRY_S", 0.0)
    made = await create(bench)
    bench.records.broken = True
    gate.opened.set()
    await gate.reached(3)
    assert bench.registry.get("thumb", "").version.status == CREATING
    bench.records.broken = False
    assert (await bench.registry.settled(made)).version.status == READY


async def test_a_function_that_goes_without_its_snapshot_says_why_until_the_next_change(
    bench, gate
):
    gate.refusal = "a thread is alive"
    gate.opened.set()
    view = await bench.settled(create(bench))
    assert (view.version.status, view.version.snapshot_refusal) == (READY, "a thread is alive")
    await bench.open()
    assert bench.registry.get("thumb", "").version.snapshot_refusal == "a thread is alive"
    gate.refusal = ""
    assert (await bench.configure(CHANGE)).version.snapshot_refusal == ""


async def test_a_version_that_will_never_be_ready_says_why_with_its_own_code(bench, gate):
    gate.failure = NotReadyError(Failure(code="FunctionError.InitTimeout", reason="too slow"))
    gate.opened.set()
    status = (await bench.settled(create(bench))).version.status
    assert (status.state, status.state_reason) == ("Failed", "too slow")
    assert status.state_reason_code == "FunctionError.InitTimeout"


async def test_a_version_that_takes_its_time_holds_up_no_other(bench, gate):
    gate.opened.set()
    await bench.settled(create(bench))
    gate.opened.clear()
    await bench.registry.versions.publish("thumb", description="", code_sha256="", revision_id="")
    await gate.reached(2)
    made = await update(bench)
    await gate.reached(1)
    assert made.version.status == UPDATING
    gate.opened.set()
    assert (await bench.registry.settled(made)).version.status == READY
