"""How an invocation ends, and what its log and its next one find."""

from __future__ import annotations

import json
import re

import pytest

from sandbox.work import StartLevel
from tests.integration.attempts.playing import exiting_init, failing_init, host, second_init


async def test_the_first_invocation_is_fresh_and_the_second_warm(tmp_path):
    async with host(tmp_path) as it:
        first = await it.run()
        second = await it.run()
    assert json.loads(first.payload) == {"calls": 1, "life": 1}
    assert json.loads(second.payload) == {"calls": 2, "life": 1}
    assert (first.start_level, second.start_level) == (StartLevel.FRESH, StartLevel.WARM)
    assert first.init_duration_ns > 0
    assert second.init_duration_ns == 0
    assert first.sandbox_kept
    assert [phase.name for phase in first.phases] == [
        "queue",
        "artifact",
        "sandbox",
        "birth",
        "init",
        "invoke",
    ]


async def test_the_log_of_an_invocation_is_lambdas(tmp_path):
    async with host(tmp_path) as it:
        result = await it.run()
    lines = result.log_tail.decode().splitlines()
    assert lines[0] == f"START RequestId: {result.invocation_id} Version: $LATEST"
    assert lines[1] == "served"
    assert lines[2] == f"END RequestId: {result.invocation_id}"
    assert lines[3].startswith(f"REPORT RequestId: {result.invocation_id}\tDuration: ")
    assert "Init Duration" in lines[3]
    assert len(lines) == 4
    assert re.fullmatch(r"\d{4}/\d\d/\d\d/\[\$LATEST\][0-9a-f]{32}", it.logs[0].log_stream)


async def test_a_handlers_error_is_an_answer_and_keeps_the_sandbox(tmp_path):
    async with host(tmp_path) as it:
        failed = await it.run({"do": "raise"})
        after = await it.run()
    assert (failed.function_error, failed.payload) == (
        "Unhandled",
        b'{"errorType":"ValueError"}',
    )
    assert json.loads(after.payload) == {"calls": 2, "life": 1}


@pytest.mark.parametrize(
    ("event", "error_type", "message"),
    [
        (
            {"do": "exit", "status": 0},
            "Runtime.ExitError",
            "Runtime exited without providing a reason",
        ),
        (
            {"do": "exit", "status": 7},
            "Runtime.ExitError",
            "Runtime exited with error: exit status 7",
        ),
        ({"do": "die"}, "Runtime.ExitError", "Runtime exited with error: signal: killed"),
        ({"do": "hang"}, "Sandbox.Timedout", "Task timed out after 0.30 seconds"),
    ],
)
async def test_a_runtime_that_ends_or_hangs_gives_lambdas_answer_and_the_next_init_is_new(
    tmp_path, event, error_type, message
):
    async with host(tmp_path) as it:
        await it.run()
        failed = await it.run(event)
        after = await it.run()
    body = json.loads(failed.payload)
    assert failed.function_error == "Unhandled"
    assert body["errorType"] == error_type
    assert body["errorMessage"] == f"RequestId: {failed.invocation_id} Error: {message}"
    assert not failed.sandbox_kept
    assert json.loads(after.payload) == {"calls": 1, "life": 2}
    assert after.sandbox_id == failed.sandbox_id, "the environment is kept for the next init"
    assert after.start_level is StartLevel.FRESH


async def test_an_answer_that_is_too_large_is_named_and_the_sandbox_goes_on(tmp_path):
    async with host(tmp_path) as it:
        result = await it.run({"do": "big"})
        after = await it.run()
    assert json.loads(result.payload)["errorType"] == "Function.ResponseSizeTooLarge"
    assert json.loads(after.payload)["life"] == 1


async def test_an_init_error_is_repeated_within_the_invocation_and_then_answered(tmp_path):
    async with host(tmp_path, failing_init) as it:
        result = await it.run()
    assert result.payload == b'{"errorType":"Runtime.ImportModuleError"}'
    assert result.error_type == "Runtime.ImportModuleError"
    assert result.init_duration_ns == 0
    reports = [line for line in it.lines() if line.startswith(b"INIT_REPORT")]
    assert [b"Phase: init" in reports[0], b"Phase: invoke" in reports[1]] == [True, True]
    assert it.lines().count(b"importing") == 2


async def test_an_exit_during_init_is_answered_as_an_exit(tmp_path):
    async with host(tmp_path, exiting_init) as it:
        result = await it.run()
    body = json.loads(result.payload)
    assert body["errorType"] == "Runtime.ExitError"
    assert body["errorMessage"].endswith("Runtime exited without providing a reason")


async def test_an_init_that_works_the_second_time_serves_the_invocation(tmp_path):
    async with host(tmp_path, second_init) as it:
        result = await it.run()
    assert json.loads(result.payload) == {"calls": 1, "life": 2}
    assert result.function_error == ""


async def test_a_large_event_is_fetched_before_it_runs(tmp_path):
    async with host(tmp_path) as it:
        result = await it.run(payload=b"", payload_to_fetch_bytes=100)
    assert json.loads(result.payload) == {"calls": 1, "life": 1}
