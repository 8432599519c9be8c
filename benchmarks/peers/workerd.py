"""Cloudflare's workerd, which runs many workers in JavaScript in one process, isolated by V8.

A worker's world lives as long as the process and serves any number of requests, several at once.
emberd makes a new world for every event, within a sandbox, and checks a signature before.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.harness import BenchmarkError
from benchmarks.peers.npm import program

CONFIGURATION = "workerd.capnp"
SOCKET = "http"
"""As the configuration calls it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Workerd:
    """A running one."""

    pid: int
    port: int


@contextmanager
def workerd(folder: Path) -> Iterator[Workerd]:
    """One that serves the configuration in this folder.

    Raises:
        BenchmarkError: it is not installed, or does not listen.
    """
    process = subprocess.Popen(
        [
            *(program("workerd"), "serve", folder / CONFIGURATION),
            *("--socket-addr", f"{SOCKET}=127.0.0.1:0", "--control-fd", "1"),
        ],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield Workerd(pid=process.pid, port=_port(process))
    finally:
        process.terminate()
        process.communicate(timeout=10)


def _port(process: subprocess.Popen[bytes]) -> int:
    """Where it says that it listens."""
    assert process.stdout is not None
    said = process.stdout.readline()
    try:
        return int(json.loads(said)["port"])
    except (ValueError, KeyError):
        raise BenchmarkError(f"workerd does not listen; it said {said!r}") from None
