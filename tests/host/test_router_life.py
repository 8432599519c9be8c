"""The router beside its rules: its caps, its resolver's end, and hosts that lack what it needs."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from emberd.wire.errors import InvalidArgumentError
from sandbox.process.backend import ProcessBackend
from tests.host.harness import Host, connected, eventually, prepared, read_until, what_is_missing
from tests.host.internet import PORT, PUBLIC, Internet
from tests.host.reaching import TRY, check, outcomes

pytestmark = [
    pytest.mark.host,
    pytest.mark.skipif(bool(what_is_missing()), reason=f"needs {what_is_missing()}"),
]

CONNECTIONS_MAX = 1_024
GATEWAY = "169.254.100.2"

FILL = f"""
import json, signal, socket, time

def is_heard(sock):
    try:
        sock.send(b"hello")
        return sock.recv(100) == b"heard"
    except OSError:
        return False

def flow():
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.settimeout(2)
    sock.connect(({PUBLIC!r}, {PORT}))
    return sock

first = flow()
told = [is_heard(first)]
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as many:
    # Each port is one more connection to the kernel; nobody answers on these.
    for port in range(20_000, 20_000 + {CONNECTIONS_MAX + 100}):
        try:
            many.sendto(b"", ({PUBLIC!r}, port))
        except OSError:
            pass  # the refusal of an earlier one
        time.sleep(0.0075)
time.sleep(0.5)
another = flow()
told += [is_heard(another), is_heard(first)]
print(json.dumps(told), flush=True)
signal.pause()
"""

ASK_BY_TCP = f"""
import json, signal, socket, struct
question = b"\\x12\\x34\\1\\0\\0\\1\\0\\0\\0\\0\\0\\0\\6public\\4test\\0\\0\\1\\0\\1"
with socket.create_connection(({GATEWAY!r}, 53), 3) as sock:
    sock.sendall(struct.pack(">H", len(question)) + question)
    answer = sock.recv(512)
print(json.dumps([socket.inet_ntoa(answer[-4:])]), flush=True)
signal.pause()
"""


@pytest.fixture(scope="module")
def internet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Internet]:
    one = Internet(tmp_path_factory.mktemp("internet"))
    yield one
    one.close()


@pytest.fixture
def machine(internet: Internet, tmp_path: Path) -> Iterator[Host]:
    with prepared(Host(tmp_path, within=internet.within, networks=("db=10.1.0.0/16",))) as host:
        yield host


@pytest.fixture
async def sandboxes(machine: Host) -> AsyncIterator[ProcessBackend]:
    async with connected(machine) as backend:
        yield backend


def resolvers(host: Host) -> list[int]:
    """Pids of this host's resolver."""
    return [
        int(entry.name)
        for entry in Path("/proc").glob("[0-9]*")
        if entry.exists() and entry.stat().st_uid == host.instance.resolver_id
    ]


async def test_open_connections_have_a_number_and_a_neighbour_its_own(
    machine: Host, sandboxes: ProcessBackend
) -> None:
    machine.network = "egress"
    filling = await sandboxes.create(machine.spec(FILL))
    heard, one_more, still = json.loads(read_until(filling.log_fd, b"\n", 60))
    assert (heard, one_more, still) == (True, False, True)
    await check(machine, sandboxes, "egress", {("udp", PUBLIC, PORT): "reached"})
    await filling.destroy()


async def test_names_are_told_over_tcp_too(machine: Host, sandboxes: ProcessBackend) -> None:
    machine.network = "egress"
    sandbox = await sandboxes.create(machine.spec(ASK_BY_TCP))
    assert json.loads(read_until(sandbox.log_fd, b"\n")) == [PUBLIC]
    await sandbox.destroy()


async def test_a_resolver_that_dies_is_started_again_without_privilege(
    machine: Host, sandboxes: ProcessBackend
) -> None:
    assert eventually(lambda: len(resolvers(machine)) == 1)
    [before] = resolvers(machine)
    os.kill(before, signal.SIGKILL)
    assert eventually(lambda: resolvers(machine) not in ([], [before]), 10)
    [after] = resolvers(machine)
    assert "CapEff:\t0000000000000000" in Path(f"/proc/{after}/status").read_text()
    await check(machine, sandboxes, "egress", {("name", "public.test", PORT): [PUBLIC]})


async def test_a_machine_without_a_way_out_has_a_host_all_the_same(
    internet: Internet, tmp_path: Path
) -> None:
    internet.on_machine("ip", "route", "del", "default")
    host = Host(tmp_path, within=internet.within)
    host.prepare()
    try:
        async with connected(host) as backend:
            attempts = [("tcp", PUBLIC, PORT), ("name", "public.test", PORT)]
            ends = await outcomes(host, backend, "egress", attempts)
            assert ends == ["ENETUNREACH", "NO NAME"]
    finally:
        host.close()
        internet.restore_way_out()


async def test_a_host_that_may_lack_the_router_lets_nothing_pass_and_says_so(
    internet: Internet, tmp_path: Path
) -> None:
    host = Host(
        tmp_path, within=internet.within, networks=("db=10.1.0.0/16",), left_out=("egress",)
    )
    host.prepare()
    try:
        async with connected(host) as backend:
            assert any(note.startswith("egress: ") for note in backend.isolation_notes)
            ends = await outcomes(host, backend, "egress", [("tcp", PUBLIC, PORT)])
            assert ends == ["ENETUNREACH"]
            host.network = "db"
            with pytest.raises(InvalidArgumentError, match="has no network db, only egress, none"):
                await backend.create(host.spec(TRY))
        assert "missing_walls" in host.log.read_text()
        assert internet.on_machine("nft", "list", "tables") == ""
    finally:
        host.close()
