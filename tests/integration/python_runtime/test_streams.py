"""Handlers that are generators, on every Python of this host."""

from __future__ import annotations

import asyncio
import json

import pytest

from sandbox.runtimeapi import FunctionFailure, ResponseStream, Whole
from tests.integration.python_runtime.process import AWS, OURS, PYTHONS, Start

NEWEST = pytest.mark.parametrize("kind", [max(PYTHONS)])

TICKER = """
import os, time

def handler(event, context):
    yield "first"
    while not os.path.exists(event["go"]):
        time.sleep(0.005)
    yield b"second"

async def asynchronous(event, context):
    import asyncio
    yield "first"
    while not os.path.exists(event["go"]):
        await asyncio.sleep(0.005)
    yield bytearray(b"second")
"""


async def all_of(stream: ResponseStream) -> bytes:
    got: list[bytes] = []
    async with asyncio.timeout(20):
        while piece := await stream.pipe.read(1_000_000):
            got.append(piece)
    return b"".join(got)


async def first_of(stream: ResponseStream) -> bytes:
    async with asyncio.timeout(20):
        return await stream.pipe.read(1_000_000)


@OURS
@pytest.mark.parametrize("name", ["handler", "asynchronous"])
async def test_what_a_generator_yields_leaves_before_it_goes_on(
    start: Start, kind: str, name: str, tmp_path
):
    function = await start(kind, f"ticker.{name}", {"ticker.py": TICKER})
    await function.initialised()
    stream = await function.stream({"go": str(tmp_path / "go")})
    assert await first_of(stream) == b"first"
    # The handler waits for this file, so what has come came while it ran.
    (tmp_path / "go").touch()
    assert await all_of(stream) == b"second"
    assert await stream.ended.wait() == Whole()
    assert stream.content_type == "application/octet-stream"
    await function.settled()


@NEWEST
async def test_a_generator_is_collected_for_a_caller_that_wants_it_whole(start: Start, kind: str):
    code = "def handler(event, context):\n    yield '[1, '\n    yield b'2]'\n"
    function = await start(kind, "whole.handler", {"whole.py": code})
    assert await function.invoke() == [1, 2]
    assert await function.invoke() == [1, 2]


@NEWEST
async def test_a_dict_that_is_yielded_first_is_the_head_of_an_http_answer(start: Start, kind: str):
    code = (
        "def handler(event, context):\n"
        "    yield {'statusCode': 201, 'headers': {'X': 'y'}, 'cookies': ['a=b']}\n"
        "    yield 'body'\n"
    )
    function = await start(kind, "head.handler", {"head.py": code})
    await function.initialised()
    stream = await function.stream()
    head, _, body = (await all_of(stream)).partition(bytes(8))
    assert stream.content_type == "application/vnd.awslambda.http-integration-response"
    assert json.loads(head) == {"statusCode": 201, "headers": {"X": "y"}, "cookies": ["a=b"]}
    assert body == b"body"


@OURS
async def test_an_error_before_the_first_piece_is_an_ordinary_error(start: Start, kind: str):
    code = "def handler(event, context):\n    raise ValueError('early')\n    yield 1\n"
    function = await start(kind, "early.handler", {"early.py": code})
    error = await function.fail()
    assert (error["errorType"], error["errorMessage"]) == ("ValueError", "early")
    assert len(error["stackTrace"]) == 1
    assert (await function.fail())["errorType"] == "ValueError"


@OURS
async def test_an_error_in_the_middle_comes_behind_what_was_said(start: Start, kind: str):
    code = "def handler(event, context):\n    yield 'half'\n    raise ValueError('late')\n"
    function = await start(kind, "late.handler", {"late.py": code})
    await function.initialised()
    stream = await function.stream()
    assert await all_of(stream) == b"half"
    failure = await stream.ended.wait()
    assert isinstance(failure, FunctionFailure)
    error = json.loads(failure.payload)
    assert (error["errorType"], error["errorMessage"]) == ("ValueError", "late")
    assert error["requestId"] == "req-1"
    await function.settled()
    assert "[ERROR] ValueError: late" in function.output()


@NEWEST
async def test_an_error_too_large_for_a_trailer_comes_without_its_trace(start: Start, kind: str):
    code = "def handler(event, context):\n    yield 'x'\n    raise ValueError('y' * 100_000)\n"
    function = await start(kind, "large.handler", {"large.py": code})
    await function.initialised()
    stream = await function.stream()
    await all_of(stream)
    error = json.loads((await stream.ended.wait()).payload)
    assert (error["errorMessage"], error["stackTrace"]) == ("y" * 1024, [])
    await function.settled()


@NEWEST
@pytest.mark.parametrize(
    ("yielded", "word"),
    [("1", "int"), ("'a', {}", "dict"), ("{'status': 1}", "status"), ("{}", "statusCode")],
)
async def test_what_cannot_be_sent_is_a_marshal_error_that_says_what_can(
    start: Start, kind: str, yielded: str, word: str
):
    lines = "".join(f"    yield {each}\n" for each in yielded.split(", "))
    code = f"def handler(event, context):\n{lines}"
    function = await start(kind, "wrong.handler", {"wrong.py": code})
    error = await function.fail()
    assert error["errorType"] == "Runtime.MarshalError"
    assert word in error["errorMessage"]


@NEWEST
async def test_empty_pieces_end_nothing_and_an_empty_generator_is_an_empty_answer(
    start: Start, kind: str
):
    code = (
        "def handler(event, context):\n    yield ''\n    yield b'a'\n    yield b''\n    yield 'b'\n"
        "def nothing(event, context):\n    return\n    yield\n"
    )
    function = await start(kind, "empty.handler", {"empty.py": code})
    await function.initialised()
    assert await all_of(await function.stream()) == b"ab"
    other = await start(kind, "empty.nothing", {"empty.py": code})
    await other.initialised()
    assert await all_of(await other.stream()) == b""


@NEWEST
async def test_a_large_piece_arrives_whole_and_a_slow_reader_makes_the_handler_wait(
    start: Start, kind: str
):
    code = (
        "def handler(event, context):\n"
        "    yield b'a' * 3_000_000\n"
        "    for _ in range(300):\n"
        "        print('.', flush=True)\n"
        "        yield b'b' * 100_000\n"
    )
    function = await start(kind, "big.handler", {"big.py": code})
    await function.initialised()
    stream = await function.stream()
    # Nobody has read yet: far from all of it can have been said.
    assert function.output().count(".") < 250
    got = await all_of(stream)
    assert (len(got), got.count(b"a")) == (33_000_000, 3_000_000)


@pytest.mark.parametrize("kind", [AWS])
async def test_aws_runtime_client_cannot_stream_and_answers_a_streaming_caller_whole(
    start: Start, kind: str
):
    function = await start(kind, "echo.handler")
    await function.initialised()
    answer = await function.send(b'{"a": 1}', stream_limit_bytes=1000)
    assert json.loads(answer.payload) == {"a": 1}
