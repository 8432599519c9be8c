"""Where the connections of a runtime come in: at a socket of its own, or at one of a worker's.

A worker is a process that holds many runtimes' places, with a connection for each. It does not say
for which: all places are alike, so a connection belongs to the first place that lacks one, and
waits while none does. One connection is no place's. By that the worker asks whether it should open
one more; it is answered once for every place that there is (emberd's own call seat/next). As a
worker opens one unasked, there is one in hand for the next place.
"""

from __future__ import annotations

import asyncio
import socket
from collections import deque
from collections.abc import Callable
from typing import Protocol, cast

from sandbox.runtimeapi.connection import AHEAD_LIMIT_BYTES, Connection

CONNECTION_LIMIT = 64
"""Connections that one sandbox may hold; more are closed as they come."""

ASK_AFTER_S = 0.01
"""Opening the connection for the next place would take the time of this one's first event."""

_SEAT_WANTED = b"GET /2018-06-01/runtime/seat/next "
_ONE_MORE = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"

Connect = Callable[[], Connection]


class Entrance(Protocol):
    """Where connections come in."""

    async def open(self, connect: Connect) -> None:
        """Serve what comes by a new connection of this kind each."""

    def close(self) -> None:
        """Take no more. Idempotent."""

    def refuse_waiting(self) -> None:
        """Close what an old process tree has connected and nobody has taken yet."""


class OwnEntrance:
    """A sandbox's own socket; the caller keeps it, close does not close it."""

    def __init__(self, listener: socket.socket) -> None:
        self._listener = listener
        self._server: asyncio.Server | None = None

    async def open(self, connect: Callable[[], asyncio.Protocol]) -> None:
        """Begin to accept connections."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            connect, sock=self._listener.dup(), backlog=CONNECTION_LIMIT
        )

    def close(self) -> None:
        """Stop."""
        if self._server is not None:
            self._server.close()
            self._server = None

    def refuse_waiting(self) -> None:
        """Close what was connected and is not accepted yet."""
        for _ in range(CONNECTION_LIMIT * 2):
            try:
                connection, _address = self._listener.accept()
            except OSError:
                return
            connection.close()


class SharedEntrance:
    """A worker's socket, whose connections its places share."""

    def __init__(self, listener: socket.socket) -> None:
        self._own = OwnEntrance(listener)
        self._places: deque[Place] = deque()
        """Those that lack a connection, the one that waits longest first."""
        self._here: set[_Arrival] = set()
        """Connections that no place has taken, what they are for said or not."""
        self._arrivals: deque[_Arrival] = deque()
        """Those of them that make a runtime's calls."""
        self._asking: _Arrival | None = None
        """The one by which the worker waits to hear that it should open one more."""
        self._to_ask_for = 0
        """Connections that it was not told to open yet."""
        self._asking_soon: asyncio.TimerHandle | None = None
        """Until then a worker is left alone with the event of the place that has just come."""
        self._closed = False

    async def open(self) -> None:
        """Begin to accept connections."""
        await self._own.open(lambda: _Arrival(self))

    def close(self) -> None:
        """Stop, and drop what waits. Idempotent."""
        self._closed = True
        self._own.close()
        self._drop()

    def refuse_waiting(self) -> None:
        """Drop what an old process tree has connected."""
        self._drop()
        self._own.refuse_waiting()

    def want(self, place: Place) -> None:
        """A place lacks a connection."""
        self._to_ask_for += 1
        if self._arrivals:
            place.take(self._arrivals.popleft())
            if self._asking_soon is None:
                loop = asyncio.get_running_loop()
                self._asking_soon = loop.call_later(ASK_AFTER_S, self._ask)
        else:
            self._places.append(place)
            self._ask()

    def leave(self, place: Place) -> None:
        """A place is given up. Idempotent."""
        if place in self._places:
            self._places.remove(place)

    def came(self, arrival: _Arrival) -> None:
        """For an arrival: it is there, and has said nothing yet."""
        if self._closed or len(self._here) >= CONNECTION_LIMIT:
            arrival.abort()
        else:
            self._here.add(arrival)

    def arrived(self, arrival: _Arrival) -> None:
        """For an arrival: it makes a runtime's calls."""
        if self._places:
            self._places.popleft().take(arrival)
        else:
            self._arrivals.append(arrival)

    def asks(self, arrival: _Arrival) -> None:
        """For an arrival: the worker waits to hear that it should open one more."""
        if self._asking not in (None, arrival):
            arrival.abort()
            return
        self._asking = arrival
        self._ask()

    def gone(self, arrival: _Arrival) -> None:
        """For an arrival: a place has it, or it is lost."""
        self._here.discard(arrival)
        if arrival is self._asking:
            self._asking = None
        if arrival in self._arrivals:
            self._arrivals.remove(arrival)

    def _ask(self) -> None:
        self._ask_no_later()
        if self._to_ask_for and self._asking is not None and self._asking.answer():
            self._to_ask_for -= 1

    def _ask_no_later(self) -> None:
        if self._asking_soon is not None:
            self._asking_soon.cancel()
            self._asking_soon = None

    def _drop(self) -> None:
        self._ask_no_later()
        self._to_ask_for = 0
        self._asking = None
        self._arrivals.clear()
        while self._here:
            self._here.pop().abort()


