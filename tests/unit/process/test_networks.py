"""Named networks as an operator writes them, and the host's forwarding."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from sandbox.process.forwarding import Forwarding
from sandbox.process.named_networks import NAMES_MAX, NamedNetwork, parse_networks


def test_a_network_is_a_name_and_ranges_and_perhaps_the_internet() -> None:
    assert parse_networks(["db=10.1.0.0/16,192.168.7.1", "web=internet"]) == (
        NamedNetwork(name="db", ranges=("10.1.0.0/16", "192.168.7.1/32")),
        NamedNetwork(name="web", ranges=(), internet=True),
    )


@pytest.mark.parametrize(
    "texts",
    [
        ["db"],
        ["db="],
        ["=10.0.0.0/8"],
        ["DB=10.0.0.0/8"],
        ["my-db=10.0.0.0/8"],
        ["egress=10.0.0.0/8"],
        ["none=10.0.0.0/8"],
        ["x" * 33 + "=10.0.0.0/8"],
        ["db=10.0.0.1/8"],
        ["db=fd00::/8"],
        ["db=10.0.0.0/8; drop"],
        ["db=10.0.0.0/8", "db=10.1.0.0/16"],
        [f"n{number}=10.0.0.0/8" for number in range(NAMES_MAX + 1)],
    ],
)
def test_what_makes_no_network_is_refused(texts: list[str]) -> None:
    with pytest.raises(ValueError, match="network"):
        parse_networks(texts)


def test_hosts_have_numbers_and_the_last_one_undoes_what_the_first_did(tmp_path: Path) -> None:
    switch = tmp_path / "ip_forward"
    switch.write_text("0\n")
    first, second = (Forwarding(tmp_path / "uplinks", switch) for _ in range(2))
    for each in (first, second):
        each.claim()
        each.enable()
    assert first.addresses == ("100.127.0.0", "100.127.0.1")
    assert second.addresses == ("100.127.0.2", "100.127.0.3")
    first.release()
    assert switch.read_text() == "1\n"
    second.release()
    assert switch.read_text() == "0\n"


def test_a_machine_that_forwarded_before_goes_on(tmp_path: Path) -> None:
    switch = tmp_path / "ip_forward"
    switch.write_text("1\n")
    one = Forwarding(tmp_path / "uplinks", switch)
    one.claim()
    one.enable()
    one.release()
    one.release()
    assert switch.read_text() == "1\n"


def test_a_host_that_was_killed_is_forgotten_and_its_change_is_not(tmp_path: Path) -> None:
    switch = tmp_path / "ip_forward"
    switch.write_text("0\n")
    program = (
        "import os, sys; from pathlib import Path\n"
        "from sandbox.process.forwarding import Forwarding\n"
        "one = Forwarding(*map(Path, sys.argv[1:])); one.claim(); one.enable()\n"
        "os.kill(os.getpid(), 9)"
    )
    killed = [sys.executable, "-c", program, str(tmp_path / "uplinks"), str(switch)]
    assert subprocess.run(killed, check=False).returncode == -9
    assert switch.read_text() == "1\n"
    successor = Forwarding(tmp_path / "uplinks", switch)
    successor.claim()
    assert successor.number == 0
    successor.enable()
    successor.release()
    assert switch.read_text() == "0\n"
