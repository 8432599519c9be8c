"""The Runtime API server over real sockets: every endpoint, and what a hostile sandbox tries."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from sandbox.runtimeapi import (
    PAYLOAD_LIMIT_BYTES,
    FunctionFailure,
    InitError,
    OversizedResponse,
    Response,
    RuntimeApi,
    RuntimeEvent,
    connection,
)
from sandbox.runtimeapi.server import CONNECTION_LIMIT
from sandbox.runtimeapi.state import DeliveryError

RUNTIME = "/2018-06-01/runtime/"
NEXT = RUNTIME + "invocation/next"


@dataclass
class Got:
    """An answer as the runtime reads it."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def error(self) -> tuple[int, str]:
        return self.status, json.loads(self.body)["errorType"]


class Runtime:
    """A runtime that says exactly what a test wants it to say."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    def send(
        self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None
    ) -> None:
        fields = {"Host": "x", "Content-Length": str(len(body)), **(headers or {})}
        lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        self.writer.write(f"{method} {path} HTTP/1.1\r\n{lines}\r\n".encode() + body)

    def send_raw(self, data: bytes) -> None:
        self.writer.write(data)

    async def got(self) -> Got:
        async with asyncio.timeout(10):
            head = (await self.reader.readuntil(b"\r\n\r\n")).decode()
            status, *lines = head.rstrip().split("\r\n")
            headers = {
                name.lower(): value for name, value in (line.split(": ", 1) for line in lines)
            }
            body = await self.reader.readexactly(int(headers.get("content-length", "0")))
        return Got(int(status.split()[1]), headers, body)

    async def call(
        self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None
    ) -> Got:
        self.send(method, path, body, headers)
        return await self.got()

    async def is_closed(self) -> bool:
        try:
            async with asyncio.timeout(10):
                return await self.reader.read() == b""
        except ConnectionError:
            return True


class Place:
    """A server and the runtimes that are connected to it."""

    def __init__(self, api: RuntimeApi, port: int, stack: contextlib.AsyncExitStack) -> None:
        self.api = api
        self.port = port
        self._stack = stack

    async def runtime(self) -> Runtime:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        self._stack.push_async_callback(_gone, writer)
        return Runtime(reader, writer)

    async def running(self, request_id: str = "r-1", payload: bytes = b"{}") -> Runtime:
        """A runtime that has just got an event."""
        runtime = await self.runtime()
        runtime.send("GET", NEXT)
        await within(self.api.initialised())
        self.api.deliver(event(request_id, payload))
        assert (await runtime.got()).body == payload
        return runtime


async def _gone(writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()


@pytest.fixture
async def place() -> AsyncIterator[Place]:
    listener = socket.create_server(("127.0.0.1", 0))
    listener.setblocking(False)
    api = RuntimeApi(listener)
    await api.start()
    async with contextlib.AsyncExitStack() as stack:
        yield Place(api, listener.getsockname()[1], stack)
    await api.close()
    listener.close()


async def within(awaitable):
    async with asyncio.timeout(10):
        return await awaitable


def event(request_id: str = "r-1", payload: bytes = b"{}") -> RuntimeEvent:
    return RuntimeEvent(
        request_id=request_id,
        payload=payload,
        deadline_ms=1,
        invoked_function_arn="arn:f",
    )


def path(request_id: str, verb: str = "response") -> str:
    return f"{RUNTIME}invocation/{request_id}/{verb}"


async def test_an_event_goes_in_and_its_answer_comes_out(place: Place):
    runtime = await place.running("r-1", b'{"a":1}')
    got = await runtime.call("POST", path("r-1"), b'"done"', {"Content-Type": "application/json"})
    assert (got.status, got.body) == (202, b'{"status":"OK"}')
    assert await within(place.api.answered()) == Response(
        payload=b'"done"', content_type="application/json"
    )
    runtime.send("GET", NEXT)
    await within(place.api.idle())


async def test_an_error_comes_out_with_its_type_and_its_cause(place: Place):
    runtime = await place.running()
    headers = {
        "Lambda-Runtime-Function-Error-Type": "Runtime.MarshalError",
        "Lambda-Runtime-Function-XRay-Error-Cause": '{"exceptions":[]}',
    }
    assert (await runtime.call("POST", path("r-1", "error"), b'{"x":1}', headers)).status == 202
    assert await within(place.api.answered()) == FunctionFailure(
        payload=b'{"x":1}', error_type="Runtime.MarshalError", xray_cause=b'{"exceptions":[]}'
    )


@pytest.mark.parametrize(
    "cause", ["no json", "[]", '{"a":"' + "x" * 70_000 + '"}', "[" * 60_000, '{"a":"' + "x" * 10**6]
)
async def test_a_cause_that_is_broken_or_huge_is_dropped_and_the_error_kept(
    place: Place, cause: str
):
    runtime = await place.running()
    headers = {"Lambda-Runtime-Function-XRay-Error-Cause": cause}
    assert (await runtime.call("POST", path("r-1", "error"), b"{}", headers)).status == 202
    assert await within(place.api.answered()) == FunctionFailure(
        payload=b"{}", error_type="Function.Unknown"
    )


async def test_an_event_delivered_before_anyone_asked_waits_for_the_first_next(place: Place):
    place.api.deliver(event(payload=b"[1]"))
    runtime = await place.runtime()
    assert (await runtime.call("GET", NEXT)).body == b"[1]"
    assert await within(place.api.initialised()) is None


async def test_an_init_error_comes_out_and_further_calls_are_refused(place: Place):
    runtime = await place.runtime()
    headers = {"Lambda-Runtime-Function-Error-Type": "Runtime.ImportModuleError"}
    assert (await runtime.call("POST", RUNTIME + "init/error", b"{}", headers)).status == 202
    assert await within(place.api.initialised()) == InitError(
        payload=b"{}", error_type="Runtime.ImportModuleError"
    )
    got = await runtime.call("GET", NEXT)
    assert got.error == (403, "InvalidStateTransition")


async def test_an_init_error_of_a_made_up_type_is_unknown(place: Place):
    runtime = await place.runtime()
    await runtime.call("POST", RUNTIME + "init/error", b"{}")
    assert (await within(place.api.initialised())).error_type == "Runtime.Unknown"


async def test_the_same_event_comes_again_when_the_runtime_asks_again(place: Place):
    first = await place.running("r-1", b"[7]")
    second = await place.runtime()
    again = await second.call("GET", NEXT)
    assert (again.body, again.headers["lambda-runtime-aws-request-id"]) == (b"[7]", "r-1")
    assert (await first.call("POST", path("r-1"), b"1")).status == 202


async def test_a_runtime_that_reconnects_while_it_waits_gets_the_event_on_its_new_connection(
    place: Place,
):
    gone = await place.runtime()
    gone.send("GET", NEXT)
    await within(place.api.initialised())
    gone.writer.transport.abort()
    runtime = await place.runtime()
    # A whole exchange later the server has seen the old connection end.
    assert (await runtime.call("GET", "/ping")).body == b"pong"
    runtime.send("GET", NEXT)
    place.api.deliver(event(payload=b"[2]"))
    assert (await runtime.got()).body == b"[2]"


async def test_an_event_is_not_handed_to_a_connection_that_is_already_closing(place: Place):
    runtime = await place.runtime()
    runtime.send("GET", NEXT)
    await within(place.api.initialised())
    [connection_of_the_dead] = place.api._tree.connections
    connection_of_the_dead.abort()
    place.api.deliver(event(payload=b"[3]"))
    other = await place.runtime()
    got = await other.call("GET", NEXT)
    assert got.body == b"[3]"


async def test_the_answer_and_the_next_question_may_come_in_one_piece(place: Place):
    runtime = await place.running("r-1")
    body = b"POST " + path("r-1").encode() + b" HTTP/1.1\r\nContent-Length: 1\r\n\r\n7"
    runtime.send_raw(body + b"GET " + NEXT.encode() + b" HTTP/1.1\r\n\r\n")
    assert (await runtime.got()).status == 202
    await within(place.api.idle())
    place.api.deliver(event("r-2", b"[2]"))
    assert (await runtime.got()).body == b"[2]"


@pytest.mark.parametrize("verb", ["response", "error"])
async def test_answering_twice_is_refused_and_never_reaches_the_next_event(place: Place, verb: str):
    runtime = await place.running("r-1")
    await runtime.call("POST", path("r-1"), b"1")
    got = await runtime.call("POST", path("r-1", verb), b"2")
    assert got.error == (403, "InvalidStateTransition")
    runtime.send("GET", NEXT)
    await within(place.api.idle())
    place.api.deliver(event("r-2"))
    assert (await runtime.got()).status == 200
    got = await runtime.call("POST", path("r-1", verb), b"3")
    assert got.error == (400, "InvalidRequestID")
    await runtime.call("POST", path("r-2"), b"4")
    assert (await within(place.api.answered())).payload == b"4"


async def test_a_late_answer_names_its_attempt_and_is_refused(place: Place):
    runtime = await place.runtime()
    runtime.send("GET", NEXT)
    await within(place.api.initialised())
    place.api.deliver(event("r-1"))
    first = (await runtime.got()).headers["lambda-runtime-invocation-id"]
    await runtime.call("POST", path("r-1"), b"1", {"Lambda-Runtime-Invocation-Id": first})
    runtime.send("GET", NEXT)
    await within(place.api.idle())
    place.api.deliver(event("r-1"))
    second = (await runtime.got()).headers["lambda-runtime-invocation-id"]
    assert first != second
    late = await runtime.call("POST", path("r-1"), b"late", {"Lambda-Runtime-Invocation-Id": first})
    assert late.error == (400, "InvalidInvocationId")
    await runtime.call("POST", path("r-1"), b"2", {"Lambda-Runtime-Invocation-Id": second})
    assert (await within(place.api.answered())).payload == b"2"


@pytest.mark.parametrize(
    ("method", "target", "expected"),
    [
        ("GET", "/nothing", (404, "NotFound")),
        ("GET", RUNTIME + "invocation/", (404, "NotFound")),
        ("POST", path("r-1", "other"), (404, "NotFound")),
        ("GET", "/2020-01-01/extension/event/next", (404, "NotFound")),
        ("GET", RUNTIME + "restore/next", (404, "NotFound")),
        ("POST", RUNTIME + "restore/error", (404, "NotFound")),
        ("POST", NEXT, (405, "MethodNotAllowed")),
        ("GET", path("r-1"), (405, "MethodNotAllowed")),
        ("POST", path("r-9"), (400, "InvalidRequestID")),
        ("POST", path("r-9", "error"), (400, "InvalidRequestID")),
    ],
)
async def test_what_is_not_there_is_said_in_json_and_the_connection_lives_on(
    place: Place, method: str, target: str, expected: tuple[int, str]
):
    runtime = await place.runtime()
    got = await runtime.call(method, target, b"ignored")
    assert got.error == expected
    assert got.headers["content-type"] == "application/json"
    assert (await runtime.call("GET", "/2018-06-01/ping")).body == b"pong"


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


@pytest.mark.parametrize(
    "noise", [b"\x16\x03\x01\x02\x00\x01\r\n\r\n", b"GET / SPDY/3\r\n\r\n", b"x" * 1_200_000]
)
async def test_what_is_no_http_is_answered_and_closed(place: Place, noise: bytes):
    runtime = await place.runtime()
    runtime.send_raw(noise)
    assert (await runtime.got()).status in (400, 431)
    assert await runtime.is_closed()


async def test_a_client_that_asks_to_close_is_closed_after_its_answer(place: Place):
    runtime = await place.runtime()
    got = await runtime.call("GET", "/ping", headers={"Connection": "close"})
    assert got.body == b"pong"
    assert await runtime.is_closed()


async def test_a_slow_body_blocks_nobody(place: Place):
    runtime = await place.running("r-1")
    slow = await place.runtime()
    slow.send_raw(f"POST {path('r-1')} HTTP/1.1\r\nContent-Length: 9999\r\n\r\n".encode())
    for _ in range(3):
        slow.send_raw(b"x")
        assert (await runtime.call("GET", "/ping")).body == b"pong"
    got = await runtime.call("POST", path("r-1"), b"1")
    assert got.error == (403, "InvalidStateTransition")


async def test_a_refused_body_that_never_ends_is_thrown_away_as_it_comes(place: Place):
    runtime = await place.running("r-1")
    endless = await place.runtime()
    endless.send_raw(f"POST {path('r-9')} HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n".encode())
    assert (await endless.got()).status == 400
    piece = b"100000\r\n" + b"x" * 0x100000 + b"\r\n"
    for _ in range(20):
        endless.send_raw(piece)
        await within(endless.writer.drain())
    assert (await runtime.call("POST", path("r-1"), b"1")).status == 202


async def test_a_thousand_connections_are_cut_to_the_limit_and_it_recovers(place: Place):
    runtime = await place.running("r-1")
    extra = [await place.runtime() for _ in range(1000)]
    for one in extra:
        one.send("GET", "/ping")
    served = 0
    for one in extra:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            served += (await one.got()).body == b"pong"
    assert served == CONNECTION_LIMIT - 1
    for one in extra:
        one.writer.transport.abort()
    assert (await runtime.call("POST", path("r-1"), b"1")).status == 202
    late = await place.runtime()
    assert (await late.call("GET", "/ping")).body == b"pong"


async def test_a_client_that_asks_and_never_reads_is_served_one_event_and_no_more(place: Place):
    payload = b"x" * 6_000_000
    greedy = await place.runtime()
    greedy.writer.transport.pause_reading()
    for _ in range(200):
        greedy.send("GET", NEXT)
    await within(place.api.initialised())
    place.api.deliver(event("r-1", payload))
    polite = await place.runtime()
    assert (await polite.call("GET", NEXT)).body == payload
    # The copy that nobody read was dropped with its connection.
    greedy.writer.transport.resume_reading()
    with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
        await greedy.got()


async def test_a_client_that_sends_ahead_without_reading_is_not_read_without_end(place: Place):
    greedy = await place.runtime()
    greedy.send("GET", NEXT)
    await within(place.api.initialised())
    ping = b"GET /ping HTTP/1.1\r\nX: " + b"y" * 10_000 + b"\r\n\r\n"
    for _ in range(3000):
        greedy.send_raw(ping)
    await asyncio.wait({asyncio.create_task(greedy.writer.drain())}, timeout=0.2)
    assert greedy.writer.transport.get_write_buffer_size() > 0
    place.api.deliver(event("r-1"))
    assert (await greedy.got()).status == 200


async def test_unfinished_heads_share_a_limit(place: Place):
    heads = [await place.runtime() for _ in range(4)]
    for one in heads:
        one.send_raw(b"GET /ping HTTP/1.1\r\nX: " + b"y" * 900_000)
    served = 0
    for one in heads:
        with contextlib.suppress(OSError):
            await within(one.writer.drain())
        if one.writer.is_closing():
            continue
        one.send_raw(b"\r\n\r\n")
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            served += (await one.got()).body == b"pong"
    assert 1 <= served <= 3
    assert (await (await place.runtime()).call("GET", "/ping")).body == b"pong"


async def test_a_head_that_never_ends_is_cut_off_in_time(
    place: Place, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(connection, "HEAD_TIME_LIMIT_S", 0.05)
    idle, slow = await place.runtime(), await place.runtime()
    slow.send_raw(b"GET /ping HTTP/1.1\r\n")
    assert await slow.is_closed()
    assert (await idle.call("GET", "/ping")).body == b"pong"


async def test_reset_drops_every_connection_and_starts_anew(place: Place):
    old = await place.running("r-1")
    place.api.reset()
    assert await old.is_closed()
    fresh = await place.runtime()
    fresh.send("GET", NEXT)
    assert await within(place.api.initialised()) is None
    place.api.deliver(event("r-2", b"[2]"))
    assert (await fresh.got()).body == b"[2]"


async def test_a_reset_in_the_middle_of_a_body_leaves_nothing_behind(place: Place):
    old = await place.running("r-1")
    old.send_raw(f"POST {path('r-1')} HTTP/1.1\r\nContent-Length: 10\r\n\r\nhalf".encode())
    assert (await (await place.runtime()).call("GET", "/ping")).status == 200
    place.api.reset()
    fresh = await place.running("r-2")
    assert (await fresh.call("POST", path("r-2"), b"1")).status == 202
    assert (await within(place.api.answered())).payload == b"1"


async def test_what_the_old_tree_had_connected_but_not_sent_is_refused_after_a_reset(place: Place):
    # Blocking, so that the server has no turn in which to accept before the reset.
    old = socket.create_connection(("127.0.0.1", place.port))
    old.sendall(f"POST {RUNTIME}init/error HTTP/1.1\r\nContent-Length: 2\r\n\r\n{{}}".encode())
    place.api.reset()
    fresh = await place.runtime()
    fresh.send("GET", NEXT)
    assert await within(place.api.initialised()) is None
    old.close()


async def test_cancelling_a_wait_loses_nothing(place: Place):
    waiting = place.api.initialised()
    await asyncio.wait({waiting}, timeout=0.01)
    waiting.cancel()
    runtime = await place.running("r-1")
    waiting = place.api.answered()
    await asyncio.wait({waiting}, timeout=0.01)
    waiting.cancel()
    await runtime.call("POST", path("r-1"), b"1")
    first, second = await within(asyncio.gather(place.api.answered(), place.api.answered()))
    assert first == second == Response(payload=b"1", content_type="")


async def test_the_owner_may_not_deliver_while_an_event_is_out(place: Place):
    await place.running("r-1")
    with pytest.raises(DeliveryError, match=re.escape("r-2 cannot be delivered in state Running")):
        place.api.deliver(event("r-2"))


async def test_close_ends_connections_and_leaves_the_listener_to_its_owner(place: Place):
    runtime = await place.running("r-1")
    await place.api.close()
    await place.api.close()
    assert await runtime.is_closed()
