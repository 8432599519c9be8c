"""The control plane listens before all of it is read: whoever comes early waits and is served."""

from __future__ import annotations

import asyncio
import socket
from contextlib import closing

import grpc
import pytest
from google.protobuf.message import Message

from controlplane.api.grpc.operations import Carrier, OperationService
from controlplane.late import Late
from controlplane.listening import listen
from emberd.operations.v1 import operations_pb2 as pb
from emberd.operations.v1 import operations_pb2_grpc
from emberd.wire.errors import ConflictError


class Answering:
    """Fills in one field, so that an answer shows that it came from here."""

    async def carry_out(self, name: str, message: Message, response: Message) -> None:
        assert isinstance(response, pb.GetAccountSettingsResponse)
        response.account_usage.function_count = 7


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"to " + await reader.readexactly(5))
    await writer.drain()
    writer.close()
    await writer.wait_closed()


async def test_who_connects_before_the_application_serves_is_answered_when_it_does() -> None:
    with closing(await listen("127.0.0.1:0")) as listeners:
        host, _, port = listeners.address.rpartition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"early")
        await writer.drain()
        server = await asyncio.start_server(_answer, sock=listeners.sockets[0])
        async with server:
            async with asyncio.timeout(10):
                assert await reader.read() == b"to early"
        writer.close()
        await writer.wait_closed()


async def test_every_address_of_a_name_gets_the_same_port() -> None:
    with closing(await listen("localhost:0")) as listeners:
        ports = {each.getsockname()[1] for each in listeners.sockets}
        assert listeners.address == f"localhost:{ports.pop()}"
        assert not ports


async def test_an_address_that_is_taken_is_refused_with_advice() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        address = f"127.0.0.1:{other.getsockname()[1]}"
        with pytest.raises(ConflictError, match=f"cannot listen on {address} .*--http"):
            await listen(address)


async def test_an_operation_that_is_asked_for_early_waits_for_what_carries_it_out() -> None:
    carrier: Late[Carrier] = Late()
    asked = asyncio.Event()

    async def wait() -> Carrier:
        asked.set()
        return await carrier.wait()

    server = grpc.aio.server()
    server.add_generic_rpc_handlers((OperationService(wait).handler(),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            stub = operations_pb2_grpc.OperationServiceStub(channel)
            early = asyncio.ensure_future(
                stub.GetAccountSettings(pb.GetAccountSettingsRequest(), timeout=10)
            )
            await asked.wait()
            assert not early.done()
            carrier.come(Answering())
            assert (await early).account_usage.function_count == 7
    finally:
        await server.stop(None)
