"""Answers that are passed on while they are written: order, bounds, ends."""

from __future__ import annotations

import asyncio

import pytest

from sandbox.runtimeapi import (
    BrokenOff,
    FunctionFailure,
    OversizedResponse,
    ResponseStream,
    RuntimeEvent,
    Whole,
)
from tests.integration.runtimeapi.playing import NEXT, Place, Runtime, event, path, within

LIMIT_BYTES = 200 * 1024 * 1024
STREAMING = (
    "Transfer-Encoding: chunked\r\nLambda-Runtime-Function-Response-Mode: streaming\r\n"
    "Content-Type: text/plain\r\n"
)
END = b"0\r\n\r\n"


def streamed(limit_bytes: int = LIMIT_BYTES) -> RuntimeEvent:
    """An event whose caller takes a streamed answer as it comes."""
    return RuntimeEvent(
        request_id="r-1",
        payload=b"{}",
        deadline_ms=1,
        invoked_function_arn="arn:f",
        stream_limit_bytes=limit_bytes,
    )


def chunk(data: bytes) -> bytes:
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"


async def begun(place: Place, *, limit_bytes: int = LIMIT_BYTES) -> tuple[Runtime, ResponseStream]:
    """A runtime that has sent the head of a streamed answer, and what its owner got."""
    runtime = await place.runtime()
    runtime.send("GET", NEXT)
    await within(place.api.initialised())
    place.api.deliver(streamed(limit_bytes))
    await runtime.got()
    runtime.send_raw(f"POST {path('r-1')} HTTP/1.1\r\n{STREAMING}\r\n".encode())
    stream = await within(place.api.answered())
    assert isinstance(stream, ResponseStream)
    return runtime, stream


async def test_a_chunk_is_there_while_the_runtime_still_writes(place: Place):
    runtime, stream = await begun(place)
    assert stream.content_type == "text/plain"
    for word in (b"one", b"two"):
        runtime.send_raw(chunk(word))
        assert await within(stream.pipe.read(100)) == word
    assert not stream.ended.is_set
    runtime.send_raw(END)
    assert await within(stream.ended.wait()) == Whole()
    assert await within(stream.pipe.read(100)) == b""
    assert (await runtime.got()).status == 202


async def test_the_runtime_gets_its_next_event_after_a_streamed_answer(place: Place):
    runtime, stream = await begun(place)
    runtime.send_raw(chunk(b"all") + END)
    runtime.send("GET", NEXT)
    assert (await runtime.got()).status == 202
    await within(place.api.idle())
    place.api.deliver(event("r-2", b"[2]"))
    assert (await runtime.got()).body == b"[2]"
    assert await within(stream.pipe.read(100)) == b"all"


async def test_an_error_in_the_trailers_comes_after_the_bytes(place: Place):
    runtime, stream = await begun(place)
    trailers = (
        "Lambda-Runtime-Function-Error-Type: Runtime.Broke\r\n"
        "Lambda-Runtime-Function-Error-Body: eyJhIjoxfQ==\r\n"
    )
    runtime.send_raw(chunk(b"half") + b"0\r\n" + trailers.encode() + b"\r\n")
    assert await within(stream.ended.wait()) == FunctionFailure(
        payload=b'{"a":1}', error_type="Runtime.Broke"
    )
    assert await within(stream.pipe.read(100)) == b"half"


async def test_a_runtime_that_goes_in_the_middle_leaves_what_it_had_said(place: Place):
    runtime, stream = await begun(place)
    runtime.send_raw(chunk(b"half"))
    assert await within(stream.pipe.read(100)) == b"half"
    runtime.writer.transport.abort()
    assert await within(stream.ended.wait()) == BrokenOff()
    assert await within(stream.pipe.read(100)) == b""


async def test_a_stream_that_broke_off_cannot_be_begun_again(place: Place):
    runtime, stream = await begun(place)
    runtime.writer.transport.abort()
    await within(stream.ended.wait())
    other = await place.runtime()
    got = await other.call("POST", path("r-1"), b"whole")
    assert got.error == (403, "InvalidStateTransition")


async def test_a_slow_reader_slows_the_runtime_down_and_costs_bounded_memory(place: Place):
    runtime, stream = await begun(place)
    total = 20_000_000
    runtime.send_raw(chunk(b"x" * total) + END)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.3):
            await runtime.writer.drain()
    # The rest is in the kernel's buffers and in the runtime itself, not here.
    [connection] = place.api._tree.connections
    assert stream.pipe._bytes + connection._parser.buffered_bytes < 1_000_000
    got = 0
    while data := await within(stream.pipe.read(1_000_000)):
        got += len(data)
    assert got == total
    assert await within(stream.ended.wait()) == Whole()
    assert (await runtime.got()).status == 202


async def test_all_that_a_runtime_wrote_before_it_hung_up_is_read_by_a_slow_reader(place: Place):
    runtime, stream = await begun(place)
    runtime.send_raw(chunk(b"x" * 150_000) + chunk(b"y" * 20_000) + END)
    runtime.writer.write_eof()
    await within(runtime.writer.drain())
    assert (await (await place.runtime()).call("GET", "/ping")).body == b"pong"
    got = b""
    while data := await within(stream.pipe.read(50_000)):
        got += data
    assert (len(got), got[-1:]) == (170_000, b"y")
    assert await within(stream.ended.wait()) == Whole()


async def test_a_reader_that_has_gone_lets_the_runtime_finish(place: Place):
    runtime, stream = await begun(place)
    stream.pipe.discard()
    runtime.send_raw(chunk(b"x" * 5_000_000) + END)
    assert (await runtime.got()).status == 202
    assert await within(stream.ended.wait()) == Whole()


async def test_a_stream_over_its_limit_is_cut_there_and_the_runtime_told(place: Place):
    runtime, stream = await begun(place, limit_bytes=1000)
    runtime.send_raw(chunk(b"x" * 700) + chunk(b"y" * 700) + END)
    assert await within(stream.ended.wait()) == OversizedResponse(limit_bytes=1000)
    assert await within(stream.pipe.read(5000)) == b"x" * 700 + b"y" * 300
    got = await runtime.got()
    assert got.error == (413, "RequestEntityTooLarge")
    assert b"(1000 bytes)" in got.body
    runtime.send("GET", NEXT)
    await within(place.api.idle())


async def test_a_reset_ends_the_stream_of_the_old_tree(place: Place):
    _runtime, stream = await begun(place)
    place.api.reset()
    assert await within(stream.ended.wait()) == BrokenOff()


async def test_a_buffered_answer_to_a_caller_that_would_take_a_stream_comes_whole(place: Place):
    runtime = await place.runtime()
    runtime.send("GET", NEXT)
    await within(place.api.initialised())
    place.api.deliver(streamed())
    await runtime.got()
    await runtime.call("POST", path("r-1"), b'"whole"')
    answer = await within(place.api.answered())
    assert (answer.payload, answer.streamed) == (b'"whole"', False)


@pytest.mark.parametrize("sent", ["x" * 300, "text/\xff", "a\tb"])
async def test_a_content_type_that_no_caller_could_be_sent_is_left_out(place: Place, sent: str):
    runtime = await place.runtime()
    runtime.send("GET", NEXT)
    await within(place.api.initialised())
    place.api.deliver(streamed())
    await runtime.got()
    head = (
        f"POST {path('r-1')} HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Type: {sent}\r\n"
        "Lambda-Runtime-Function-Response-Mode: streaming\r\n\r\n"
    )
    runtime.send_raw(head.encode("latin-1"))
    assert (await within(place.api.answered())).content_type == ""
