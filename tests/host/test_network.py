"""What sandboxes reach in each network, on a machine with an internet that a namespace plays."""

from __future__ import annotations

import json
import signal
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from emberd.wire.errors import InvalidArgumentError
from sandbox.process.backend import ProcessBackend
from sandbox.process.egress_rules import CONNECTIONS_BURST, CONNECTIONS_PER_S
from tests.host.harness import Host, connected, eventually, prepared, read_until, what_is_missing
from tests.host.internet import (
    MACHINE,
    METADATA,
    OTHER_PRIVATE,
    PORT,
    PRIVATE,
    PUBLIC,
    REBOUND,
    RESOLVER,
    ROUTER,
    Internet,
)
from tests.host.reaching import TRY, check, outcomes

pytestmark = [
    pytest.mark.host,
    pytest.mark.skipif(bool(what_is_missing()), reason=f"needs {what_is_missing()}"),
]

NETWORKS = ("db=10.1.0.0/16", "both=192.168.7.0/24,internet", "greedy=0.0.0.0/0")
GATEWAY = "169.254.100.2"
REFUSED, UNREACHABLE = "ECONNREFUSED", "ENETUNREACH"


@pytest.fixture(scope="module", params=["executed", "forked"])
def born(request: pytest.FixtureRequest) -> str:
    """How the sandboxes came to be."""
    return str(request.param)


@pytest.fixture(scope="module")
def internet(born: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Internet]:
    """Another for each machine: to this one, every machine has the same address, and what the
    connections of an earlier one left there would answer the next one's."""
    one = Internet(tmp_path_factory.mktemp("internet"))
    yield one
    one.close()


@pytest.fixture(scope="module")
def machine(
    born: str, internet: Internet, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Host]:
    """A launcher on the machine, with networks of its operator's."""
    host = Host(
        tmp_path_factory.mktemp("machine"),
        born=born,
        within=internet.within,
        networks=NETWORKS,
    )
    with prepared(host):
        yield host


@pytest.fixture
async def sandboxes(machine: Host) -> AsyncIterator[ProcessBackend]:
    async with connected(machine) as backend:
        yield backend


async def test_egress_reaches_the_internet_and_names(
    machine: Host, sandboxes: ProcessBackend
) -> None:
    expected: dict[tuple[str, str, int], object] = {
        ("tcp", PUBLIC, PORT): "reached",
        ("udp", PUBLIC, PORT): "reached",
        ("name", "public.test", PORT): [PUBLIC],
        ("tcp", "public.test", PORT): "reached",
    }
    await check(machine, sandboxes, "egress", expected)


async def test_egress_refuses_at_once_what_is_not_the_internet(
    machine: Host, internet: Internet, sandboxes: ProcessBackend
) -> None:
    uplink = "100.127.0.0"
    refused = (
        *((METADATA, PORT), (PRIVATE, PORT), (OTHER_PRIVATE, PORT), ("172.17.0.1", PORT)),
        *(("100.64.0.1", PORT), (uplink, PORT), ("0.0.0.1", PORT), ("198.18.0.1", PORT)),
        *((MACHINE, PORT), (GATEWAY, PORT), (GATEWAY, 22), (PUBLIC, 25)),
        *((PUBLIC, 53), (RESOLVER, 53), ("169.254.170.2", PORT)),
    )
    expected: dict[tuple[str, str, int], object] = {
        ("tcp", address, port): REFUSED for address, port in refused
    }
    expected[("udp", METADATA, PORT)] = REFUSED
    expected[("udp", RESOLVER, 53)] = REFUSED
    expected[("tcp", "fd00:ec2::254", PORT)] = UNREACHABLE
    expected[("tcp", f"::ffff:{METADATA}", PORT)] = REFUSED
    # What is of the other side of the machine's own interface is the internet's, not its own.
    expected[("tcp", ROUTER, PORT)] = "reached"
    # The kernel itself drops what no host may be.
    expected.pop(("tcp", "0.0.0.1", PORT))
    await check(machine, sandboxes, "egress", expected)


async def test_a_name_that_leads_to_the_metadata_service_leads_nowhere(
    machine: Host, sandboxes: ProcessBackend
) -> None:
    expected: dict[tuple[str, str, int], object] = {
        ("name", REBOUND, PORT): [METADATA],
        ("tcp", REBOUND, PORT): REFUSED,
    }
    await check(machine, sandboxes, "egress", expected)


