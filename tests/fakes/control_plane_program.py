"""Stands in for the control plane: same command line, same lock, same words to the supervisor.

It serves nothing. `ready` is said once a stand-in host has sent a datagram to the fleet socket.
"""

from __future__ import annotations

import argparse
import fcntl
import json
import os
import signal
import socket
import sys
from pathlib import Path


def main() -> None:
    """Run one life of it."""
    parser = argparse.ArgumentParser()
    for name in ("--data", "--grpc", "--http", "--fleet-socket", "--region", "--log-level"):
        parser.add_argument(name)
    parser.add_argument("--secrets-fd", type=int)
    parser.add_argument("--no-auth", action="store_true")
    parser.add_argument("--account-concurrency")
    parser.add_argument("--stream-mb-per-s")
    parser.add_argument("--status-fd", type=int)
    given = parser.parse_args()
    data = Path(given.data)

    def say(event: str, **details: str) -> None:
        os.write(given.status_fd, (json.dumps({"event": event, **details}) + "\n").encode())

    if (data / "crash").exists():
        sys.exit(7)
    lock = (data / "lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        say("refused", message="another emberd serves this folder")
        sys.exit(3)
    with os.fdopen(given.secrets_fd) as held:
        (data / "secrets").write_text(held.read())
    say("locked")
    with (data / "lives").open("a") as lives:
        lives.write(f"{os.getpid()} {given.grpc} {given.http}\n")
    signal.signal(signal.SIGTERM, lambda *_: end(data, given.fleet_socket))
    Path(given.fleet_socket).unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as fleet:
        fleet.bind(given.fleet_socket)
        say(
            "listening",
            grpc=given.grpc.replace(":0", ":40001"),
            http=given.http.replace(":0", ":40000"),
        )
        while fleet.recv(16):
            say("ready")


def end(data: Path, _fleet_socket: str) -> None:
    """Leave a line that says when this one ended."""
    with (data.parent / "ends").open("a") as ends:
        ends.write("control\n")
    sys.exit(0)


if __name__ == "__main__":
    main()
