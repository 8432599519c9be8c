"""gRPC is told how to wait only where it understands, and never complains."""

from __future__ import annotations

import os
import subprocess
import sys

import grpc
import pytest

from emberd.wire import polling
from emberd.wire.polling import TRIED, VARIABLE, wait_without_event_engine

SERVE = """
import asyncio, os, sys
import grpc.aio

async def main():
    server = grpc.aio.server()
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        await channel.channel_ready()
    await server.stop(None)

asyncio.run(main())
"""


def _said(experiments: str) -> str:
    """What gRPC writes to stderr when it serves with these."""
    done = subprocess.run(
        [sys.executable, "-c", SERVE],
        env={**os.environ, VARIABLE: experiments},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stderr


def test_the_installed_grpc_does_not_complain_of_what_it_is_told() -> None:
    chosen: dict[str, str] = {}
    wait_without_event_engine(chosen)
    assert chosen or not grpc.__version__.startswith(TRIED)
    assert "experiment" not in _said(chosen.get(VARIABLE, ""))
    assert "Unknown experiment" in _said("-there_is_no_such_thing")


def test_a_version_that_was_not_tried_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(polling, "_version", lambda: "9.0.0")
    environment: dict[str, str] = {}
    wait_without_event_engine(environment)
    assert not environment


def test_the_version_is_found_without_importing_grpc() -> None:
    code = (
        "import sys; from emberd.wire.polling import _version; "
        "print(_version(), 'grpc' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == f"{grpc.__version__} False\n"


def test_what_an_operator_has_chosen_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(polling, "_version", lambda: TRIED[0])
    environment = {VARIABLE: "tcp_rcv_lowat"}
    wait_without_event_engine(environment)
    assert environment == {VARIABLE: "tcp_rcv_lowat"}
