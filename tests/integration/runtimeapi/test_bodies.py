"""Answers that are too large, come in pieces, break off or wait to be asked for."""

from __future__ import annotations

import pytest

from sandbox.runtimeapi import PAYLOAD_LIMIT_BYTES, FunctionFailure, OversizedResponse, Response
from tests.integration.runtimeapi.playing import NEXT, Place, path, within


async def test_an_answer_of_exactly_the_limit_is_taken(place: Place):
    runtime = await place.running()
    assert (await runtime.call("POST", path("r-1"), b"x" * PAYLOAD_LIMIT_BYTES)).status == 202
    assert len((await within(place.api.answered())).payload) == PAYLOAD_LIMIT_BYTES


@pytest.mark.parametrize("chunked", [False, True])
async def test_an_answer_over_the_limit_is_413_and_settles_the_event(place: Place, chunked: bool):
    runtime = await place.running()
    body = b"x" * (PAYLOAD_LIMIT_BYTES + 1)
    if chunked:
        body = f"{len(body):x}\r\n".encode() + body + b"\r\n0\r\n\r\n"
        head = f"POST {path('r-1')} HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
        runtime.send_raw(head.encode() + body)
    else:
        runtime.send("POST", path("r-1"), body)
    assert await within(place.api.answered()) == OversizedResponse(limit_bytes=6291556)
    assert (await runtime.got()).error == (413, "RequestEntityTooLarge")
    runtime.send("GET", NEXT)
    await within(place.api.idle())


async def test_an_announced_oversize_is_refused_before_a_byte_of_it_came(place: Place):
    runtime = await place.running()
    runtime.send_raw(f"POST {path('r-1')} HTTP/1.1\r\nContent-Length: 10000000000\r\n\r\n".encode())
    assert (await runtime.got()).status == 413


async def test_a_client_that_waits_for_100_continue_gets_it(place: Place):
    runtime = await place.running()
    head = f"POST {path('r-1')} HTTP/1.1\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n"
    runtime.send_raw(head.encode())
    assert (await runtime.got()).status == 100
    runtime.send_raw(b"42")
    assert (await runtime.got()).status == 202
    assert (await within(place.api.answered())).payload == b"42"


async def test_a_refused_client_that_waits_for_100_continue_is_told_and_let_go(place: Place):
    runtime = await place.running()
    head = f"POST {path('r-2')} HTTP/1.1\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n"
    runtime.send_raw(head.encode())
    assert (await runtime.got()).status == 400
    assert await runtime.is_closed()


async def test_a_streamed_answer_is_collected(place: Place):
    runtime = await place.running()
    head = (
        f"POST {path('r-1')} HTTP/1.1\r\nTransfer-Encoding: chunked\r\n"
        "Lambda-Runtime-Function-Response-Mode: streaming\r\nContent-Type: text/plain\r\n\r\n"
    )
    runtime.send_raw(head.encode() + b"2\r\nab\r\n1\r\nc\r\n0\r\n\r\n")
    assert (await runtime.got()).status == 202
    assert await within(place.api.answered()) == Response(
        payload=b"abc", content_type="text/plain", streamed=True
    )


async def test_an_error_in_the_trailers_of_a_stream_is_the_functions_failure(place: Place):
    runtime = await place.running()
    head = (
        f"POST {path('r-1')} HTTP/1.1\r\nTransfer-Encoding: chunked\r\n"
        "Lambda-Runtime-Function-Response-Mode: streaming\r\n\r\n"
    )
    trailers = (
        "Lambda-Runtime-Function-Error-Type: Function.Broke\r\n"
        "Lambda-Runtime-Function-Error-Body: eyJhIjoxfQ==\r\n"
    )
    runtime.send_raw((head + "2\r\nab\r\n0\r\n" + trailers + "\r\n").encode())
    assert (await runtime.got()).status == 202
    assert await within(place.api.answered()) == FunctionFailure(
        payload=b'{"a":1}', error_type="Function.Broke"
    )


async def test_an_unknown_response_mode_is_refused_and_fails_the_event(place: Place):
    runtime = await place.running()
    headers = {"Lambda-Runtime-Function-Response-Mode": "telepathy"}
    got = await runtime.call("POST", path("r-1"), b"x", headers)
    assert got.error == (400, "InvalidFunctionResponseMode")
    failure = await within(place.api.answered())
    assert failure.error_type == "Runtime.InvalidResponseModeHeader"


async def test_an_answer_that_breaks_off_is_no_answer_and_may_be_given_again(place: Place):
    runtime = await place.running()
    runtime.send_raw(f"POST {path('r-1')} HTTP/1.1\r\nContent-Length: 10\r\n\r\nhalf".encode())
    runtime.writer.write_eof()
    assert (await runtime.got()).error == (400, "TruncatedHTTPRequest")
    other = await place.runtime()
    assert (await other.call("POST", path("r-1"), b"whole")).status == 202
    assert (await within(place.api.answered())).payload == b"whole"
