"""What leaves a host's sandboxes, as rules in nft's own language. Pure.

Two tables. The one in the router namespace knows every sandbox by the group of its interface:

    group 0   waiting, or without a network: nothing passes
    group 1   egress: the internet, but no private, local or metadata address
    group 2…  the operator's networks, in his order

The other is the host's, for the router as a whole: nothing from there reaches the host itself, and
nothing from outside reaches the router. What is refused is told so at once; nobody waits for it.
"""

from __future__ import annotations

from collections.abc import Sequence

from sandbox.process.named_networks import NamedNetwork
from sandbox.spec import EGRESS

WAITING_GROUP, EGRESS_GROUP, _FIRST_NAMED_GROUP = 0, 1, 2
GATEWAY = "169.254.100.2"
"""The router as every sandbox sees it; also the only resolver."""
UPLINK = "up0"

NEVER = (
    *("0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "100.64.0.0/10"),
    *("224.0.0.0/4", "240.0.0.0/4"),
)
"""This machine, its metadata service, other sandboxes, and what is no single address: refused in
every network, whatever its ranges say."""
PRIVATE = (
    *("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"),
    *("192.0.0.0/24", "198.18.0.0/15"),
)
"""Refused in egress."""

CONNECTIONS_PER_S, CONNECTIONS_BURST = 200, 400
CONNECTIONS_MAX = 1_024
QUESTIONS_PER_S, QUESTIONS_BURST = 100, 200
_SANDBOXES_MAX = 65_535


def groups_of(networks: Sequence[NamedNetwork]) -> dict[str, int]:
    """The interface group of every network that lets anything through."""
    named = {each.name: _FIRST_NAMED_GROUP + place for place, each in enumerate(networks)}
    return {EGRESS: EGRESS_GROUP, **named}


def router_rules(networks: Sequence[NamedNetwork]) -> str:
    """The table of the router namespace."""
    jumps = ", ".join(
        f"{group} : jump {_chain(name)}" for name, group in groups_of(networks).items()
    )
    pace = _over(CONNECTIONS_PER_S, CONNECTIONS_BURST)
    return f"""
table inet emberd {{
  set never {{ type ipv4_addr; flags interval; elements = {{ {", ".join(NEVER)} }}; }}
  set private {{ type ipv4_addr; flags interval; elements = {{ {", ".join(PRIVATE)} }}; }}
  set paces {{ type ipv4_addr; size {_SANDBOXES_MAX}; flags dynamic,timeout; timeout 1m; }}
  set questions {{ type ipv4_addr; size {_SANDBOXES_MAX}; flags dynamic,timeout; timeout 1m; }}
  set opened {{ type ipv4_addr; size {_SANDBOXES_MAX}; flags dynamic; }}

  chain refuse {{
    meta l4proto tcp reject with tcp reset
    reject
  }}
  chain forward {{
    type filter hook forward priority filter; policy drop;
    iifname "{UPLINK}" ct state established,related accept
    iifname "{UPLINK}" drop
    oifname != "{UPLINK}" goto refuse
    meta nfproto ipv6 goto refuse
    meta iifgroup vmap {{ {jumps} }}
    goto refuse
  }}
  chain accepted {{
    ct state new update @paces {{ ip saddr {pace} }} goto refuse
    ct state new add @opened {{ ip saddr ct count over {CONNECTIONS_MAX} }} goto refuse
    accept
  }}
  chain egress {{
    ct state established,related accept
    ct state invalid drop
    ip daddr @never goto refuse
    ip daddr @private goto refuse
    tcp dport {{ 25, 53 }} goto refuse
    udp dport 53 goto refuse
    jump accepted
  }}
{"".join(_chain_of(each) for each in networks)}
  chain input {{
    type filter hook input priority filter; policy drop;
    iifname "lo" accept
    iifname "{UPLINK}" drop
    meta iifgroup {WAITING_GROUP} goto refuse
    ip daddr != {GATEWAY} goto refuse
    ct state established accept
    update @questions {{ ip saddr {_over(QUESTIONS_PER_S, QUESTIONS_BURST)} }} drop
    tcp dport 53 accept
    udp dport 53 accept
    goto refuse
  }}
  chain postrouting {{
    type nat hook postrouting priority srcnat; policy accept;
    oifname "{UPLINK}" masquerade
  }}
}}
"""


def host_rules(table: str, interface: str, address: str) -> str:
    """The host's table, in place of one that an earlier life left.

    Args:
        table: Its name.
        interface: The host's end of the router's uplink.
        address: The router's end, behind which all sandboxes are.
    """
    return f"""{no_host_rules(table)}
table inet {table} {{
  chain input {{
    type filter hook input priority filter - 10; policy accept;
    iifname "{interface}" ct state established,related accept
    iifname "{interface}" meta l4proto tcp reject with tcp reset
    iifname "{interface}" reject
  }}
  chain forward {{
    type filter hook forward priority filter - 10; policy accept;
    iifname "{interface}" ip saddr != {address} drop
    oifname "{interface}" ct state established,related accept
    oifname "{interface}" drop
  }}
  chain postrouting {{
    type nat hook postrouting priority srcnat; policy accept;
    ip saddr {address} oifname != "{interface}" masquerade
  }}
}}
"""


def no_host_rules(table: str) -> str:
    """Takes the host's table away, whether it is there or not."""
    return f"table inet {table} {{ }}\ndelete table inet {table}"


def _chain(name: str) -> str:
    return EGRESS if name == EGRESS else f"network_{name}"


def _chain_of(network: NamedNetwork) -> str:
    """One network of the operator's: its ranges, and the internet where he says so."""
    ranges = ", ".join(network.ranges)
    allowed = f"    ip daddr {{ {ranges} }} jump accepted\n" if ranges else ""
    return f"""
  chain {_chain(network.name)} {{
    ct state established,related accept
    ct state invalid drop
    ip daddr @never goto refuse
{allowed}    {f"goto {EGRESS}" if network.internet else "goto refuse"}
  }}
"""


def _over(rate: int, burst: int) -> str:
    return f"limit rate over {rate}/second burst {burst} packets"
