"""What `emberd logs` and `emberd trace` make of what they are given, before and after the wire."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from datetime import datetime

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from controlplane.cli import logs, trace, traces
from controlplane.cli.exits import BadParameterError
from emberd.telemetry.v1 import telemetry_pb2 as pb
from tests.unit.telemetry.builders import REQUEST_ID, TRACE_ID

NOW_NS = 1_800_000_000_000_000_000
HOSTILE = b"\x1b]0;title\x07\xff\x9b2J"


def line(message: bytes) -> pb.LogLine:
    return pb.LogLine(
        time=Timestamp(seconds=1_800_000_000, nanos=123_000_000),
        message=message,
        request_id=REQUEST_ID,
        log_stream="stream",
        version="$LATEST",
    )


@pytest.fixture(autouse=True)
def _utc() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", "UTC")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.parametrize(
    ("text", "seconds"), [("30s", 30), ("10m", 600), ("2h", 7200), ("1d", 86_400), ("1w", 604_800)]
)
def test_since_counts_back_from_now(text: str, seconds: int) -> None:
    assert logs.since_ns(text, NOW_NS) == NOW_NS - seconds * 1_000_000_000


def test_since_takes_an_iso_time_of_any_zone() -> None:
    expected = datetime.fromisoformat("2026-01-31T12:00:00+00:00").timestamp() * 1e9
    assert logs.since_ns("2026-01-31T12:00:00Z", NOW_NS) == expected
    assert logs.since_ns("2026-01-31T13:00:00+01:00", NOW_NS) == expected
    assert logs.since_ns("2026-01-31T12:00:00", NOW_NS) == expected


@pytest.mark.parametrize("text", ["", "10", "10 minutes", "yesterday", "-5m", "2026-13-01"])
def test_since_refuses_what_is_no_time(text: str) -> None:
    with pytest.raises(BadParameterError, match="30s, 10m, 2h, 1d"):
        logs.since_ns(text, NOW_NS)


def test_a_line_of_text_has_time_request_and_text() -> None:
    shown = logs.text(line(b"hello\tworld"), colour=False)
    assert shown == b"2027-01-15 08:00:00.123 8e2a6a4e hello\tworld\n"


def test_a_traceback_is_shown_on_lines_of_its_own() -> None:
    shown = logs.text(line(b"[ERROR] ValueError: no\rTraceback:\r\xc2\xa0 File"), colour=False)
    first, second, third = shown.decode().splitlines()
    assert first.endswith("[ERROR] ValueError: no")
    assert second == " " * 33 + "Traceback:"
    assert third.strip(" ") == "\u00a0 File"


def test_colour_is_ours_and_never_the_functions() -> None:
    shown = logs.text(line(b"REPORT " + HOSTILE), colour=True).decode()
    assert shown.count("\x1b[2m") == 2
    assert shown.count("\x1b") == 4
    assert "\\x1b]0;title\\x07\\xff\\x9b2J" in shown


def test_an_error_stands_out_in_colour() -> None:
    assert "\x1b[31m[ERROR] bad" in logs.text(line(b"[ERROR] bad"), colour=True).decode()
    assert "\x1b[33m[WARNING]" in logs.text(line(b"[WARNING]\tlow"), colour=True).decode()


def test_raw_is_what_the_function_wrote_unless_a_terminal_would_obey_it() -> None:
    assert logs.raw(line(HOSTILE), terminal=False) == HOSTILE + b"\n"
    assert logs.raw(line(HOSTILE), terminal=True) == b"\\x1b]0;title\\x07\\xff\\x9b2J\n"


def test_json_is_one_line_of_ascii_and_loses_nothing() -> None:
    shown = logs.as_json(line(HOSTILE))
    assert shown.isascii()
    assert b"\x1b" not in shown
    read = json.loads(shown)
    assert base64.b64decode(read["messageBase64"]) == HOSTILE
    assert read["requestId"] == REQUEST_ID
    assert read["time"] == "2027-01-15T08:00:00.123Z"


def test_json_of_text_needs_no_base64() -> None:
    read = json.loads(logs.as_json(line("größe".encode())))
    assert read["message"] == "größe"
    assert "messageBase64" not in read
    assert (read["level"], read["traceId"]) == (None, None)


def test_json_says_the_level_and_the_place_in_the_trace() -> None:
    stated = line(b"[ERROR] no")
    stated.trace_id, stated.span_id = TRACE_ID, "00f067aa0ba902b7"
    read = json.loads(logs.as_json(stated))
    assert (read["level"], read["traceId"]) == ("ERROR", TRACE_ID)
    assert read["spanId"] == "00f067aa0ba902b7"


@pytest.mark.parametrize(
    "key",
    [
        TRACE_ID,
        TRACE_ID.upper(),
        f"1-{TRACE_ID[:8]}-{TRACE_ID[8:]}",
        f"Root=1-{TRACE_ID[:8]}-{TRACE_ID[8:]}",
    ],
)
def test_a_trace_id_is_understood_in_every_spelling(key: str) -> None:
    assert trace.request_for(key).trace_id == TRACE_ID


def test_a_request_id_is_told_from_a_trace_id() -> None:
    assert trace.request_for(REQUEST_ID.upper()).request_id == REQUEST_ID


@pytest.mark.parametrize("key", ["", "hello", TRACE_ID[:-1], REQUEST_ID[:-1]])
def test_what_names_no_trace_is_refused(key: str) -> None:
    with pytest.raises(BadParameterError, match="names no trace"):
        trace.request_for(key)


def test_the_heading_says_what_ran_and_how_it_ended() -> None:
    root = pb.Span(
        span_id="a",
        name="hello\x1b[2J",
        start_time=Timestamp(seconds=1),
        end_time=Timestamp(seconds=1, nanos=2_500_000),
        attributes={
            "faas.invocation_id": REQUEST_ID,
            "faas.version": "3",
            "emberd.start_level": "fresh",
            "error.type": "Sandbox.Timedout",
        },
        error=True,
    )
    answer = pb.GetTraceResponse(
        trace_id=TRACE_ID, spans=[root, pb.Span(span_id="b", name="front")]
    )
    assert trace.heading(answer) == [
        f"trace {TRACE_ID}",
        f"hello\\x1b[2J:3  {REQUEST_ID}  2.50 ms, fresh, failed: Sandbox.Timedout",
    ]


@pytest.mark.parametrize(
    ("text", "ns"),
    [("250us", 250_000), ("5ms", 5_000_000), ("1.5s", 1_500_000_000), ("2m", 120_000_000_000)],
)
def test_a_duration_has_a_number_and_a_unit(text: str, ns: int) -> None:
    assert traces.duration_ns(text) == ns


@pytest.mark.parametrize("text", ["", "5", "ms", "-5ms", "5 ms", "1e3s", "5h", "9999999999s"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(BadParameterError, match="no duration"):
        traces.duration_ns(text)
