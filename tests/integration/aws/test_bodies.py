"""Bodies are read whole or not at all, and never more of them than the process can hold."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import web

from controlplane.api.aws import bodies
from controlplane.api.aws.bodies import SMALL_BODY_BYTES, Bodies
from emberd.wire.errors import EmberdError, InvalidArgumentError

LARGE = SMALL_BODY_BYTES + 1
LIMIT = 10 * LARGE


class Reader:
    """A server that reads bodies and holds them until it is told to let go."""

    def __init__(self, limit_bytes=2 * LARGE):
        self.bodies = Bodies(limit_bytes, lambda request: request.headers.get("X-Function", ""))
        self.held = asyncio.Semaphore(0)
        self.let_go = asyncio.Event()

    async def handle(self, request):
        def too_large():
            return InvalidArgumentError("too large", reason="REQUEST_TOO_LARGE")

        try:
            async with self.bodies.hold(request, LIMIT, too_large) as body:
                self.held.release()
                await self.let_go.wait()
                return web.Response(text=str(len(body)))
        except EmberdError as error:
            return web.Response(text=error.reason, status=400)

    @asynccontextmanager
    async def serve(self):
        runner = web.ServerRunner(web.Server(self.handle, lingering_time=0))
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        try:
            async with aiohttp.ClientSession(
                f"http://127.0.0.1:{runner.addresses[0][1]}",
                timeout=aiohttp.ClientTimeout(total=30),
            ) as client:
                yield client
        finally:
            await runner.cleanup()


async def post(client, body, function=""):
    headers = {"X-Function": function} if function else {}
    async with client.post("/", data=body, headers=headers) as answer:
        return await answer.text()


async def in_pieces(size):
    for _ in range(size // 1000):
        yield bytes(1000)


@pytest.mark.parametrize("size", [0, 1, SMALL_BODY_BYTES, LARGE])
async def test_a_body_is_read_whole(size):
    reader = Reader()
    reader.let_go.set()
    async with reader.serve() as client:
        assert await post(client, bytes(size)) == str(size)


async def test_a_body_of_unknown_length_is_read_to_its_end_or_its_limit():
    reader = Reader(limit_bytes=LIMIT)
    reader.let_go.set()
    async with reader.serve() as client:
        assert await post(client, in_pieces(100_000)) == "100000"
        assert await post(client, in_pieces(LIMIT + 2000)) == "REQUEST_TOO_LARGE"
        assert await post(client, in_pieces(100_000)) == "100000"


async def test_what_is_held_counts_until_it_is_let_go():
    reader = Reader()
    async with reader.serve() as client, asyncio.TaskGroup() as group:
        holding = [group.create_task(post(client, bytes(LARGE))) for _ in range(2)]
        for _ in holding:
            await reader.held.acquire()
        assert await post(client, bytes(LARGE)) == "TOO_MANY_REQUESTS"
        small = group.create_task(post(client, b"small"))
        await reader.held.acquire()
        reader.let_go.set()
        assert await small == "5"
        assert [await each for each in holding] == [str(LARGE)] * 2
        assert await post(client, bytes(LARGE)) == str(LARGE)


async def test_what_a_function_holds_is_missing_to_nobody_else(monkeypatch):
    monkeypatch.setattr(bodies, "FUNCTION_BYTES", LARGE)
    reader = Reader(limit_bytes=LARGE)
    async with reader.serve() as client, asyncio.TaskGroup() as group:
        flood = group.create_task(post(client, bytes(LARGE), "flood"))
        await reader.held.acquire()
        assert await post(client, bytes(LARGE), "flood") == "TOO_MANY_REQUESTS"
        others = [group.create_task(post(client, bytes(LARGE), who)) for who in ("calm", "")]
        for _ in others:
            await reader.held.acquire()
        reader.let_go.set()
        assert [await each for each in (flood, *others)] == [str(LARGE)] * 3
        assert await post(client, bytes(LARGE), "flood") == str(LARGE)


async def test_functions_together_hold_no_more_than_their_part(monkeypatch):
    monkeypatch.setattr(bodies, "INSIDE_BYTES", LARGE)
    reader = Reader(limit_bytes=LARGE)
    async with reader.serve() as client, asyncio.TaskGroup() as group:
        one = group.create_task(post(client, bytes(LARGE), "one"))
        await reader.held.acquire()
        assert await post(client, bytes(LARGE), "two") == "TOO_MANY_REQUESTS"
        outside = group.create_task(post(client, bytes(LARGE)))
        await reader.held.acquire()
        reader.let_go.set()
        assert [await one, await outside] == [str(LARGE)] * 2


async def test_a_body_that_takes_too_long_as_a_whole_is_given_up(monkeypatch):
    monkeypatch.setattr(bodies, "WHOLE_S", 0.05)

    async def for_ever():
        yield b"x"
        await asyncio.get_running_loop().create_future()

    async with Reader(limit_bytes=LIMIT).serve() as client:
        assert await post(client, for_ever()) == "SERIALIZATION"
