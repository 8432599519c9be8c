"""What a function may reach is said when it is deployed, shown, and held by its sandbox."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.e2e.system import Emberd

REFUSED = 254


@pytest.fixture(scope="module")
def alone(emberd: Emberd, functions: Path) -> str:
    deployed = emberd.deploy(functions / "network", "alone", network="none", timeout=30)
    assert deployed["Network"] == "none"
    return "alone"


def shown(emberd: Emberd, name: str) -> object:
    """The network as `emberd functions NAME` has it."""
    return json.loads(emberd.ok("functions", name, "--output", "json"))["Network"]


def test_a_function_without_network_has_nothing_but_loopback(emberd: Emberd, alone: str) -> None:
    assert shown(emberd, alone) == "none"
    answer = emberd.answer(alone)
    assert isinstance(answer, dict)
    assert answer["interfaces"] == ["lo"]


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
    assert after["interfaces"] == ["lo"]


def test_a_network_that_no_host_offers_is_refused_with_those_that_there_are(
    emberd: Emberd, functions: Path
) -> None:
    done = emberd.run("deploy", functions / "network", "--name", "lost", "--network", "nowhere")
    assert done.returncode == REFUSED
    assert b"no attached host offers the network nowhere: use one of egress, none" in done.stderr
    assert emberd.run("functions", "lost").returncode == REFUSED
