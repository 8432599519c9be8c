"""The only resolver of a host's sandboxes: passes their questions on to the host's own resolvers.

A program of its own, without privilege, started by the launcher with two sockets that were opened
in the router's namespace; itself it is in the host's. It reads nothing of a question but its first
two bytes and changes nothing of an answer: what an answer may lead to is for the router's rules to
say. Everything is bounded, for the host and for each sandbox; what does not fit is not answered.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

RESOLV_CONF = Path("/etc/resolv.conf")
QUESTION_BYTES_MAX = 4_096
ANSWER_BYTES_MAX = 65_535
WAITING_MAX, WAITING_EACH_MAX = 512, 32
CONNECTIONS_MAX, CONNECTIONS_EACH_MAX = 64, 4
ANSWER_S = 5.0
CONNECTION_S = 10.0
_LOOK_AGAIN_S = 5.0
_PIECE_BYTES = 16_384
_HEADER_BYTES = 12
_SERVER_FAILED = b"\x80\x02"

Address = tuple[str, int]


def upstreams_in(text: str) -> list[str]:
    """The resolvers that a resolv.conf names: three, as everywhere."""
    lines = (line.split() for line in text.splitlines())
    named = (words[1] for words in lines if len(words) > 1 and words[0] == "nameserver")
    return [*named][:3]


def failure_of(question: bytes) -> bytes:
    """The answer that a question cannot be answered, for who would wait otherwise."""
    return question[:2] + _SERVER_FAILED + question[4:6] + bytes(6) + question[12:]


@dataclass(eq=False, slots=True)
class _Question:
    text: bytes
    asker: Address
    upstream: socket.socket
    until_s: float


@dataclass(eq=False, slots=True)
class _Connection:
    asker: str
    near: socket.socket
    far: socket.socket
    until_s: float
    waiting: dict[socket.socket, bytes] = field(default_factory=dict)


class Resolver:
    """Serves until its launcher ends."""

    def __init__(
        self, udp: socket.socket, tcp: socket.socket, upstreams: Callable[[], list[str]]
    ) -> None:
        self._udp = udp
        self._tcp = tcp
        self._upstreams = upstreams
        self._selector = selectors.DefaultSelector()
        self._questions: set[_Question] = set()
        self._connections: set[_Connection] = set()
        self._each: Counter[str] = Counter()
        self._each_connected: Counter[str] = Counter()
        self._turn = 0
        for sock, action in ((udp, self._asked), (tcp, self._connected)):
            sock.settimeout(0)
            self._selector.register(sock, selectors.EVENT_READ, action)

    def run(self, is_over: Callable[[], bool] = lambda: False) -> None:
        """Answer for as long as it is not over."""
        while not is_over():
            for key, _ in self._selector.select(0.5):
                with contextlib.suppress(OSError):
                    key.data()
            self._expire(time.monotonic())

    def _asked(self) -> None:
        question, asker = self._udp.recvfrom(QUESTION_BYTES_MAX)
        if len(question) < _HEADER_BYTES:
            return
        full = len(self._questions) >= WAITING_MAX or self._each[asker[0]] >= WAITING_EACH_MAX
        upstream = None if full else self._next_upstream()
        if upstream is None:
            self._udp.sendto(failure_of(question), asker)
            return
        # A socket for every question: its port is one more number that a forger must guess.
        sock = socket.socket(_family_of(upstream), socket.SOCK_DGRAM)
        sock.settimeout(0)
        waiting = _Question(question, asker, sock, time.monotonic() + ANSWER_S)
        self._questions.add(waiting)
        self._each[asker[0]] += 1
        self._selector.register(sock, selectors.EVENT_READ, lambda: self._answered(waiting))
        try:
            sock.connect((upstream, 53))
            sock.send(question)
        except OSError:
            self._forget(waiting)
            self._udp.sendto(failure_of(question), asker)

    def _answered(self, question: _Question) -> None:
        try:
            answer = question.upstream.recv(ANSWER_BYTES_MAX)
        except OSError:
            # Nobody listens there: who asked need not wait to learn that.
            answer = failure_of(question.text)
        self._forget(question)
        self._udp.sendto(answer, question.asker)

    def _forget(self, question: _Question) -> None:
        self._questions.discard(question)
        _one_less(self._each, question.asker[0])
        self._selector.unregister(question.upstream)
        question.upstream.close()

    def _connected(self) -> None:
        near, (asker, _) = self._tcp.accept()
        near.settimeout(0)
        full = len(self._connections) >= CONNECTIONS_MAX
        upstream = self._next_upstream()
        if full or self._each_connected[asker] >= CONNECTIONS_EACH_MAX or upstream is None:
            near.close()
            return
        far = socket.socket(_family_of(upstream), socket.SOCK_STREAM)
        far.settimeout(0)
        try:
            far.connect((upstream, 53))
        except BlockingIOError:
            pass  # it goes on meanwhile
        except OSError:
            near.close()
            far.close()
            return
        connection = _Connection(asker, near, far, time.monotonic() + CONNECTION_S)
        self._connections.add(connection)
        self._each_connected[asker] += 1
        self._watch(connection)

    def _watch(self, connection: _Connection) -> None:
        """Read from a side only while what it sent before has reached the other."""
        near, far = connection.near, connection.far
        for sock, other in ((near, far), (far, near)):
            events = selectors.EVENT_READ if other not in connection.waiting else 0
            events |= selectors.EVENT_WRITE if sock in connection.waiting else 0
            with contextlib.suppress(KeyError):
                self._selector.unregister(sock)
            if events:
                action = self._mover(connection, sock, other)
                self._selector.register(sock, events, action)

    def _mover(
        self, connection: _Connection, sock: socket.socket, other: socket.socket
    ) -> Callable[[], None]:
        def move() -> None:
            try:
                rest = connection.waiting.pop(sock, b"")
                if rest:
                    _keep(connection, sock, rest[sock.send(rest) :])
                if other not in connection.waiting:
                    with contextlib.suppress(BlockingIOError):
                        piece = sock.recv(_PIECE_BYTES)
                        if not piece:
                            raise ConnectionResetError
                        _keep(connection, other, piece)
                self._watch(connection)
            except OSError:
                self._hang_up(connection)

        return move

    def _hang_up(self, connection: _Connection) -> None:
        if connection not in self._connections:
            return
        self._connections.discard(connection)
        _one_less(self._each_connected, connection.asker)
        for sock in (connection.near, connection.far):
            with contextlib.suppress(KeyError):
                self._selector.unregister(sock)
            sock.close()

    def _expire(self, now_s: float) -> None:
        for question in [each for each in self._questions if each.until_s < now_s]:
            self._forget(question)
        for connection in [each for each in self._connections if each.until_s < now_s]:
            self._hang_up(connection)

    def _next_upstream(self) -> str | None:
        """In turn, so that who asks again asks another one."""
        known = self._upstreams()
        self._turn += 1
        return known[self._turn % len(known)] if known else None


class HostResolvers:
    """Those of the host's resolv.conf, which may change at any time."""

    def __init__(self, path: Path = RESOLV_CONF) -> None:
        self._path = path
        self._looked_s = -_LOOK_AGAIN_S
        self._found: list[str] = []

    def __call__(self) -> list[str]:
        now_s = time.monotonic()
        if now_s - self._looked_s >= _LOOK_AGAIN_S:
            self._looked_s = now_s
            try:
                self._found = upstreams_in(self._path.read_text())
            except OSError:
                self._found = []
        return self._found


def _family_of(address: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def _keep(connection: _Connection, sock: socket.socket, data: bytes) -> None:
    if data:
        connection.waiting[sock] = data


def _one_less(counter: Counter[str], key: str) -> None:
    counter[key] -= 1
    if counter[key] <= 0:
        del counter[key]


def main() -> None:
    """Entry point of `python -m sandbox.process.resolver UDP-FD TCP-FD`."""
    udp_fd, tcp_fd = (int(each) for each in sys.argv[1:3])
    Resolver(socket.socket(fileno=udp_fd), socket.socket(fileno=tcp_fd), HostResolvers()).run()


if __name__ == "__main__":
    main()
