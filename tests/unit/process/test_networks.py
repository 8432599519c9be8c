"""Named networks as an operator writes them, the rules made of them, and the host's forwarding."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sandbox.process import resolver
from sandbox.process.egress_rules import groups_of, host_rules, router_rules
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


def test_every_network_has_a_group_and_nothing_waits_in_one_of_them() -> None:
    networks = parse_networks(["db=10.1.0.0/16", "web=internet"])
    assert groups_of(networks) == {"egress": 1, "db": 2, "web": 3}
    rules = router_rules(networks)
    assert "1 : jump egress, 2 : jump network_db, 3 : jump network_web" in rules
    assert "policy drop" in rules


def test_the_hosts_table_replaces_one_of_an_earlier_life() -> None:
    rules = host_rules("emberd_1", "emberd-1", "100.127.0.1").splitlines()
    assert rules[:2] == ["table inet emberd_1 { }", "delete table inet emberd_1"]


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


def test_the_hosts_resolvers_are_those_with_an_ipv4_address() -> None:
    text = "# mine\nnameserver 192.0.2.1\nsearch x\nnameserver ::1\nnameserver 192.0.2.2 # two\n"
    assert resolver.upstreams_in(text) == ["192.0.2.1", "192.0.2.2"]


def test_a_question_that_cannot_be_answered_is_told_so_under_its_own_number() -> None:
    question = os.urandom(2) + b"\1\0\0\1\0\0\0\0\0\0" + b"\4name\0\0\1\0\1"
    told = resolver.failure_of(question)
    assert told[:2] == question[:2]
    assert told[2] & 0x80
    assert told[3] & 0x0F == 2
    assert told[12:] == question[12:]
