"""The rules of a router, read as text; that they hold is shown by tests/host/test_network.py."""

from __future__ import annotations

import re

import pytest

from sandbox.process.egress_rules import (
    EGRESS_GROUP,
    NEVER,
    WAITING_GROUP,
    groups_of,
    host_rules,
    no_host_rules,
    router_rules,
)
from sandbox.process.named_networks import parse_networks

NETWORKS = parse_networks(["db=10.1.0.0/16", "both=10.2.0.0/16,internet", "net=internet"])


def chain(name: str) -> list[str]:
    """The rules of one chain of the router's."""
    found = re.search(rf"chain {name} {{\n(.*?)\n  }}", router_rules(NETWORKS), re.DOTALL)
    assert found is not None
    return [line.strip() for line in found[1].splitlines() if line.strip()]


def test_every_network_has_a_group_and_none_has_that_of_those_who_wait() -> None:
    groups = groups_of(NETWORKS)
    assert groups == {"egress": EGRESS_GROUP, "db": 2, "both": 3, "net": 4}
    assert WAITING_GROUP not in groups.values()


def test_a_group_without_a_network_falls_through_to_the_refusal() -> None:
    *_, jumps, last = chain("forward")
    assert jumps.startswith("meta iifgroup vmap { 1 : jump egress, 2 : jump network_db, ")
    assert not jumps.startswith(f"meta iifgroup vmap {{ {WAITING_GROUP} ")
    assert last == "goto refuse"


@pytest.mark.parametrize("name", ["egress", "network_db", "network_both", "network_net"])
def test_what_is_never_reached_is_refused_before_anything_is_allowed(name: str) -> None:
    rules = chain(name)
    never = next(at for at, rule in enumerate(rules) if "@never goto refuse" in rule)
    allowed = [at for at, rule in enumerate(rules) if "jump" in rule]
    assert all(never < at for at in allowed)
    assert {"169.254.0.0/16", "127.0.0.0/8", "100.64.0.0/10"} <= set(NEVER)


def test_a_network_ends_with_a_refusal_unless_it_has_the_internet() -> None:
    assert chain("network_db")[-1] == "goto refuse"
    assert chain("network_both")[-1] == chain("network_net")[-1] == "goto egress"


def test_every_way_out_has_the_pace_and_the_count() -> None:
    assert chain("egress")[-1] == "jump accepted"
    assert "ip daddr { 10.1.0.0/16 } jump accepted" in chain("network_db")
    pace, count, last = chain("accepted")
    assert "limit rate over 200/second" in pace
    assert "ct count over 1024" in count
    assert last == "accept"


def test_the_hosts_table_takes_the_place_of_an_earlier_one_and_can_go() -> None:
    rules = host_rules("emberd_1", "emberd-1", "100.127.0.1")
    assert rules.startswith(no_host_rules("emberd_1"))
    assert no_host_rules("emberd_1").splitlines() == [
        "table inet emberd_1 { }",
        "delete table inet emberd_1",
    ]
