"""A tunnel as one RPC on the host's channel."""

from __future__ import annotations

import asyncio

import grpc

from emberd.fleet.v1 import fleet_pb2 as pb
from sandbox.tunnels import TunnelBrokenError

_BROKEN = (grpc.aio.AioRpcError, asyncio.InvalidStateError)


class RpcTunnel:
    """One call of FleetService.Tunnel; sandbox.tunnels says what its methods promise."""

    def __init__(self, call: grpc.aio.StreamStreamCall, opening: pb.TunnelOpening) -> None:
        self._call = call
        self._opening: pb.TunnelOpening | None = opening

    async def send(self, chunk: bytes) -> None:
        """Carry this on."""
        message = pb.HostTunnelMessage(opening=self._opening, chunk=chunk)
        self._opening = None
        try:
            await self._call.write(message)
        except _BROKEN as error:
            raise TunnelBrokenError from error

    async def finish(self) -> None:
        """The function will send no more."""
        try:
            await self._call.done_writing()
        except _BROKEN as error:
            raise TunnelBrokenError from error

    async def receive(self) -> bytes:
        """What comes next; empty at the end."""
        try:
            message = await self._call.read()
        except _BROKEN as error:
            raise TunnelBrokenError from error
        return b"" if message is grpc.aio.EOF else message.chunk

    def cancel(self) -> None:
        """Nobody wants it any more. Idempotent."""
        self._call.cancel()
