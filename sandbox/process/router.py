"""The host's router: a network namespace between its sandboxes and the world.

    sandbox  eth0 ---- sbN  router  up0 ---- emberd-xxxxxxxx  host
             100.64.a.b     169.254.100.2    100.127.n.m

Every sandbox has a pair of interfaces of its own with the router and sees nobody else. What passes
follows the group of the router's end (egress_rules.py); giving a waiting sandbox its network is
one message to the kernel. The router ends with its last descriptor, so a launcher that is killed
leaves the host's table behind and nothing else; the next start of the same host takes that away.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from sandbox.process import syscalls
from sandbox.process.egress_rules import (
    GATEWAY,
    UPLINK,
    WAITING_GROUP,
    groups_of,
    host_rules,
    no_host_rules,
    router_rules,
)
from sandbox.process.forwarding import Forwarding
from sandbox.process.named_networks import NamedNetwork
from sandbox.process.rtnetlink import Rtnetlink

INSIDE = "eth0"
"""The interface as a function sees it."""
DNS_PORT = 53

_NFT_TIMEOUT_S = 30.0
"""Its first run on a machine waits for the kernel to load some dozen modules."""
_FIRST_ADDRESS = int.from_bytes(socket.inet_aton("100.64.0.1"))
_ADDRESSES = 1 << 21
"""Up to 100.95.255.255. None is used again before all others were, so that the kernel's memory of
one sandbox's connections never meets another's."""
_SETTINGS = Path("/proc/sys/net")
_DNS_BACKLOG = 128


class Uplink:
    """One sandbox's way to the router."""

    def __init__(self, router: Rtnetlink, index: int, inside: Rtnetlink, inside_index: int) -> None:
        self._router = router
        self._index = index
        self._inside = inside
        self._inside_index = inside_index

    def join(self, group: int) -> None:
        """Let through what the group may: only now there is a route at all."""
        self._router.set_group(self._index, group)
        self._inside.add_route(self._inside_index, gateway=GATEWAY)

    def close(self) -> None:
        """Let go of it; the interfaces end with the sandbox's namespace."""
        self._inside.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class DnsSockets:
    """Where sandboxes ask for names; opened in the router, served by the resolver."""

    udp: socket.socket
    tcp: socket.socket

    def close(self) -> None:
        """Let go of them here."""
        self.udp.close()
        self.tcp.close()


