"""Networks that an operator gives a name: which addresses a function of one may reach. Pure."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass

from sandbox.spec import EGRESS, NO_NETWORK

INTERNET = "internet"
NAMES_MAX = 64
_NAME = re.compile(r"[0-9a-z]{1,32}")


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedNetwork:
    """What functions of one network reach, and nothing else."""

    name: str
    ranges: tuple[str, ...]
    """IPv4 ranges in CIDR notation, private ones as a rule."""
    internet: bool = False
    """Besides, what egress reaches."""


def parse_networks(texts: Sequence[str]) -> tuple[NamedNetwork, ...]:
    """Networks as the command line gives them: NAME=CIDR[,CIDR...][,internet].

    Raises:
        ValueError: one of them makes no sense; says which, why and the form.
    """
    networks = tuple(_parse(text) for text in texts)
    names = [each.name for each in networks]
    if len(set(names)) < len(names):
        raise ValueError(f"a network has one --network alone: {', '.join(sorted(names))}")
    if len(names) > NAMES_MAX:
        raise ValueError(f"a host offers at most {NAMES_MAX} networks, these are {len(names)}")
    return networks


def _parse(text: str) -> NamedNetwork:
    name, equals, reach = text.partition("=")
    words = [each for each in reach.split(",") if each]
    if not equals or not words or _NAME.fullmatch(name) is None or name in (EGRESS, NO_NETWORK):
        raise ValueError(
            f"--network {text!r} is no network: write NAME=CIDR[,CIDR...][,{INTERNET}] with a name "
            "of up to 32 small letters and digits that is not egress or none"
        )
    try:
        ranges = tuple(str(ipaddress.IPv4Network(each)) for each in words if each != INTERNET)
    except ValueError as error:
        raise ValueError(f"--network {text!r}: {error}; IPv4 ranges as 10.1.0.0/16") from None
    return NamedNetwork(name=name, ranges=ranges, internet=INTERNET in words)
