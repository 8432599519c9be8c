"""How a function calls emberd itself: a connection to 169.254.100.1:9002 becomes a tunnel.

Nothing is parsed here. Bytes go to the control plane and back as they come, at the pace of the
slower end, so a connection holds two chunks at most. What a sandbox connects beyond its places
waits in the queue of its own kernel socket, and a connection reaches the control plane with its
first byte: a flood costs nobody but the sandbox that makes it.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import struct
from collections.abc import Callable, Collection
from typing import Protocol

from sandbox.pace import Pace

logger = logging.getLogger(__name__)

CONNECTIONS_PER_SANDBOX = 32
CONNECTIONS_PER_HOST = 1_024

CHUNK_BYTES = 64 * 1024
BURST_CHUNKS = 500
CHUNKS_PER_S = 200
"""What one sandbox may send: pieces of any size, so about as many small requests, or 13 MB. More
waits in its own sockets, for every piece costs the control plane time that others need."""
FIRST_BYTE_S = 60.0
"""A connection that says nothing for so long is closed."""
IDLE_S = 960.0
"""So is one on which nothing moves; longer than any invocation that somebody may wait for."""
LINGER_S = 2.0
"""How long the client may go on sending after the answer has ended before it is cut off."""

ACCEPT_AGAIN_S = 0.2
"""The pause after an accept that failed, for example for want of descriptors."""

_BREAK = struct.pack("ii", 1, 0)
_END = struct.pack("ii", 0, 0)
"""SO_LINGER: what a close means. A broken one tells the client that half an answer is not all."""


class TunnelBrokenError(Exception):
    """The way to the control plane broke."""


class Tunnel(Protocol):
    """One connection to the control plane's HTTP application."""

    async def send(self, chunk: bytes) -> None:
        """Carry this on; returns when more may follow.

        Raises:
            TunnelBrokenError: it is gone.
        """

    async def finish(self) -> None:
        """The function will send no more."""

    async def receive(self) -> bytes:
        """What comes next; empty at the end.

        Raises:
            TunnelBrokenError: it ended before its end.
        """

    def cancel(self) -> None:
        """Nobody wants it any more. Idempotent."""


OpenTunnel = Callable[[str, str], Tunnel]
"""Begins a tunnel for a sandbox id and the ARN of its function."""


class CallbackDoors:
    """The doors of all sandboxes of one host, and what they may hold together."""

    def __init__(self, open_tunnel: OpenTunnel) -> None:
        self._open_tunnel = open_tunnel
        self._doors: dict[CallbackDoor, None] = {}

    def open(self, listener: socket.socket, sandbox_id: str, function_arn: str) -> CallbackDoor:
        """Begin to carry what arrives at this listener, until the door is closed."""
        door = CallbackDoor(
            listener,
            lambda: self._open_tunnel(sandbox_id, function_arn),
            self._may_enter,
            self._doors.pop,
        )
        self._doors[door] = None
        return door

    @property
    def all(self) -> Collection[CallbackDoor]:
        """Those that are not closed."""
        return self._doors.keys()

    def _may_enter(self, door: CallbackDoor) -> bool:
        """A full host takes a place from the sandbox that holds most of them."""
        if sum(each.held for each in self._doors) < CONNECTIONS_PER_HOST:
            return True
        greediest = max(self._doors, key=lambda each: each.held)
        if greediest.held <= door.held + 1:
            return False
        greediest.drop_oldest()
        return True


class CallbackDoor:
    """One sandbox's way to emberd's own API."""

    def __init__(
        self,
        listener: socket.socket,
        open_tunnel: Callable[[], Tunnel],
        may_enter: Callable[[CallbackDoor], bool],
        closed: Callable[[CallbackDoor], object],
    ) -> None:
        self._listener = listener
        self._open_tunnel = open_tunnel
        self._may_enter = may_enter
        self._closed = closed
        self._places = asyncio.Semaphore(CONNECTIONS_PER_SANDBOX)
        self._carrying: dict[asyncio.Task[None], None] = {}
        self._loop = asyncio.get_running_loop()
        self._pace = Pace(
            burst_bytes=BURST_CHUNKS * CHUNK_BYTES,
            bytes_per_s=CHUNKS_PER_S * CHUNK_BYTES,
            now_s=self._loop.time(),
        )
        self._accepting = asyncio.create_task(self._accept())

    @property
    def held(self) -> int:
        """Connections that it carries now."""
        return len(self._carrying)

    def drop_oldest(self) -> None:
        """Break the connection that it has had for longest."""
        next(iter(self._carrying)).cancel()

    async def close(self) -> None:
        """Accept no more and break what is open. Idempotent; the listener stays the caller's."""
        self._closed(self)
        tasks = {self._accepting, *self._carrying}
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)

    async def _accept(self) -> None:
        while True:
            await self._places.acquire()
            connection = await self._next()
            if not self._may_enter(self):
                connection.close()
                self._places.release()
                continue
            task = asyncio.create_task(self._carry(connection))
            self._carrying[task] = None
            task.add_done_callback(self._carried)

    async def _next(self) -> socket.socket:
        while True:
            try:
                connection, _ = await self._loop.sock_accept(self._listener)
            except OSError as error:
                logger.warning("a function's connection was not taken", extra={"why": str(error)})
                await asyncio.sleep(ACCEPT_AGAIN_S)
            else:
                connection.settimeout(0)
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _BREAK)
                return connection

    def _carried(self, task: asyncio.Task[None]) -> None:
        del self._carrying[task]
        self._places.release()

    async def _carry(self, connection: socket.socket) -> None:
        """One connection from its first byte to its end; however it ends, it is closed."""
        try:
            async with asyncio.timeout(FIRST_BYTE_S):
                first = await self._loop.sock_recv(connection, CHUNK_BYTES)
            if first:
                await self._exchange(connection, first)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _END)
        except* (OSError, TimeoutError, TunnelBrokenError):
            logger.debug("a function's connection broke")
        finally:
            connection.close()

    async def _exchange(self, connection: socket.socket, first: bytes) -> None:
        tunnel = self._open_tunnel()
        try:
            async with asyncio.timeout(IDLE_S) as idle, asyncio.TaskGroup() as group:

                def moved() -> None:
                    idle.reschedule(self._loop.time() + IDLE_S)

                up = group.create_task(self._send_up(connection, tunnel, first, moved))
                await self._send_down(connection, tunnel, moved)
                connection.shutdown(socket.SHUT_WR)
                up.cancel()
        finally:
            tunnel.cancel()
        await self._linger(connection)

    async def _send_up(
        self, connection: socket.socket, tunnel: Tunnel, first: bytes, moved: Callable[[], None]
    ) -> None:
        chunk = first
        while chunk:
            delay_s = self._pace.delay_s(CHUNK_BYTES, self._loop.time())
            if delay_s:
                await asyncio.sleep(delay_s)
            await tunnel.send(chunk)
            moved()
            chunk = await self._loop.sock_recv(connection, CHUNK_BYTES)
        await tunnel.finish()

    async def _send_down(
        self, connection: socket.socket, tunnel: Tunnel, moved: Callable[[], None]
    ) -> None:
        while chunk := await tunnel.receive():
            await self._loop.sock_sendall(connection, chunk)
            moved()

    async def _linger(self, connection: socket.socket) -> None:
        """Throw away what still comes: closing over it would reset the answer under its reader."""
        try:
            async with asyncio.timeout(LINGER_S):
                while await self._loop.sock_recv(connection, CHUNK_BYTES):
                    pass
        except TimeoutError:
            return
