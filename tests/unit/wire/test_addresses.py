"""Plaintext goes over loopback and Unix sockets, and nowhere else."""

from __future__ import annotations

import pytest

from emberd.wire import channels
from emberd.wire.errors import InvalidArgumentError

LOCAL = [
    "127.0.0.1:4601",
    "127.8.9.10:1",
    "[::1]:4601",
    "localhost:0",
    "unix:/run/fleet.sock",
    "unix-abstract:fleet",
]
ELSEWHERE = [
    "0.0.0.0:4601",
    "[::]:4601",
    ":4601",
    "4601",
    "10.0.0.1:4601",
    "192.168.1.1:4601",
    "[fe80::1]:4601",
    "example.com:4601",
    "localhost.example.com:4601",
    "127.0.0.1.example.com:4601",
    "dns:///127.0.0.1:4601",
    "",
]


@pytest.mark.parametrize("address", LOCAL)
def test_an_address_of_this_machine_is_local(address: str) -> None:
    assert channels.is_local(address)


@pytest.mark.parametrize("address", ELSEWHERE)
def test_any_other_address_demands_tls(address: str) -> None:
    with pytest.raises(InvalidArgumentError, match="plaintext") as refusal:
        channels.demand_local(address)
    assert refusal.value.reason == "TLS_REQUIRED"
    assert refusal.value.metadata == {"address": address}


def test_neither_channel_is_made_to_an_address_that_demands_tls() -> None:
    with pytest.raises(InvalidArgumentError):
        channels.client_channel("10.0.0.1:4601")
    with pytest.raises(InvalidArgumentError):
        channels.host_channel("10.0.0.1:4601")


def test_a_token_travels_as_a_bearer_header() -> None:
    assert channels.authorization("abc") == (("authorization", "Bearer abc"),)
