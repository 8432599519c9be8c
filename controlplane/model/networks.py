"""What a function's sandboxes may reach: two words that every host knows, and names of its own."""

from __future__ import annotations

from collections.abc import Collection

from controlplane.model.ids import shown
from emberd.wire.errors import InvalidArgumentError

EGRESS, NO_NETWORK = "egress", "none"
EVERYWHERE = frozenset({EGRESS, NO_NETWORK})
"""Hosts are not asked for these: egress is what they have of it, which may be nothing."""


def offers(names: Collection[str], network: str) -> bool:
    """Whether a host that offers these named networks can run a function of that network."""
    return network in EVERYWHERE or network in names


def check_network(network: str, offered: Collection[str]) -> None:
    """Refuse a network that no attached host has.

    Raises:
        InvalidArgumentError: names the network and those on offer.
    """
    if offers(offered, network):
        return
    known = ", ".join(sorted(EVERYWHERE | set(offered)))
    raise InvalidArgumentError(
        f"no attached host offers the network {shown(network)}: use one of {known}, or attach a "
        "host with 'emberd-host run --network NAME=CIDR'",
        reason="INVALID_PARAMETER_VALUE",
        network=shown(network),
        offered=known,
    )
