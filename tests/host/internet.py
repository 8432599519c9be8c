"""A network namespace that plays the machine, and one that plays the internet around it.

No packet of these tests leaves them: the addresses are those of documentation and private ranges.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

MACHINE, ROUTER = "203.0.113.2", "203.0.113.1"
PUBLIC, PRIVATE, OTHER_PRIVATE = "198.51.100.7", "10.1.0.5", "192.168.7.9"
METADATA = "169.254.169.254"
RESOLVER = "198.51.100.53"
PORT = 8080
REBOUND = "rebound.test"
"""A public name that leads to the metadata service."""

WORLD = f"""
import collections, socket, select, struct
servers = {{}}
for port in ({PORT}, 25, 53):
    # So deep a queue that nobody has to ask twice, however slowly this program comes to it.
    tcp = socket.create_server(("0.0.0.0", port), backlog=2048); servers[tcp] = port
for address, port in (("{PUBLIC}", {PORT}), ("{METADATA}", {PORT}), ("{RESOLVER}", 53)):
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); udp.bind((address, port))
    servers[udp] = port
print("ready", flush=True)
kept = collections.deque(maxlen=64)  # Fewer than the descriptors that a program has at the least.
def answer(question):
    end = question.index(b"\\0", 12) + 5
    rebound = b"\\7rebound" in question
    address = socket.inet_aton("{METADATA}" if rebound else "{PUBLIC}")
    head = question[:2] + b"\\x81\\x80" + b"\\0\\1\\0\\1\\0\\0\\0\\0"
    return head + question[12:end] + b"\\xc0\\x0c\\0\\1\\0\\1\\0\\0\\0\\0\\0\\4" + address
while True:
    for sock in select.select(list(servers), [], [])[0]:
        if sock.type == socket.SOCK_DGRAM:
            data, peer = sock.recvfrom(4096)
            sock.sendto(answer(data) if servers[sock] == 53 else b"heard", peer)
        else:
            connection, peer = sock.accept()
            if servers[sock] == 53:
                question = connection.recv(4096)[2:]
                told = answer(question)
                connection.sendall(struct.pack(">H", len(told)) + told)
            kept.append(connection)
"""


class Internet:
    """Both namespaces, while this exists."""

    def __init__(self, folder: Path) -> None:
        self._holders: list[subprocess.Popen[bytes]] = []
        self._world = self._namespace()
        self._machine = self._namespace()
        self._resolv_conf = folder / "resolv.conf"
        self._resolv_conf.write_text(f"nameserver {RESOLVER}\n")
        self._connect()
        # A new namespace begins as this machine is, where another host may be at work.
        self.on_machine("sh", "-c", "echo 0 > /proc/sys/net/ipv4/ip_forward")
        self._server = subprocess.Popen(
            [*self._in(self._world), sys.executable, "-c", WORLD], stdout=subprocess.PIPE
        )
        assert self._server.stdout is not None
        assert self._server.stdout.readline() == b"ready\n"

    @property
    def within(self) -> tuple[str, ...]:
        """What starts a program on the machine, with a resolv.conf that leads to the internet."""
        bind = f'mount --bind {self._resolv_conf} /etc/resolv.conf && exec "$@"'
        return (*self._in(self._machine), "unshare", "--mount", "sh", "-c", bind, "sh")

    def on_machine(self, *command: str) -> str:
        """Run a command on the machine; what it printed."""
        done = subprocess.run(
            [*self._in(self._machine), *command], capture_output=True, text=True, check=True
        )
        return done.stdout

    def restore_way_out(self) -> None:
        """After a test took the machine's default route away."""
        self.on_machine("ip", "route", "add", "default", "via", ROUTER)

    def close(self) -> None:
        """End it all."""
        if self._server.stdout is not None:
            self._server.stdout.close()
        for process in (self._server, *self._holders):
            process.kill()
            process.wait()

    def _namespace(self) -> int:
        holder = subprocess.Popen(
            ["unshare", "--net", "sh", "-c", "echo made; exec sleep infinity"],
            stdout=subprocess.PIPE,
        )
        assert holder.stdout is not None
        holder.stdout.readline()
        holder.stdout.close()
        self._holders.append(holder)
        return holder.pid

    @staticmethod
    def _in(pid: int) -> tuple[str, ...]:
        return ("nsenter", f"--net=/proc/{pid}/ns/net")

    def _connect(self) -> None:
        steps = (
            (self._world, f"link add to0 type veth peer name eth0 netns {self._machine}"),
            (self._world, f"addr add {ROUTER}/24 dev to0"),
            (self._world, "link set to0 up"),
            (self._world, "link set lo up"),
            (self._machine, "link set lo up"),
            (self._machine, f"addr add {MACHINE}/24 dev eth0"),
            (self._machine, "link set eth0 up"),
            (self._machine, f"route add default via {ROUTER}"),
            *(
                (self._world, f"addr add {each}/32 dev lo")
                for each in (PUBLIC, PRIVATE, OTHER_PRIVATE, METADATA, RESOLVER)
            ),
        )
        for pid, step in steps:
            subprocess.run([*self._in(pid), "ip", *step.split()], check=True)
