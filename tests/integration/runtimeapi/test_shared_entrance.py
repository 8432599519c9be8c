"""Connections to a worker before any of its places has them."""

from __future__ import annotations

import asyncio
import socket

from sandbox.runtimeapi.entrance import CONNECTION_LIMIT, SharedEntrance


async def test_connections_that_say_nothing_are_bounded_and_end_with_the_entrance() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        entrance = SharedEntrance(listener)
        await entrance.open()
        readers = []
        for _ in range(CONNECTION_LIMIT + 3):
            reader, writer = await asyncio.open_connection(*listener.getsockname())
            readers.append((reader, writer))
        ends = {asyncio.create_task(_end_of(reader)) for reader, _ in readers}
        async with asyncio.timeout(5):
            while sum(each.done() for each in ends) < 3:
                _, _ = await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED, timeout=0.01)
        assert sum(each.done() for each in ends) == 3
        entrance.close()
        async with asyncio.timeout(5):
            assert await asyncio.gather(*ends) == [b""] * len(readers)
        for _, writer in readers:
            writer.close()


async def _end_of(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.read()
    except ConnectionResetError:
        return b""
