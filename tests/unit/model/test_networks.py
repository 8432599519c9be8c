"""What a function's sandboxes may reach is one of what hosts offer."""

from __future__ import annotations

import pytest

from controlplane.model.configuration import Configuration, ConfigurationChange
from controlplane.model.networks import check_network, offers
from emberd.wire.errors import InvalidArgumentError

BASIC = Configuration(runtime_id="python3.12", handler="app.handler", role="")


@pytest.mark.parametrize("network", ["egress", "none"])
def test_every_host_has_egress_and_none(network: str) -> None:
    assert offers((), network)
    check_network(network, ())


def test_a_named_network_is_on_the_hosts_that_offer_it() -> None:
    assert offers({"db"}, "db")
    assert not offers({"cache"}, "db")
    assert not offers((), "")


def test_a_network_that_nobody_offers_is_refused_with_those_that_are_there() -> None:
    with pytest.raises(InvalidArgumentError) as refused:
        check_network("db", {"cache"})
    assert "no attached host offers the network db" in refused.value.message
    assert "cache, egress, none" in refused.value.message


def test_a_change_of_the_network_takes_the_security_groups_with_it() -> None:
    walled = ConfigurationChange(network="db", security_groups=("sg-1",)).applied_to(BASIC)
    assert (walled.network, walled.security_groups) == ("db", ("sg-1",))
    assert ConfigurationChange(timeout_s=9).applied_to(walled).security_groups == ("sg-1",)
    moved = ConfigurationChange(network="cache").applied_to(walled)
    assert (moved.network, moved.security_groups) == ("cache", ())