async def test_no_network_is_none_at_all(machine: Host, sandboxes: ProcessBackend) -> None:
    expected: dict[tuple[str, str, int], object] = {
        ("tcp", PUBLIC, PORT): UNREACHABLE,
        ("tcp", METADATA, PORT): UNREACHABLE,
        ("tcp", GATEWAY, 53): UNREACHABLE,
        ("name", "public.test", PORT): "NO NAME",
        # To bind to the interface is a way around the missing route, and no way past the router.
        ("bound", GATEWAY, 53): REFUSED,
    }
    await check(machine, sandboxes, "none", expected)


async def test_a_named_network_reaches_its_ranges_and_nothing_else(
    machine: Host, sandboxes: ProcessBackend
) -> None:
    expected: dict[tuple[str, str, int], object] = {
        ("tcp", PRIVATE, PORT): "reached",
        ("tcp", OTHER_PRIVATE, PORT): REFUSED,
        ("tcp", PUBLIC, PORT): REFUSED,
        ("tcp", METADATA, PORT): REFUSED,
    }
    await check(machine, sandboxes, "db", expected)


async def test_a_named_network_may_have_the_internet_too(
    machine: Host, sandboxes: ProcessBackend
) -> None:
    expected: dict[tuple[str, str, int], object] = {
        ("tcp", OTHER_PRIVATE, PORT): "reached",
        ("tcp", PRIVATE, PORT): REFUSED,
        ("tcp", PUBLIC, PORT): "reached",
    }
    await check(machine, sandboxes, "both", expected)


async def test_no_range_opens_the_machine_its_metadata_or_other_sandboxes(
    machine: Host, sandboxes: ProcessBackend
) -> None:
    expected: dict[tuple[str, str, int], object] = {
        ("tcp", PRIVATE, PORT): "reached",
        ("tcp", METADATA, PORT): REFUSED,
        ("tcp", MACHINE, PORT): REFUSED,
        ("tcp", "100.64.0.1", PORT): REFUSED,
    }
    await check(machine, sandboxes, "greedy", expected)


async def test_sandboxes_of_one_network_never_meet(
    machine: Host, sandboxes: ProcessBackend
) -> None:
    machine.network = "egress"
    serving = await sandboxes.create(machine.spec(f"ATTEMPTS = [('serve', '{PUBLIC}', 80)]\n{TRY}"))
    [address] = json.loads(read_until(serving.log_fd, b"\n"))
    for network in ("egress", "greedy"):
        assert await outcomes(machine, sandboxes, network, [("tcp", address, 80)]) == [REFUSED]
    await serving.destroy()


async def test_new_connections_have_a_pace(machine: Host, sandboxes: ProcessBackend) -> None:
    """What is opened faster is refused; a busy emulated machine may first be slower than that."""
    for _ in range(5):
        [told] = await outcomes(machine, sandboxes, "egress", [("many", PUBLIC, 900)])
        assert isinstance(told, list)
        ends, took_s = told
        assert ends.keys() <= {"OPEN", "ECONNREFUSED"}
        assert sum(ends.values()) == 900
        # Until somebody looked: what was lost before is sent again by then.
        most = CONNECTIONS_BURST + CONNECTIONS_PER_S * took_s
        assert CONNECTIONS_BURST <= ends["OPEN"] <= most
        if most < 900:
            return
    pytest.fail("nothing here opens connections faster than their pace")


async def test_a_network_that_the_host_has_not_is_refused(
    machine: Host, sandboxes: ProcessBackend
) -> None:
    machine.network = "elsewhere"
    with pytest.raises(InvalidArgumentError) as refused:
        await sandboxes.create(machine.spec("pass"))
    assert "this host has no network elsewhere, only egress, none, db" in refused.value.message


@pytest.mark.parametrize("ended", [signal.SIGTERM, signal.SIGKILL])
def test_what_the_machine_was_it_is_again(tmp_path: Path, ended: signal.Signals) -> None:
    internet = Internet(tmp_path)

    def links() -> int:
        return internet.on_machine("ip", "-o", "link").count("\n")

    def changes() -> tuple[str, str]:
        forwards = internet.on_machine("cat", "/proc/sys/net/ipv4/ip_forward").strip()
        return internet.on_machine("nft", "list", "tables").strip(), forwards

    host = Host(tmp_path, within=internet.within)
    try:
        before = links(), changes()
        assert before[1] == ("", "0")
        host.prepare()
        with host.start():
            mine = (f"table inet {host.instance.name.replace('-', '_')}", "1")
            assert eventually(lambda: changes() == mine)
            assert links() == before[0] + 1
        host.stop(ended)
        if ended is signal.SIGKILL:
            # The links go by themselves; the rest goes with the next life, once it ends well.
            assert eventually(lambda: links() == before[0], 10)
            with host.start():
                assert eventually(lambda: links() == before[0] + 1)
            host.stop()
        assert (links(), changes()) == before
    finally:
        host.close()
        internet.close()
