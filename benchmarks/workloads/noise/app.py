"""The neighbours that nobody wants: each does its worst for the seconds that its event says."""

import os
import time

from package_token import TOKEN


def handler(event, context):  # noqa: ANN001, ANN201
    """Be a nuisance, then say that it is over."""
    NUISANCES[event["do"]](time.monotonic() + event["seconds"])
    return {"token": TOKEN}


def spin(until_s):  # noqa: ANN001, ANN201
    """Compute."""
    while time.monotonic() < until_s:
        pass


def fork(until_s):  # noqa: ANN001, ANN201
    """As many processes as there may be, each of which tries to have more."""
    ours = os.getpid()
    while time.monotonic() < until_s:
        try:
            os.fork()
        except OSError:
            continue
    if os.getpid() != ours:
        os._exit(0)


def memory(until_s):  # noqa: ANN001, ANN201
    """More than there is, for as long as it takes: this one never lives to say that it is over."""
    held = []
    while True:
        held.append(b"x" * (8 << 20))


def fsync(until_s):  # noqa: ANN001, ANN201
    """Write, and wait until it is on the disk, over and over."""
    piece = os.urandom(256 << 10)
    with open("/tmp/storm", "wb", buffering=0) as file:
        while time.monotonic() < until_s:
            if file.tell() > 400 << 20:
                file.seek(0)
            file.write(piece)
            os.fsync(file.fileno())


NUISANCES = {each.__name__: each for each in (spin, fork, memory, fsync)}
