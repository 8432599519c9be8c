"""Fixtures that start real launchers; conftest.py files import what they need."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from emberd.wire.errors import UnavailableError
from sandbox.process.backend import ProcessBackend
from tests.host.harness import BIRTHS, Host, connected, prepared, what_is_missing


@pytest.fixture(scope="session", params=BIRTHS)
def shared_host(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[], Host]]:
    """Gives the launcher that most tests share, one for each way in which sandboxes are born.

    Started when the first test asks.
    """
    started: list[Host] = []

    def get() -> Host:
        _demand_real_sandboxes()
        if not started:
            host = Host(tmp_path_factory.mktemp("host"), born=request.param)
            host.prepare()
            started.append(host)
        return started[0]

    yield get
    for host in started:
        host.close()


@pytest.fixture(scope="session")
def copying_host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    """The launcher of those whose programs let themselves be copied."""
    _demand_real_sandboxes()
    with prepared(Host(tmp_path_factory.mktemp("host"))) as host:
        yield host


@pytest.fixture
async def copying(copying_host: Host) -> AsyncIterator[ProcessBackend]:
    """A backend on it; what it made is destroyed with the test."""
    async with connected(copying_host) as backend:
        yield backend


@pytest.fixture(params=BIRTHS)
def own_host(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Host]:
    """A launcher of the test's own, to be killed at will; not started yet."""
    _demand_real_sandboxes()
    with prepared(Host(tmp_path, born=request.param)) as host:
        yield host


@pytest.fixture
def host(shared_host: Callable[[], Host]) -> Host:
    """The shared launcher."""
    return shared_host()


@pytest.fixture
async def backend(host: Host) -> AsyncIterator[ProcessBackend]:
    """A backend on the shared launcher; what it made is destroyed with the test."""
    try:
        made = await ProcessBackend.connect(host.connection())
    except UnavailableError as error:
        raise AssertionError(f"{error.message}; its log: {host.log.read_text()}") from error
    yield made
    await made.close()


def _demand_real_sandboxes() -> None:
    missing = what_is_missing()
    if missing:
        pytest.skip(f"real sandboxes need {missing}")
