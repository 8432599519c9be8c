"""What a function may reach is said when it is deployed, shown, and held by its sandbox."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.e2e.system import Emberd

REFUSED = 254
GATEWAY = "169.254.100.2"
"""The router; it answers questions for names, and nothing else."""


@pytest.fixture(scope="module")
def alone(emberd: Emberd, functions: Path) -> str:
    deployed = emberd.deploy(functions / "network", "alone", network="none", timeout=30)
    assert deployed["Network"] == "none"
    return "alone"


def shown(emberd: Emberd, name: str) -> object:
    """The network as `emberd functions NAME` has it."""
    return json.loads(emberd.ok("functions", name, "--output", "json"))["Network"]


def test_a_function_without_network_reaches_nothing(emberd: Emberd, alone: str) -> None:
    assert shown(emberd, alone) == "none"
    # Had it a way out, these were refused by the router.
    places = [["169.254.169.254", 80], ["10.0.0.1", 80], [GATEWAY, 53]]
    answer = emberd.answer(alone, {"reach": places})
    assert isinstance(answer, dict)
    assert answer["reached"] == ["ENETUNREACH"] * 3


def test_egress_is_the_default_and_ends_at_the_router(emberd: Emberd, functions: Path) -> None:
    deployed = emberd.deploy(functions / "network", "usual", timeout=30)
    assert deployed["Network"] == "egress"
    places = [["169.254.169.254", 80], ["10.0.0.1", 80], ["100.64.0.1", 80], [GATEWAY, 80]]
    answer = emberd.answer("usual", {"reach": [*places, [GATEWAY, 53]]})
    assert isinstance(answer, dict)
    assert answer["reached"] == [*["ECONNREFUSED"] * 4, "connected"]


def test_a_named_network_is_offered_and_reaches_its_ranges_alone(
    functions: Path, folder: Path
) -> None:
    one = Emberd(folder, "--network", "db=192.0.2.128/25").start()
    try:
        shown = one.ok("hosts", "--query", "Hosts[].Networks[]", "--output", "text")
        assert shown.split() == [b"db"]
        one.deploy(functions / "network", "walled", network="db", timeout=30)
        answer = one.answer("walled", {"reach": [["10.0.0.1", 80], ["198.51.100.7", 80]]})
        assert isinstance(answer, dict)
        assert answer["reached"] == ["ECONNREFUSED", "ECONNREFUSED"]
    finally:
        footprint = one.footprint()
        one.close()
    assert footprint.left() == []


def test_another_network_is_another_sandbox_and_a_version_keeps_its_own(
    emberd: Emberd, functions: Path
) -> None:
    emberd.deploy(functions / "network", "moving", timeout=30)
    emberd.ok("publish", "moving")
    before = emberd.answer("moving")
    assert emberd.answer("moving") == before
    emberd.deploy(functions / "network", "moving", network="none")
    assert (shown(emberd, "moving"), shown(emberd, "moving:1")) == ("none", "egress")
    after = emberd.answer("moving")
    assert isinstance(after, dict)
    assert isinstance(before, dict)
    assert after["environment"] != before["environment"]


def test_a_network_that_no_host_offers_is_refused_with_those_that_there_are(
    emberd: Emberd, functions: Path
) -> None:
    done = emberd.run("deploy", functions / "network", "--name", "lost", "--network", "nowhere")
    assert done.returncode == REFUSED
    assert b"no attached host offers the network nowhere: use one of egress, none" in done.stderr
    assert emberd.run("functions", "lost").returncode == REFUSED
