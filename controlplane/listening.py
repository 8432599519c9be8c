"""Sockets that listen before anybody serves them: the kernel lets those wait who connect."""

from __future__ import annotations

import asyncio
import socket
from dataclasses import dataclass

from emberd.wire.channels import demand_local
from emberd.wire.errors import ConflictError

BACKLOG = 1_024
"""Connections that may wait for the application."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listeners:
    """Sockets that listen at one address."""

    address: str
    """HOST:PORT as it was asked for, with the real port."""
    sockets: tuple[socket.socket, ...]

    def close(self) -> None:
        """Listen no more. Idempotent."""
        for each in self.sockets:
            each.close()


async def listen(address: str) -> Listeners:
    """Listen on every address that HOST:PORT stands for; with port 0, on one port of all of them.

    Raises:
        InvalidArgumentError: the address would need TLS.
        ConflictError: the address is taken, or not this machine's.
    """
    demand_local(address)
    host, _, text = address.rpartition(":")
    port = int(text)
    sockets: list[socket.socket] = []
    try:
        found = await asyncio.get_running_loop().getaddrinfo(
            host.strip("[]"), port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        for family, kind, protocol, _name, place in dict.fromkeys(found):
            sockets.append(socket.socket(family, kind, protocol))
            _listen_on(sockets[-1], (place[0], port, *place[2:]))
            port = port or sockets[-1].getsockname()[1]
    except OSError as error:
        for each in sockets:
            each.close()
        raise ConflictError(
            f"HTTP cannot listen on {address} ({error.strerror}): choose another "
            "address with --http (port 0 picks a free one)",
            reason="ADDRESS_IN_USE",
            address=address,
        ) from error
    return Listeners(address=f"{host}:{port}", sockets=tuple(sockets))


def _listen_on(listener: socket.socket, place: tuple[object, ...]) -> None:
    listener.settimeout(0)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if listener.family == socket.AF_INET6:
        listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    listener.bind(place)
    listener.listen(BACKLOG)
