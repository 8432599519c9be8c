"""What a function connects to emberd's own API, from its listener to the application and back.

Doors, session, gRPC and fleet service are real; a loopback socket stands for the one in a sandbox.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp
import grpc
import pytest
from aiohttp import web

from controlplane.api.inside import InsideDoor
from controlplane.fleet.tunnels import Connect, Connection, TunnelPeer
from sandbox import tunnels
from sandbox.logs import LogQueue
from sandbox.session import Session
from sandbox.tracing.queue import SpanQueue
from sandbox.tunnels import CallbackDoors
from tests.integration.fleet.playing import MIB, TOKEN, control_plane, until

ARN = "arn:aws:lambda:us-east-1:000000000000:function:hello"

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass(eq=False)
class Way:
    """Everything between a function and the application."""

    doors: CallbackDoors
    server: grpc.aio.Server
    listeners: list[socket.socket] = field(default_factory=list)

    def sandbox(self, sandbox_id: str = "sb-1") -> tuple[tunnels.CallbackDoor, tuple[str, int]]:
        """A sandbox's door, and where its function finds it."""
        listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        listener.settimeout(0)
        self.listeners.append(listener)
        return self.doors.open(listener, sandbox_id, ARN), listener.getsockname()


@asynccontextmanager
async def way_to(connect: Connect) -> AsyncIterator[Way]:
    async with control_plane(connect=connect) as fleet:
        session = Session(fleet.address, TOKEN, LogQueue(), SpanQueue())
        way = Way(CallbackDoors(session.open_tunnel), fleet.server)
        try:
            yield way
        finally:
            for door in list(way.doors.all):
                await door.close()
            for listener in way.listeners:
                listener.close()
            await session.close()


@asynccontextmanager
async def application(
    handle: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]], inside: InsideDoor
) -> AsyncIterator[None]:
    server = web.Server(handle, access_log=None)
    inside.lead_to(server)
    yield
    await server.shutdown(1)


def raw(serve: Serve) -> Connect:
    """Connects to this instead of an HTTP application."""

    @asynccontextmanager
    async def connect(_peer: TunnelPeer) -> AsyncIterator[Connection]:
        ours, theirs = socket.socketpair()
        reader, writer = await asyncio.open_connection(sock=theirs)
        task = asyncio.ensure_future(serve(reader, writer))
        ends = await asyncio.open_connection(sock=ours)
        try:
            yield ends
        finally:
            ends[1].close()
            task.cancel()
            await asyncio.wait({task})
            writer.close()

    return connect


