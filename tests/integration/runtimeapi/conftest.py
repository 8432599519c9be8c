"""The Runtime API is tried on the loop that the agent runs on, and on the standard library's."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable, Mapping

import pytest
import uvloop

from sandbox.runtimeapi import Beginning, RuntimeApi
from tests.integration.runtimeapi.playing import Place


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Every test of this folder runs once on each."""
    return {"uvloop": uvloop.new_event_loop, "asyncio": asyncio.new_event_loop}


@contextlib.asynccontextmanager
async def placed(beginning: Beginning) -> AsyncIterator[Place]:
    listener = socket.create_server(("127.0.0.1", 0))
    listener.setblocking(False)
    api = RuntimeApi(listener, beginning=beginning)
    await api.start()
    async with contextlib.AsyncExitStack() as stack:
        yield Place(api, listener.getsockname()[1], stack)
    await api.close()
    listener.close()


@pytest.fixture
async def place() -> AsyncIterator[Place]:
    async with placed(Beginning.INIT) as place:
        yield place


@pytest.fixture
async def template() -> AsyncIterator[Place]:
    """The Runtime API of one that is to be copied."""
    async with placed(Beginning.SNAPSHOT) as place:
        yield place


@pytest.fixture
async def copy() -> AsyncIterator[Place]:
    """The Runtime API of one that was copied."""
    async with placed(Beginning.RESTORE) as place:
        yield place