class Router:
    """One host's router namespace and what it changed of the host."""

    def __init__(self, name: str, networks: Sequence[NamedNetwork] = ()) -> None:
        """name is the host's instance: 15 characters, as long as an interface's may be."""
        self._interface = name
        self._table = name.replace("-", "_")
        self._networks = networks
        self._groups = groups_of(networks)
        self._home_fd = os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        self._forwarding = Forwarding()
        self._numbers = itertools.count()
        self._namespace_fd = -1
        self._uplink_index = 0

    def open(self) -> None:
        """Make it, and let the host forward for it.

        Raises:
            OSError: the kernel or nft refused; nothing is left.
        """
        try:
            self._forwarding.claim()
            self._open_namespace()
            self._connect_to_host()
            self._forwarding.enable()
        except OSError:
            self.close()
            raise

    def group_of(self, network: str) -> int | None:
        """The group that lets a network's traffic through; None for none at all."""
        return self._groups.get(network)

    def attach(self, namespace_fd: int) -> Uplink:
        """Connect a sandbox's namespace, which the caller is in, without letting anything pass.

        Raises:
            OSError: the kernel refused.
        """
        number = next(self._numbers)
        address = socket.inet_ntoa((_FIRST_ADDRESS + number % _ADDRESSES).to_bytes(4))
        _set("ipv6/conf/default/disable_ipv6", "1")
        index = self._netlink.add_veth(f"sb{number}", INSIDE, namespace_fd, group=WAITING_GROUP)
        inside = Rtnetlink()
        try:
            inside_index = inside.index_of(INSIDE)
            inside.set_up(inside_index)
            inside.add_address(inside_index, address)
            self._netlink.add_route(index, address)
        except OSError:
            inside.close()
            raise
        return Uplink(self._netlink, index, inside, inside_index)

    def dns_sockets(self) -> DnsSockets:
        """The sockets on which names are asked for."""
        with self._inside():
            udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            tcp = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            udp.bind((GATEWAY, DNS_PORT))
            tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            tcp.bind((GATEWAY, DNS_PORT))
            tcp.listen(_DNS_BACKLOG)
        return DnsSockets(udp=udp, tcp=tcp)

    def close(self) -> None:
        """Undo it all. Idempotent."""
        if self._uplink_index:
            with contextlib.suppress(OSError):
                self._host.delete(self._uplink_index)
            with contextlib.suppress(OSError):
                _nft(no_host_rules(self._table))
            self._host.close()
            self._uplink_index = 0
        if self._namespace_fd >= 0:
            self._netlink.close()
            os.close(self._namespace_fd)
            self._namespace_fd = -1
        self._forwarding.release()

    def _open_namespace(self) -> None:
        syscalls.unshare(syscalls.CLONE_NEWNET)
        try:
            self._namespace_fd = os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
            self._netlink = Rtnetlink()
            for kind in ("all", "default"):
                _set(f"ipv6/conf/{kind}/disable_ipv6", "1")
                _set(f"ipv4/conf/{kind}/rp_filter", "1")
            _set("ipv4/ip_forward", "1")
            # Who is refused is told so every time, and nobody waits; the rules have the pace.
            _set("ipv4/icmp_ratelimit", "0")
            loopback = self._netlink.index_of("lo")
            self._netlink.set_up(loopback)
            self._netlink.add_address(loopback, GATEWAY)
            _nft(router_rules(self._networks))
        finally:
            syscalls.setns(self._home_fd, syscalls.CLONE_NEWNET)

    def _connect_to_host(self) -> None:
        ours, theirs = self._forwarding.addresses
        self._host = Rtnetlink()
        with contextlib.suppress(OSError):
            # Of a life that was killed a moment ago.
            self._host.delete(self._host.index_of(self._interface))
        index = self._host.add_veth(self._interface, UPLINK, self._namespace_fd, group=0)
        self._uplink_index = index
        _set(f"ipv6/conf/{self._interface}/disable_ipv6", "1")
        # The rules stand before the first packet can pass.
        _nft(host_rules(self._table, self._interface, theirs))
        self._host.add_address(index, ours, 31)
        uplink = self._netlink.index_of(UPLINK)
        self._netlink.set_up(uplink)
        self._netlink.add_address(uplink, theirs, 31)
        self._netlink.add_route(uplink, gateway=ours)

    @contextlib.contextmanager
    def _inside(self) -> Iterator[None]:
        syscalls.setns(self._namespace_fd, syscalls.CLONE_NEWNET)
        try:
            yield
        finally:
            syscalls.setns(self._home_fd, syscalls.CLONE_NEWNET)


def find_weakness() -> str:
    """Why this host could have no router, with the remedy in parentheses; empty when it could."""
    if shutil.which("nft") is None:
        return "nft is missing (apt-get install nftables)"
    return ""


def _nft(rules: str) -> None:
    """Load rules into the namespace that this process is in.

    Raises:
        OSError: nft is missing, or refuses them.
    """
    try:
        done = subprocess.run(
            ["nft", "-f", "-"],
            input=rules.encode(),
            capture_output=True,
            timeout=_NFT_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise OSError(f"nft did not answer within {_NFT_TIMEOUT_S:g} s") from error
    if done.returncode:
        raise OSError(f"nft refuses the rules: {done.stderr.decode(errors='replace').strip()}")


def _set(name: str, value: str) -> None:
    """Write a setting of this process's network namespace, if this kernel has it."""
    path = _SETTINGS / name
    if path.exists():
        path.write_text(value)
