"""Attacks by sockets: foreign families, raw packets, other people's listeners."""

from __future__ import annotations

import fcntl
import socket
import struct

from tests.host.attacks.kit import add, probe


def _open(family: int, kind: int = socket.SOCK_RAW, protocol: int = 0) -> None:
    socket.socket(family, kind, protocol).close()


_FAMILIES = {
    "ax25": 3,
    "ipx": 4,
    "appletalk": 5,
    "key": 15,
    "packet": 17,
    "rds": 21,
    "llc": 26,
    "can": 29,
    "tipc": 30,
    "bluetooth": 31,
    "rxrpc": 33,
    "kernel crypto": 38,
    "nfc": 39,
    "vsock": 40,
    "kcm": 41,
    "qipcrtr": 42,
    "smc": 43,
    "xdp": 44,
    "mctp": 45,
}
for _name, _family in _FAMILIES.items():
    add(
        f"socket of family {_name}",
        lambda family=_family: _open(family),
        "EAFNOSUPPORT",
        # Its own network namespace does not hold a machine's own bus back.
        escapes=_name == "packet",
    )
add("stream of family vsock", lambda: _open(40, socket.SOCK_STREAM), "EAFNOSUPPORT")
add("kernel crypto as 2026 used it", lambda: _open(38, socket.SOCK_SEQPACKET), "EAFNOSUPPORT")
_NETLINK = {
    "socket diagnosis": 4,
    "netfilter log": 5,
    "xfrm": 6,
    "selinux": 7,
    "audit": 9,
    "connector": 11,
    "netfilter": 12,
    "uevents": 15,
    "generic": 16,
    "crypto": 21,
}
for _name, _protocol in _NETLINK.items():
    add(
        f"netlink {_name}",
        lambda protocol=_protocol: _open(16, socket.SOCK_RAW, protocol),
        "EAFNOSUPPORT",
    )
for _family in (socket.AF_INET, socket.AF_INET6):
    for _protocol in (1, 6, 255):
        add(
            f"raw {_family.name} socket {_protocol}",
            lambda family=_family, protocol=_protocol: _open(family, socket.SOCK_RAW, protocol),
            *("EPERM", "EACCES"),
            escapes=True,
        )
for _place in [
    "169.254.169.254",
    "169.254.170.2",
    "10.0.0.1",
    "172.17.0.1",
    "192.168.0.1",
    "100.64.0.1",
    "192.0.2.1",
    "::ffff:169.254.169.254",
    "fd00:ec2::254",
    "fe80::1",
]:
    add(
        f"connect to {_place}",
        lambda place=_place: socket.create_connection((place, 80), 2).close(),
        *("ENETUNREACH", "EHOSTUNREACH", "EADDRNOTAVAIL", "EINVAL", "EACCES", "ECONNREFUSED"),
        escapes=True,
    )
for _port in (22, 53, 7700, 8080, 50051):
    add(
        f"connect to port {_port} of one's own loopback",
        lambda port=_port: socket.create_connection(("127.0.0.1", port), 2).close(),
        "ECONNREFUSED",
        escapes=True,
    )


@probe("EPERM", escapes=True)
def give_oneself_an_address() -> None:
    """Of the namespace's own loopback; its owner is not us."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        address = struct.pack("=H2x4s8x", socket.AF_INET, socket.inet_aton("10.9.9.9"))
        fcntl.ioctl(control, 0x8916, struct.pack("16s16s8x", b"lo:7", address))


@probe("EPERM", escapes=True)
def take_the_network_down() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        fcntl.ioctl(control, 0x8914, struct.pack("16sh14x", b"lo", 0))


@probe("EPERM", escapes=True)
def mark_packets() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setsockopt(socket.SOL_SOCKET, 36, 1)


@probe("EPERM", escapes=True)
def spoof_an_address() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setsockopt(socket.SOL_IP, 19, 1)


@probe("EADDRINUSE", escapes=True)
def listen_where_the_runtime_api_does() -> None:
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        sock.bind(("169.254.100.1", 9001))


@probe("ECONNREFUSED", "EPERM", escapes=True)
def connect_to_an_abstract_socket_of_the_host() -> None:
    with socket.socket(socket.AF_UNIX) as sock:
        sock.connect("\0emberd-test-canary")


@probe("allowed")
def socket_of_route_netlink() -> None:
    _open(16, socket.SOCK_RAW, 0)


@probe("allowed")
def listen_on_a_port() -> None:
    with socket.create_server(("127.0.0.1", 0)):
        pass
