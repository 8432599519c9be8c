"""What a hostile sandbox tries: noise, floods, and never reading or ending."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from sandbox.runtimeapi import connection
from sandbox.runtimeapi.server import CONNECTION_LIMIT
from tests.integration.runtimeapi.playing import NEXT, Place, event, path, within


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
