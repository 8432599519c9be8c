"""Connections that functions open to emberd's own API: from a host to the HTTP application.

Nothing is parsed here. Each direction moves at the pace of its slower end; gRPC's flow control and
the connection's own buffers are all that stands between a function and the application.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

from emberd.fleet.v1 import fleet_pb2 as pb
from emberd.wire.errors import CapacityError, InvalidArgumentError

TUNNELS_MAX = 8_192
"""Of all hosts together; what comes beyond is refused."""
CHUNK_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class TunnelPeer:
    """Who is at the other end, as the host says."""

    sandbox_id: str
    function_arn: str
    """Unqualified."""


Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Connect = Callable[[TunnelPeer], AbstractAsyncContextManager[Connection]]
"""Connects to the HTTP application in the name of this peer, for as long as it is entered."""


class Tunnels:
    """Carries them all."""

    def __init__(self, connect: Connect) -> None:
        self._connect = connect
        self._open = 0

    async def carry(
        self, incoming: AsyncIterator[pb.HostTunnelMessage]
    ) -> AsyncIterator[pb.ControlTunnelMessage]:
        """Carry one connection to its end, yielding what the application answers.

        Raises:
            InvalidArgumentError: the first message says not whose it is.
            CapacityError: there are too many.
        """
        first = await anext(aiter(incoming), None)
        if first is None or not first.HasField("opening"):
            raise InvalidArgumentError(
                "a tunnel begins with its opening", reason="TUNNEL_OPENING_EXPECTED"
            )
        if self._open >= TUNNELS_MAX:
            raise CapacityError(
                f"{TUNNELS_MAX} tunnels are open: close some and try again",
                reason="TOO_MANY_REQUESTS",
            )
        opening = first.opening
        peer = TunnelPeer(sandbox_id=opening.sandbox_id, function_arn=opening.function_arn)
        self._open += 1
        try:
            async with self._connect(peer) as (reader, writer):
                up = asyncio.create_task(_send_up(first, incoming, writer))
                try:
                    while chunk := await reader.read(CHUNK_BYTES):
                        yield pb.ControlTunnelMessage(chunk=chunk)
                finally:
                    up.cancel()
        finally:
            self._open -= 1


async def _send_up(
    first: pb.HostTunnelMessage,
    incoming: AsyncIterator[pb.HostTunnelMessage],
    writer: asyncio.StreamWriter,
) -> None:
    try:
        writer.write(first.chunk)
        await writer.drain()
        async for message in incoming:
            writer.write(message.chunk)
            await writer.drain()
        writer.write_eof()
    except OSError:
        # The application has closed it, which the reading side notices too.
        return
