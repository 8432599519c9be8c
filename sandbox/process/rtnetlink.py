"""The few requests to the kernel's routing sockets (rtnetlink(7)) that networks of sandboxes need.

A socket speaks for the network namespace in which it was opened, wherever its owner goes later.
Every request waits for the kernel's answer, which comes at once.
"""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Sequence

_NEWLINK, _DELLINK, _GETLINK, _SETLINK = 16, 17, 18, 19
_NEWADDR, _NEWROUTE = 20, 24
_REQUEST, _ACK, _EXCL, _CREATE = 0x1, 0x4, 0x200, 0x400
_ERROR = 2

_IFLA_IFNAME, _IFLA_LINKINFO, _IFLA_GROUP, _IFLA_NET_NS_FD = 3, 18, 27, 28
_IFLA_INFO_KIND, _IFLA_INFO_DATA = 1, 2
_VETH_INFO_PEER = 1
_IFA_ADDRESS, _IFA_LOCAL = 1, 2
_RTA_DST, _RTA_OIF, _RTA_GATEWAY = 1, 4, 5
_NESTED = 0x8000
_IFF_UP = 1
_TABLE_MAIN, _PROTOCOL_STATIC, _UNICAST = 254, 4, 1
_SCOPE_UNIVERSE, _SCOPE_LINK = 0, 253
_ONLINK = 4


class Rtnetlink:
    """A routing socket of the namespace that it was opened in."""

    def __init__(self) -> None:
        self._socket = socket.socket(
            socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.NETLINK_ROUTE
        )
        self._socket.bind((0, 0))
        self._number = 0

    def close(self) -> None:
        """Let go of it. Idempotent."""
        self._socket.close()

    def add_veth(self, name: str, peer: str, peer_namespace_fd: int, *, group: int) -> int:
        """A pair of interfaces, ours switched on, the peer in another namespace; ours by index.

        Raises:
            OSError: there is one of that name, or the kernel has no veth.
        """
        other = _link(0) + _attribute(_IFLA_IFNAME, _text(peer))
        other += _attribute(_IFLA_NET_NS_FD, struct.pack("=I", peer_namespace_fd))
        kind = _attribute(_IFLA_INFO_KIND, b"veth")
        data = _attribute(_IFLA_INFO_DATA | _NESTED, _attribute(_VETH_INFO_PEER | _NESTED, other))
        body = _link(0, up=True) + _attribute(_IFLA_IFNAME, _text(name))
        body += _attribute(_IFLA_GROUP, struct.pack("=I", group))
        body += _attribute(_IFLA_LINKINFO | _NESTED, kind + data)
        self._ask(_NEWLINK, body, _CREATE | _EXCL)
        return self.index_of(name)

    def index_of(self, name: str) -> int:
        """An interface by its name.

        Raises:
            OSError: there is none.
        """
        body = _link(0) + _attribute(_IFLA_IFNAME, _text(name))
        answer = self._ask(_GETLINK, body, 0, ack=False)
        index: int = struct.unpack_from("=BxHi", answer, 16)[2]
        return index

    def set_group(self, index: int, group: int) -> None:
        """Put an interface into a group, by which rules know it."""
        body = _link(index) + _attribute(_IFLA_GROUP, struct.pack("=I", group))
        self._ask(_SETLINK, body, 0)

    def delete(self, index: int) -> None:
        """Take an interface away, and with it the other one of its pair."""
        self._ask(_DELLINK, _link(index), 0)

    def set_up(self, index: int) -> None:
        """Switch an interface on."""
        self._ask(_SETLINK, _link(index, up=True), 0)

    def add_address(self, index: int, address: str, prefix_length: int = 32) -> None:
        """Give an interface an IPv4 address."""
        packed = socket.inet_aton(address)
        body = struct.pack("=BBBBi", socket.AF_INET, prefix_length, 0, _SCOPE_UNIVERSE, index)
        body += _attribute(_IFA_LOCAL, packed) + _attribute(_IFA_ADDRESS, packed)
        self._ask(_NEWADDR, body, _CREATE | _EXCL)

    def add_route(self, index: int, address: str = "", *, gateway: str = "") -> None:
        """To one IPv4 address through an interface, or to everything by a gateway behind it."""
        length, scope, flags = (32, _SCOPE_LINK, 0) if address else (0, _SCOPE_UNIVERSE, _ONLINK)
        body = struct.pack(
            "=BBBBBBBBI",
            *(socket.AF_INET, length, 0, 0),
            *(_TABLE_MAIN, _PROTOCOL_STATIC, scope, _UNICAST, flags),
        )
        if address:
            body += _attribute(_RTA_DST, socket.inet_aton(address))
        if gateway:
            body += _attribute(_RTA_GATEWAY, socket.inet_aton(gateway))
        body += _attribute(_RTA_OIF, struct.pack("=i", index))
        self._ask(_NEWROUTE, body, _CREATE | _EXCL)

    def _ask(self, kind: int, body: bytes, flags: int, *, ack: bool = True) -> bytes:
        """One request and its answer.

        Raises:
            OSError: the kernel refused.
        """
        self._number += 1
        flags |= _REQUEST | (_ACK if ack else 0)
        header = struct.pack("=IHHII", 16 + len(body), kind, flags, self._number, 0)
        self._socket.send(header + body)
        while True:
            answer = self._socket.recv(32_768)
            _, answered, _, number, _ = struct.unpack_from("=IHHII", answer)
            if number != self._number:
                continue
            if answered == _ERROR:
                (code,) = struct.unpack_from("=i", answer, 16)
                if code:
                    raise OSError(-code, f"{os.strerror(-code)} (rtnetlink {kind})")
            return answer


def _link(index: int, *, up: bool = False) -> bytes:
    """The head of a request about an interface; 0 for one that its name tells."""
    flag = _IFF_UP if up else 0
    return struct.pack("=BxHiII", 0, 0, index, flag, flag)


def _attribute(kind: int, value: bytes) -> bytes:
    padding: Sequence[int] = [0] * (-len(value) % 4)
    return struct.pack("=HH", 4 + len(value), kind) + value + bytes(padding)


def _text(name: str) -> bytes:
    return name.encode("ascii") + b"\0"
