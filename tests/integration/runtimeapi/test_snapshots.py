"""The calls of SnapStart: waiting to be copied, saying why not, being restored."""

from __future__ import annotations

import pytest

from sandbox.runtimeapi import InitError, SnapshotRefused
from tests.integration.runtimeapi.playing import NEXT, RUNTIME, Place, event, within

RESTORE_NEXT = RUNTIME + "restore/next"
RESTORE_ERROR = RUNTIME + "restore/error"
REFUSED = RUNTIME + "snapshot/refused"
ERROR_TYPE = {"Lambda-Runtime-Function-Error-Type": "Runtime.AfterRestoreError"}


async def test_a_template_is_ready_when_it_waits_and_is_never_answered(template: Place):
    runtime = await template.runtime()
    runtime.send("GET", RESTORE_NEXT)
    assert await within(template.api.initialised()) is None
    other = await template.runtime()
    assert (await other.call("GET", RESTORE_NEXT)).error == (403, "InvalidStateTransition")
    assert (await other.call("GET", NEXT)).error == (403, "InvalidStateTransition")
    runtime.writer.write_eof()
    assert await runtime.is_closed(), "nothing was sent on it"


async def test_a_template_says_in_words_why_it_cannot_be_copied(template: Place):
    runtime = await template.runtime()
    got = await runtime.call("POST", REFUSED, b"a thread\n  is alive")
    assert got.status == 202
    assert await within(template.api.initialised()) == SnapshotRefused(reason="a thread is alive")


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "its runtime gave no reason"),
        (b"\xff" + b"x" * 1000, "\ufffd" + "x" * 299),
    ],
)
async def test_a_reason_is_short_text_whatever_was_sent(template: Place, body: bytes, reason: str):
    runtime = await template.runtime()
    await runtime.call("POST", REFUSED, body)
    assert await within(template.api.initialised()) == SnapshotRefused(reason=reason)


async def test_a_runtime_that_asks_for_an_event_cannot_be_copied(template: Place):
    runtime = await template.runtime()
    runtime.send("GET", NEXT)
    refused = await within(template.api.initialised())
    assert isinstance(refused, SnapshotRefused)


async def test_an_init_error_of_a_template_is_one_of_the_function(template: Place):
    runtime = await template.runtime()
    await runtime.call("POST", RUNTIME + "init/error", b"{}", ERROR_TYPE)
    error = await within(template.api.initialised())
    assert error == InitError(payload=b"{}", error_type="Runtime.AfterRestoreError")
    assert (await runtime.call("POST", RESTORE_ERROR)).error == (404, "NotFound")


async def test_a_copy_is_restored_with_its_first_next(copy: Place):
    runtime = await copy.runtime()
    for target in (RESTORE_NEXT, REFUSED):
        assert (await runtime.call("POST", target)).error == (404, "NotFound")
    runtime.send("GET", NEXT)
    assert await within(copy.api.initialised()) is None
    copy.api.deliver(event("r-1"))
    assert (await runtime.got()).headers["lambda-runtime-aws-request-id"] == "r-1"


@pytest.mark.parametrize("target", [RESTORE_ERROR, RUNTIME + "init/error"])
async def test_a_hook_that_fails_is_a_restore_error(copy: Place, target: str):
    runtime = await copy.runtime()
    assert (await runtime.call("POST", target, b"{}", ERROR_TYPE)).status == 202
    error = await within(copy.api.initialised())
    assert error == InitError(payload=b"{}", error_type="Runtime.AfterRestoreError")
    assert (await runtime.call("GET", NEXT)).error == (403, "InvalidStateTransition")
