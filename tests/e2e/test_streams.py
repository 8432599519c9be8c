"""Answers that are read while the function still writes them, on real sandboxes."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest

from emberd.invocation.v1 import invocation_pb2
from tests.e2e.system import Emberd, eventually


@pytest.fixture(scope="module")
def streams(emberd: Emberd, functions: Path) -> str:
    """A function that streams."""
    emberd.deploy(functions / "streams", "streams", timeout=3)
    return "streams"


def stream(
    emberd: Emberd, channel: grpc.Channel, name: str, event: object
) -> Iterator[invocation_pb2.InvokeStreamResponse]:
    stub, metadata = emberd.invocations(channel)
    asked = emberd.request(name, json.dumps(event).encode())
    request = invocation_pb2.InvokeStreamRequest(request=asked)
    return stub.InvokeStream(request, metadata=metadata, timeout=60)


def test_the_first_bytes_are_here_while_the_function_still_runs(emberd: Emberd, streams: str):
    with grpc.insecure_channel(emberd.address) as channel:
        event = {"say": ["one"], "then": "hang"}
        pieces = stream(emberd, channel, streams, event)
        first = next(pieces)
        # It hangs until its time is up, so what comes next is the end that Lambda gives it.
        rest = list(pieces)
    assert first.payload_chunk == b"one"
    assert [each.WhichOneof("event") for each in rest] == ["complete"]
    error = json.loads(rest[0].complete.payload)
    assert error["errorType"] == "Sandbox.Timedout"
    assert error["errorMessage"].endswith("Task timed out after 3.00 seconds")


def test_an_error_after_the_first_byte_comes_behind_it(emberd: Emberd, streams: str):
    with grpc.insecure_channel(emberd.address) as channel:
        event = {"say": ["half"], "then": "raise"}
        *pieces, last = stream(emberd, channel, streams, event)
    assert b"".join(each.payload_chunk for each in pieces) == b"half"
    assert last.complete.function_error == "Unhandled"
    assert json.loads(last.complete.payload)["errorMessage"] == "after the first byte"


def test_more_than_a_buffered_answer_may_have_arrives_whole(emberd: Emberd, streams: str):
    with grpc.insecure_channel(emberd.address) as channel:
        *pieces, last = stream(emberd, channel, streams, {"megabytes": 8})
    assert sum(len(each.payload_chunk) for each in pieces) == 8_000_000
    assert last.complete.function_error == ""


def test_a_caller_that_leaves_does_not_keep_the_function_from_its_end(emberd: Emberd, streams: str):
    before = emberd.ok("logs", streams).count(b"REPORT")
    with grpc.insecure_channel(emberd.address) as channel:
        pieces = stream(emberd, channel, streams, {"say": ["x"], "megabytes": 6})
        next(pieces)
        pieces.cancel()  # type: ignore[attr-defined]
        reports = eventually(lambda: emberd.ok("logs", streams).count(b"REPORT") > before, 20)
    assert reports


def test_the_command_line_prints_what_comes_and_tells_an_error_apart(emberd: Emberd, streams: str):
    good = emberd.run("invoke", streams, "--stream", "--payload", '{"say": ["a", "b"]}')
    assert (good.returncode, good.stdout) == (0, b"ab")
    late = emberd.run("invoke", streams, "--stream", "--payload", '{"say": ["a"], "then": "raise"}')
    assert (late.returncode, late.stdout) == (1, b"a")
    assert b"after the first byte" in late.stderr
    whole = emberd.run("invoke", streams, "--payload", '{"say": ["a", "b"]}')
    assert whole.stdout == b"ab"


def test_ctrl_c_leaves_the_stream_at_once_with_the_shells_code(emberd: Emberd, streams: str):
    event = '{"say": ["one"], "then": "hang"}'
    running = emberd.begin_run("invoke", streams, "--stream", "--payload", event)
    assert running.stdout is not None
    assert running.stdout.read(3) == b"one"
    running.send_signal(signal.SIGINT)
    rest, told = running.communicate(timeout=20)
    assert (running.returncode, rest) == (130, b""), told
