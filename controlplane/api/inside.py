"""The HTTP port's application for those inside: connections that come through a host's tunnel.

They never touch the network: each is one end of a socket pair in this process. So the application
knows who is at the other end without asking, and nobody outside can pass for a function.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web
from aiohttp.web_protocol import RequestHandler

from controlplane.fleet.tunnels import Connection, TunnelPeer
from emberd.wire.errors import UnavailableError

READ_AHEAD_BYTES = 64 * 1024


class InsideDoor:
    """Connects tunnels to the application, and tells it which of its requests came through one."""

    def __init__(self) -> None:
        self._server: web.Server | None = None
        self._peers: dict[RequestHandler, TunnelPeer] = {}

    def lead_to(self, server: web.Server) -> None:
        """From now on connections lead to this application's server."""
        self._server = server

    def peer_of(self, request: web.BaseRequest) -> TunnelPeer | None:
        """Who sent a request through a tunnel; None for one from the HTTP port."""
        return self._peers.get(request.protocol)

    def function_of(self, request: web.BaseRequest) -> str:
        """The ARN of the function that sent a request; empty for one from the HTTP port."""
        peer = self.peer_of(request)
        return "" if peer is None else peer.function_arn

    @asynccontextmanager
    async def connect(self, peer: TunnelPeer) -> AsyncIterator[Connection]:
        """A connection to the application in this peer's name; leaving breaks it.

        Raises:
            UnavailableError: there is no application yet.
        """
        if self._server is None:
            raise UnavailableError("the HTTP application does not serve yet", reason="SERVICE")
        loop = asyncio.get_running_loop()
        handler = self._server()
        ours, theirs = socket.socketpair()
        for end in (ours, theirs):
            end.settimeout(0)
        self._peers[handler] = peer
        try:
            await loop.connect_accepted_socket(lambda: handler, theirs)
            reader, writer = await asyncio.open_connection(sock=ours, limit=READ_AHEAD_BYTES)
            try:
                yield reader, writer
            finally:
                writer.close()
        finally:
            del self._peers[handler]
