"""How a client or a host reaches a control plane, and what a server listens on.

Plaintext is for loopback and Unix sockets; every other address demands TLS.
"""

from __future__ import annotations

import ipaddress

import grpc

from emberd.wire import PAYLOAD_BYTES_MAX
from emberd.wire.errors import InvalidArgumentError
from emberd.wire.interceptors import AUTHORIZATION

MESSAGE_BYTES_MAX = 64 * 1024 * 1024
"""Largest message of our own clients, which know what they ask for."""

SERVER_RECEIVE_BYTES_MAX = PAYLOAD_BYTES_MAX + 1024 * 1024
"""Largest message a server takes: a 6 MB event with its envelope; the validator names the limit."""

PENDING_CALLS_MAX = 10_000

CLIENT_OPTIONS: tuple[tuple[str, int], ...] = (
    ("grpc.max_receive_message_length", MESSAGE_BYTES_MAX),
    ("grpc.max_send_message_length", MESSAGE_BYTES_MAX),
)
# The session says when to try again; gRPC must only not sleep longer than it does.
HOST_OPTIONS: tuple[tuple[str, int], ...] = (
    *CLIENT_OPTIONS,
    ("grpc.keepalive_time_ms", 10_000),
    ("grpc.keepalive_timeout_ms", 3_000),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 200),
)
SERVER_OPTIONS: tuple[tuple[str, int], ...] = (
    ("grpc.max_receive_message_length", SERVER_RECEIVE_BYTES_MAX),
    ("grpc.max_send_message_length", MESSAGE_BYTES_MAX),
    ("grpc.so_reuseport", 0),
    ("grpc.http2.min_recv_ping_interval_without_data_ms", 5_000),
    ("grpc.keepalive_permit_without_calls", 1),
    # Calls that came and no handler has seen yet. Beyond the first gRPC begins to cancel calls by
    # chance, from 1,000 on unless said: who may run how many is the account's limit to say.
    ("grpc.server.max_pending_requests", PENDING_CALLS_MAX),
    ("grpc.server.max_pending_requests_hard_limit", 2 * PENDING_CALLS_MAX),
)


def is_local(address: str) -> bool:
    """Whether plaintext is allowed to this address: a Unix socket or the loopback range."""
    if address.startswith(("unix:", "unix-abstract:")):
        return True
    host = address.rpartition(":")[0].strip("[]")
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def demand_local(address: str) -> None:
    """Raise InvalidArgumentError for an address that needs TLS, which does not exist yet."""
    if not is_local(address):
        raise InvalidArgumentError(
            f"{address} is neither loopback nor a Unix socket, and plaintext goes nowhere else: "
            "use 127.0.0.1, or a tunnel until TLS is configured",
            reason="TLS_REQUIRED",
            address=address,
        )


def authorization(token: str) -> tuple[tuple[str, str], ...]:
    """The metadata that carries a token."""
    return ((AUTHORIZATION, f"Bearer {token}"),)


def host_channel(address: str) -> grpc.aio.Channel:
    """The asyncio channel of a host agent."""
    demand_local(address)
    return grpc.aio.insecure_channel(address, options=HOST_OPTIONS)


def client_channel(address: str) -> grpc.Channel:
    """The blocking channel of a command-line client."""
    demand_local(address)
    return grpc.insecure_channel(address, options=CLIENT_OPTIONS)
