"""Stands in for the host program: attaches by a datagram to the fleet socket, runs nothing."""

from __future__ import annotations

import os
import signal
import socket
import sys
from pathlib import Path


def main() -> None:
    """Run one life of it."""
    options = dict(zip(sys.argv[2::2], sys.argv[3::2], strict=True))
    state = Path(options["--state"])
    with os.fdopen(int(options["--token-fd"])) as token:
        (state / "token").write_text(token.read())
    signal.signal(signal.SIGTERM, lambda *_: end(state))
    with (state / "lives").open("a") as lives:
        lives.write(f"{os.getpid()}\n")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as fleet:
        fleet.connect(options["--control-plane"].removeprefix("unix:"))
        fleet.send(b"hello")
    while True:
        signal.pause()


def end(state: Path) -> None:
    """Leave a line that says when this one ended; never end where the folder has `stubborn`."""
    if (state / "stubborn").exists():
        return
    with (state.parent / "ends").open("a") as ends:
        ends.write("host\n")
    sys.exit(0)


if __name__ == "__main__":
    main()
