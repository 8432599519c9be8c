"""A program that tries to reach addresses from inside a sandbox, and how each attempt ended."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from sandbox.process.backend import ProcessBackend
from tests.host.harness import Host, read_until

TRY = """
import errno, json, signal, socket, time

def reach(kind, address, port):
    begun = time.monotonic()
    try:
        if kind == "tcp":
            socket.create_connection((address, port), 3).close()
        elif kind == "udp":
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
                sock.settimeout(3)
                sock.connect((address, port))
                sock.send(b"hello")
                sock.recv(100)
        elif kind == "bound":
            with socket.socket() as sock:
                sock.settimeout(3)
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"eth0")
                sock.connect((address, port))
        elif kind == "many":
            opened = [socket.socket() for _ in range(port)]
            begun = time.monotonic()
            for sock in opened:
                sock.setblocking(False)
                sock.connect_ex((address, 8080))
            time.sleep(1.5)
            took_s = time.monotonic() - begun
            ends = [sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) for sock in opened]
            ends = {errno.errorcode.get(each, "OPEN"): ends.count(each) for each in set(ends)}
            return ends, took_s
        elif kind == "name":
            return sorted({each[4][0] for each in socket.getaddrinfo(address, port)})
        elif kind == "serve":
            global server
            server = socket.create_server(("0.0.0.0", port))
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
                sock.connect((address, 9))
                return sock.getsockname()[0]
    except TimeoutError:
        return "TIMED OUT"
    except socket.gaierror as error:
        return "NO NAME"
    except OSError as error:
        slowly = time.monotonic() - begun > 0.9
        return "LATE" if slowly else errno.errorcode[error.errno]
    return "reached"

print(json.dumps([reach(*each) for each in ATTEMPTS]), flush=True)
signal.pause()
"""


async def outcomes(
    machine: Host, backend: ProcessBackend, network: str, attempts: Sequence[tuple[str, str, int]]
) -> list[object]:
    """How each attempt of one sandbox of a network ended."""
    machine.network = network
    sandbox = await backend.create(machine.spec(f"ATTEMPTS = {list(attempts)!r}\n{TRY}"))
    told: list[object] = json.loads(read_until(sandbox.log_fd, b"\n", 60))
    await sandbox.destroy()
    return told


async def check(
    machine: Host,
    backend: ProcessBackend,
    network: str,
    expected: Mapping[tuple[str, str, int], object],
) -> None:
    told = await outcomes(machine, backend, network, list(expected))
    assert dict(zip(expected, told, strict=True)) == expected
