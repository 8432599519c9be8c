"""Lambda's platform lines and payloads, compared with what AWS prints."""

from __future__ import annotations

import json

import pytest

from sandbox import report
from sandbox.backend import ProcessExit

MIB = 1024 * 1024
ID = "8286a188-ba32-4475-8077-530cd35c09a9"


def make_report(**changes: object) -> report.Report:
    values = {
        "request_id": ID,
        "duration_ns": 3_016_780_000,
        "billed_ms": 3101,
        "memory_size_mb": 128,
        "memory_peak_bytes": 70 * MIB,
        "init_duration_ns": 84_000_000,
        "status": "",
        "error_type": "",
    }
    return report.Report(**{**values, **changes})  # type: ignore[arg-type]


def test_a_cold_report_line_is_the_documented_one():
    assert report.report_line(make_report()) == (
        b"REPORT RequestId: " + ID.encode() + b"\tDuration: 3016.78 ms\tBilled Duration: 3101 ms"
        b"\tMemory Size: 128 MB\tMax Memory Used: 70 MB\tInit Duration: 84.00 ms\t"
    )


def test_a_warm_report_line_has_no_init_duration():
    assert b"Init Duration" not in report.report_line(make_report(init_duration_ns=0))


def test_a_report_line_says_why_an_invocation_failed():
    line = report.report_line(make_report(status="error", error_type="Runtime.ExitError"))
    assert line.endswith(b"\tStatus: error\tError Type: Runtime.ExitError\t")
    assert report.report_line(
        make_report(status="timeout", error_type="Sandbox.Timedout")
    ).endswith(b"\tStatus: timeout\t")


def test_the_memory_used_is_never_more_than_the_memory_size():
    assert report.memory_used_mb(129 * MIB, 128) == 128
    assert report.memory_used_mb(69 * MIB + 1, 128) == 70


@pytest.mark.parametrize(
    ("duration_ns", "init_ns", "billed"),
    [
        (3_016_780_000, 84_000_000, 3101),
        (133_610_000, 80_000_000, 214),
        (1, 0, 1),
        (1_000_000, 0, 1),
        (0, 0, 1),
    ],
)
def test_billing_adds_init_and_rounds_up_as_documented(duration_ns, init_ns, billed):
    assert report.billed_ms(duration_ns, init_ns) == billed


@pytest.mark.parametrize(
    ("ended", "message"),
    [
        (ProcessExit(status=0), "Runtime exited without providing a reason"),
        (ProcessExit(status=127), "Runtime exited with error: exit status 127"),
        (ProcessExit(signal=9), "Runtime exited with error: signal: killed"),
        (ProcessExit(signal=11), "Runtime exited with error: signal: segmentation fault"),
        (ProcessExit(signal=40), "Runtime exited with error: signal: 40"),
    ],
)
def test_the_end_of_a_runtime_is_worded_as_lambda_words_it(ended, message):
    assert report.exit_message(ended) == message


def test_a_time_out_answers_the_recorded_payload():
    assert json.loads(report.timeout_payload(ID, 1)) == {
        "errorType": "Sandbox.Timedout",
        "errorMessage": f"RequestId: {ID} Error: Task timed out after 1.00 seconds",
    }


def test_a_time_out_is_logged_with_its_moment():
    assert report.timeout_line(ID, 1, 1_767_225_600_000_000_000) == (
        b"2026-01-01T00:00:00.000Z " + ID.encode() + b" Task timed out after 1.00 seconds"
    )


def test_an_answer_that_was_too_large_is_named_with_lambdas_limit():
    assert json.loads(report.oversized_payload(6291556)) == {
        "errorType": "Function.ResponseSizeTooLarge",
        "errorMessage": "Response payload size exceeded maximum allowed payload size "
        "(6291556 bytes).",
    }
