"""Where hosts of this machine bring the frames of their streams, once gRPC has let them in.

A host that attaches over the Unix socket is offered a link: a second socket, and a ticket for it
that nobody else has, good for once and for as long as its stream waits. So whoever has no token
gets no further than to this door, and who left a stream has no link either.
"""

from __future__ import annotations

import asyncio
import hmac
import os
import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from emberd.fleet.v1 import fleet_pb2 as pb
from emberd.wire.errors import UnavailableError
from emberd.wire.link import TICKET_BYTES, FrameLink

JOIN_WITHIN_S = 5.0
"""A stream whose host has said that it takes a link waits this long for it."""
STRANGERS_MAX = 64
"""Connections that have shown no ticket yet; more are closed at once."""

Link = FrameLink[pb.ControlFrame]


def link_socket_of(fleet_socket: Path) -> Path:
    """The socket of links beside the one for gRPC: as short, since such paths must be."""
    return fleet_socket.with_suffix(".link")


@dataclass(eq=False, slots=True)
class Offer:
    """A place that is kept for one host."""

    address: str
    ticket: bytes
    link: Link
    joined: asyncio.Future[None]

    async def taken(self) -> None:
        """Wait for the host.

        Raises:
            UnavailableError: it did not come.
        """
        try:
            async with asyncio.timeout(JOIN_WITHIN_S):
                await self.joined
        except TimeoutError:
            raise UnavailableError(
                f"the host did not open its link within {JOIN_WITHIN_S:.0f} s",
                reason="STREAM_CLOSED",
            ) from None


class Links:
    """The door: offers, and whoever knocks."""

    def __init__(self) -> None:
        self._address = ""
        self._offers: set[Offer] = set()
        self.strangers: set[_Stranger] = set()

    @asynccontextmanager
    async def serving(self, path: Path) -> AsyncIterator[Links]:
        """Listen on this Unix socket. What has joined is not ended with it."""
        path.unlink(missing_ok=True)
        loop = asyncio.get_running_loop()
        server = await loop.create_unix_server(lambda: _Stranger(self), str(path))
        # Agents run under another uid; what protects this door is the ticket.
        os.chmod(path, 0o666)
        self._address = f"unix:{path}"
        try:
            yield self
        finally:
            self._address = ""
            server.close()
            for each in list(self.strangers):
                each.turn_away()
            path.unlink(missing_ok=True)

    def is_for(self, peer: str) -> bool:
        """Whether a peer, as gRPC names it, can come to this door."""
        return bool(self._address) and peer.startswith("unix:")

    @contextmanager
    def offer(self, link: Link) -> Iterator[Offer]:
        """Keep a place for a host; given up on leaving, whether or not it was taken."""
        joined = asyncio.get_running_loop().create_future()
        ticket = secrets.token_bytes(TICKET_BYTES)
        offer = Offer(address=self._address, ticket=ticket, link=link, joined=joined)
        self._offers.add(offer)
        try:
            yield offer
        finally:
            self._offers.discard(offer)
            joined.cancel()

    def redeem(self, ticket: bytes) -> Offer | None:
        """The offer that a ticket is for, which is gone after that."""
        for offer in self._offers:
            if hmac.compare_digest(offer.ticket, ticket):
                self._offers.discard(offer)
                return offer
        return None


class _Stranger(asyncio.Protocol):
    """A connection that has shown no ticket yet."""

    def __init__(self, links: Links) -> None:
        self._links = links
        self._held = b""
        self._transport: asyncio.Transport | None = None
        self._patience: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Wait for a ticket, but not for long and not with many others."""
        self._transport = transport = cast(asyncio.Transport, transport)
        if len(self._links.strangers) >= STRANGERS_MAX:
            transport.abort()
            return
        self._links.strangers.add(self)
        loop = asyncio.get_running_loop()
        self._patience = loop.call_later(JOIN_WITHIN_S, self.turn_away)

    def data_received(self, data: bytes) -> None:
        """Take the ticket; what follows it is the link's already."""
        self._held += data
        if len(self._held) < TICKET_BYTES:
            return
        ticket, rest = self._held[:TICKET_BYTES], self._held[TICKET_BYTES:]
        offer = self._links.redeem(ticket)
        if offer is None or offer.joined.done() or self._transport is None:
            self.turn_away()
            return
        self._leave()
        self._transport.set_protocol(offer.link)
        offer.link.connection_made(self._transport)
        offer.joined.set_result(None)
        if rest:
            offer.link.data_received(rest)

    def connection_lost(self, exc: Exception | None) -> None:
        """It has given up."""
        self._leave()

    def turn_away(self) -> None:
        """Close it."""
        self._leave()
        if self._transport is not None:
            self._transport.abort()

    def _leave(self) -> None:
        self._links.strangers.discard(self)
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None