class Place:
    """One runtime's entrance to a worker: it gets one connection at a time."""

    def __init__(self, shared: SharedEntrance) -> None:
        self._shared = shared
        self._connect: Connect | None = None

    async def open(self, connect: Connect) -> None:
        """Take the first connection that is there or comes."""
        self._connect = connect
        self._shared.want(self)

    def close(self) -> None:
        """Take none."""
        self._connect = None
        self._shared.leave(self)

    def refuse_waiting(self) -> None:
        """The worker begins anew, and so does this, which must be its only place."""
        self._shared.leave(self)
        self._shared.refuse_waiting()
        self._shared.want(self)

    def take(self, arrival: _Arrival) -> None:
        """For the shared entrance: this one is yours."""
        if self._connect is None:
            arrival.abort()
        else:
            arrival.become(self._connect())


class _Arrival(asyncio.Protocol):
    """A connection that has no place yet. It keeps what is said meanwhile, within limits."""

    def __init__(self, shared: SharedEntrance) -> None:
        self._shared = shared
        self._transport: asyncio.Transport | None = None
        self._said = bytearray()
        self._is_runtime = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It is there; what it is for is in its first request."""
        self._transport = cast(asyncio.Transport, transport)  # uvloop's lacks the base class
        self._shared.came(self)

    def data_received(self, data: bytes) -> None:
        """Keep a request until somebody reads it."""
        self._said += data
        if len(self._said) > AHEAD_LIMIT_BYTES:
            self.abort()
        elif self._is_runtime or len(self._said) < len(_SEAT_WANTED):
            return
        elif not self._said.startswith(_SEAT_WANTED):
            self._is_runtime = True
            self._shared.arrived(self)
        elif self._said.endswith(b"\r\n\r\n"):
            self._shared.asks(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """It waits for nothing any more."""
        self._transport = None
        self._shared.gone(self)

    def become(self, connection: Connection) -> None:
        """Belong to a place from now on."""
        transport = self._transport
        assert transport is not None, "one that is lost waits for no place"
        self._shared.gone(self)
        transport.set_protocol(connection)
        connection.connection_made(transport)
        connection.data_received(bytes(self._said))

    def answer(self) -> bool:
        """Tell the worker to open one more, if it waits for that."""
        if not self._said or self._transport is None:
            return False
        self._said.clear()
        self._transport.write(_ONE_MORE)
        return True

    def abort(self) -> None:
        """End it."""
        if self._transport is not None:
            self._transport.abort()
