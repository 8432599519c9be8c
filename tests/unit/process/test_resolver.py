"""The resolver of sandboxes, without a sandbox: what it answers when nobody could."""

from __future__ import annotations

import select
import socket
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from sandbox.process.resolver import (
    HostResolvers,
    Resolver,
    failure_of,
    upstreams_in,
)

QUESTION = b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x04test\x00\x00\x01\x00\x01"
SERVER_FAILED = 2


class Served:
    """A resolver on loopback that runs as long as a test waits."""

    def __init__(self, upstreams: Sequence[str]) -> None:
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.bind(("127.0.0.1", 0))
        self.tcp = socket.create_server(("127.0.0.1", 0))
        self.client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.client.connect(self.udp.getsockname())
        self.resolver = Resolver(self.udp, self.tcp, lambda: list(upstreams))

    def until(self, condition: Callable[[], bool]) -> None:
        self.resolver.run(condition)

    def has_answer(self) -> bool:
        return bool(select.select([self.client], [], [], 0)[0])

    def close(self) -> None:
        for each in (self.udp, self.tcp, self.client):
            each.close()


@pytest.fixture
def lonely() -> Iterator[Served]:
    """On a host without resolvers."""
    served = Served(())
    yield served
    served.close()


def test_the_hosts_resolvers_are_those_of_its_file() -> None:
    text = "# ours\nsearch example\nnameserver 192.0.2.1\nnameserver  2001:db8::1 \noptions x\n"
    assert upstreams_in(text) == ["192.0.2.1", "2001:db8::1"]
    assert len(upstreams_in("nameserver 192.0.2.1\n" * 9)) == 3
    assert upstreams_in("nameserver\n") == []


def test_a_host_without_the_file_has_none(tmp_path: Path) -> None:
    assert HostResolvers(tmp_path / "resolv.conf")() == []


def test_a_failure_names_its_question(lonely: Served) -> None:
    failure = failure_of(QUESTION)
    assert failure[:2] == QUESTION[:2]
    assert failure[2] & 0x80
    assert failure[3] & 0x0F == SERVER_FAILED
    assert failure[12:] == QUESTION[12:]


def test_without_resolvers_every_question_is_answered_at_once(lonely: Served) -> None:
    lonely.client.send(QUESTION)
    lonely.until(lonely.has_answer)
    assert lonely.client.recv(512) == failure_of(QUESTION)


@pytest.mark.parametrize("nobody", ["127.9.9.9", "::1"])
def test_a_resolver_that_is_not_there_is_said_at_once(nobody: str) -> None:
    served = Served([nobody])
    served.client.send(QUESTION)
    served.until(served.has_answer)
    assert served.client.recv(512) == failure_of(QUESTION)
    served.close()


def test_what_is_no_question_is_passed_over(lonely: Served) -> None:
    lonely.client.send(b"short")
    lonely.client.send(QUESTION)
    lonely.until(lonely.has_answer)
    assert lonely.client.recv(512) == failure_of(QUESTION)
    assert not lonely.has_answer()
