"""Error payloads and their log lines."""

from __future__ import annotations

import json
import os
import re

from runtimes.python.emberd_runtime import Fault, faults


def fail_in(depth: int) -> None:
    if depth:
        fail_in(depth - 1)
    raise ValueError("out of range")


def failure(depth: int = 0) -> faults.Failure:
    try:
        fail_in(depth)
    except ValueError as error:
        return faults.failure_of(error, "r-1")
    raise AssertionError


def test_an_exception_has_lambdas_four_keys_in_lambdas_order():
    payload = failure().payload
    assert list(payload) == ["errorMessage", "errorType", "requestId", "stackTrace"]
    assert payload["errorMessage"] == "out of range"
    assert payload["errorType"] == "ValueError"
    assert payload["requestId"] == "r-1"
    line = fail_in.__code__.co_firstlineno + 3
    assert payload["stackTrace"][-1] == (
        f'  File "{__file__}", line {line}, in fail_in\n    raise ValueError("out of range")\n'
    )


def test_the_same_frame_over_and_over_is_written_short():
    trace = failure(depth=50).payload["stackTrace"]
    assert any("[Previous line repeated" in entry for entry in trace)
    assert len(trace) < 10


def test_a_fault_has_its_own_type_and_no_trace():
    payload = faults.failure_of(Fault("Runtime.HandlerNotFound", "gone"), "").payload
    assert payload == {
        "errorMessage": "gone",
        "errorType": "Runtime.HandlerNotFound",
        "requestId": "",
        "stackTrace": [],
    }


def test_the_text_log_of_an_error_is_one_line_with_hard_blanks():
    line = faults.text_line(failure())
    assert line.startswith(
        "[ERROR] ValueError: out of range\rTraceback (most recent call last):\r\u00a0\u00a0File "
    )
    assert line.endswith('\r\u00a0\u00a0\u00a0\u00a0raise ValueError("out of range")\n')
    assert line.count("\n") == 1
    assert "  " not in line


def test_an_error_without_a_message_is_only_its_type():
    line = faults.text_line(faults.failure_of(ValueError(), ""))
    assert line == "[ERROR] ValueError\rTraceback (most recent call last):\n"


def test_the_json_log_of_an_error_has_time_and_level_first():
    entry = json.loads(faults.json_line(failure(), json.dumps))
    assert list(entry)[:3] == ["timestamp", "level", "errorMessage"]
    assert entry["level"] == "ERROR"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", entry["timestamp"])


def test_the_cause_for_the_trace_names_every_frame():
    cause = failure().cause
    assert cause["working_directory"] == os.getcwd()
    [exception] = cause["exceptions"]
    assert (exception["type"], exception["message"]) == ("ValueError", "out of range")
    assert exception["stack"][-1]["label"] == "fail_in"
    assert cause["paths"] == [__file__]


def test_a_cause_too_large_for_the_trace_is_left_out():
    huge = faults.failure_of(Fault("Runtime.X", "x" * 70_000), "")
    assert faults.cause_header(huge, json.dumps) == ""
    assert faults.cause_header(failure(), json.dumps)