async def send_back(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Reads to the end, and only then sends everything back and ends."""
    everything = await reader.read()
    writer.write(everything)
    await writer.drain()
    writer.close()


async def never_end(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(b"x" * 65536)
        await writer.drain()


async def never_answer(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    while await reader.read(65536):
        pass
    await asyncio.get_running_loop().create_future()


async def stands_still(count: Callable[[], int]) -> None:
    """Wait until this has begun to grow and does not any more."""
    before = -1
    while before != count() or not count():
        before = count()
        await asyncio.sleep(0.1)


async def test_a_functions_request_reaches_the_application_which_knows_whose_it_is() -> None:
    inside = InsideDoor()
    seen: list[TunnelPeer | None] = []

    async def handle(request: web.BaseRequest) -> web.Response:
        seen.append(inside.peer_of(request))
        return web.Response(text=f"{request.method} {request.path} {await request.text()}")

    async with application(handle, inside), way_to(inside.connect) as way:
        _, (host, port) = way.sandbox()
        async with aiohttp.ClientSession(f"http://{host}:{port}") as http:
            for body in ("one", "two"):
                async with http.post("/path", data=body) as answer:
                    assert await answer.text() == f"POST /path {body}"
    assert seen == [TunnelPeer(sandbox_id="sb-1", function_arn=ARN)] * 2


async def test_a_request_that_did_not_come_through_a_tunnel_has_no_peer() -> None:
    inside = InsideDoor()

    async def handle(request: web.BaseRequest) -> web.Response:
        return web.Response(text=str(inside.peer_of(request)))

    async with application(handle, inside):
        runner = web.ServerRunner(web.Server(handle, access_log=None))
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0]
        async with aiohttp.ClientSession() as http, http.get(f"http://{host}:{port}/") as answer:
            assert await answer.text() == "None"
        await runner.cleanup()


@pytest.mark.parametrize("size", [1, 65_536, 10 * MIB])
async def test_both_ways_everything_arrives_and_an_end_of_sending_is_only_half_a_close(
    size: int,
) -> None:
    sent = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    async with way_to(raw(send_back)) as way:
        _, address = way.sandbox()
        reader, writer = await asyncio.open_connection(*address)
        writer.write(sent)
        writer.write_eof()
        assert await reader.read() == sent
        writer.close()


async def test_a_flood_of_connections_takes_its_own_places_and_no_others() -> None:
    open_now: set[int] = set()

    async def count(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        open_now.add(id(writer))
        if await reader.read(1) == b"?":
            writer.write(b"!")
            writer.close()
            return
        await asyncio.get_running_loop().create_future()

    async with way_to(raw(count)) as way:
        _, flooded = way.sandbox("sb-flood")
        _, calm = way.sandbox("sb-calm")
        flood = [socket.socket() for _ in range(1_000)]
        for each in flood:
            each.setblocking(False)
            each.connect_ex(flooded)
        # What is connected says something; what waits in the queue cannot yet.
        for each in flood:
            try:
                each.send(b"x")
            except OSError:
                continue
        await until(lambda: len(open_now) == tunnels.CONNECTIONS_PER_SANDBOX)
        reader, writer = await asyncio.open_connection(*calm)
        writer.write(b"?")
        assert await reader.read() == b"!"
        writer.close()
        assert len(open_now) == tunnels.CONNECTIONS_PER_SANDBOX + 1
        for each in flood:
            each.close()


async def test_places_become_free_as_connections_end() -> None:
    async with way_to(raw(send_back)) as way:
        door, address = way.sandbox()
        for _ in range(3 * tunnels.CONNECTIONS_PER_SANDBOX):
            reader, writer = await asyncio.open_connection(*address)
            writer.write(b"again")
            writer.write_eof()
            assert await reader.read() == b"again"
            writer.close()
        await until(lambda: door.held == 0)


async def test_a_connection_that_says_nothing_never_leaves_its_host() -> None:
    called: list[TunnelPeer] = []

    @asynccontextmanager
    async def connect(peer: TunnelPeer) -> AsyncIterator[Connection]:
        called.append(peer)
        async with raw(send_back)(peer) as connection:
            yield connection

    async with way_to(connect) as way:
        door, address = way.sandbox()
        silent = socket.create_connection(address)
        await until(lambda: door.held == 1)
        reader, writer = await asyncio.open_connection(*address)
        writer.write(b"x")
        writer.write_eof()
        assert await reader.read() == b"x"
        writer.close()
        silent.close()
        assert len(called) == 1


async def test_an_answer_that_nobody_reads_is_held_back_at_its_source() -> None:
    sent = 0

    async def pour(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        while True:
            writer.write(b"x" * 65536)
            await writer.drain()
            sent += 65536

    async with way_to(raw(pour)) as way:
        _, address = way.sandbox()
        reader, writer = await asyncio.open_connection(*address, limit=1)
        writer.write(b"?")
        await stands_still(lambda: sent)
        # Kernel buffers of three sockets and gRPC's window; not what an hour would pour.
        assert sent < 24 * MIB
        assert await reader.readexactly(65536)
        writer.close()


async def test_a_body_without_an_end_is_held_back_at_its_source() -> None:
    async def ignore(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await asyncio.get_running_loop().create_future()

    async with way_to(raw(ignore)) as way:
        _, address = way.sandbox()
        _, writer = await asyncio.open_connection(*address)
        sent = 0

        async def send_on() -> None:
            nonlocal sent
            while True:
                writer.write(b"x" * 65536)
                async with asyncio.timeout(0.5):
                    await writer.drain()
                sent += 65536

        with pytest.raises(TimeoutError):
            await send_on()
        assert sent < 24 * MIB
        writer.transport.abort()


async def test_an_answer_that_breaks_off_is_no_end() -> None:
    async with way_to(raw(never_end)) as way:
        _, address = way.sandbox()
        reader, writer = await asyncio.open_connection(*address)
        writer.write(b"?")
        await reader.readexactly(10)
        stopping = asyncio.create_task(way.server.stop(0))
        with pytest.raises(ConnectionResetError):
            await reader.read()
        await stopping
        writer.close()


async def test_closing_a_door_breaks_what_is_open_and_takes_no_more() -> None:
    async with way_to(raw(never_answer)) as way:
        door, address = way.sandbox()
        reader, writer = await asyncio.open_connection(*address)
        writer.write(b"?")
        await until(lambda: door.held == 1)
        await door.close()
        with pytest.raises(ConnectionResetError):
            await reader.read()
        assert door.held == 0
        writer.close()


async def test_a_client_that_breaks_off_ends_its_tunnel() -> None:
    begun, ended = asyncio.Event(), asyncio.Event()

    async def watch(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        begun.set()
        try:
            await never_answer(reader, writer)
        finally:
            ended.set()

    async with way_to(raw(watch)) as way:
        _, address = way.sandbox()
        client = socket.create_connection(address)
        client.send(b"?")
        await begun.wait()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.close()
        async with asyncio.timeout(5):
            await ended.wait()


@pytest.mark.parametrize("limit", ["FIRST_BYTE_S", "IDLE_S"])
async def test_a_connection_on_which_nothing_moves_is_closed(
    limit: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tunnels, limit, 0.05)
    async with way_to(raw(never_answer)) as way:
        door, address = way.sandbox()
        reader, writer = await asyncio.open_connection(*address)
        if limit == "IDLE_S":
            writer.write(b"?")
        with pytest.raises(ConnectionResetError):
            await reader.read()
        await until(lambda: door.held == 0)
        writer.close()


async def test_a_full_host_takes_a_place_from_whoever_holds_most(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tunnels, "CONNECTIONS_PER_HOST", 4)
    async with way_to(raw(never_answer)) as way:
        greedy, address = way.sandbox("sb-greedy")
        calm, calm_address = way.sandbox("sb-calm")
        held = []
        for count in range(4):
            held.append(socket.create_connection(address))
            await until(lambda count=count: greedy.held == count + 1)  # type: ignore[misc]
        refused, _ = await asyncio.open_connection(*address)
        with pytest.raises(ConnectionResetError):
            await refused.read()
        mine = socket.create_connection(calm_address)
        await until(lambda: (greedy.held, calm.held) == (3, 1))
        for each in (*held, mine):
            each.close()


async def test_what_a_sandbox_sends_too_often_waits_and_nobody_else_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tunnels, "BURST_CHUNKS", 3)
    monkeypatch.setattr(tunnels, "CHUNKS_PER_S", 1)

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(1):
            writer.write(data)

    async with way_to(raw(echo)) as way:
        _, busy = way.sandbox("sb-busy")
        _, calm = way.sandbox("sb-calm")
        reader, writer = await asyncio.open_connection(*busy)
        for _ in range(3):
            writer.write(b"x")
            assert await reader.readexactly(1) == b"x"
        writer.write(b"y")
        other_reader, other_writer = await asyncio.open_connection(*calm)
        other_writer.write(b"z")
        assert await other_reader.readexactly(1) == b"z"
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await reader.readexactly(1)
        for each in (writer, other_writer):
            each.close()
