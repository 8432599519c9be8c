"""/metrics over a real HTTP server: who may read it, and in which format."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web

from controlplane.api.scrape import Scrape
from controlplane.metrics.state import State
from controlplane.metrics.tallies import Tallies
from tests.unit.metrics.prometheus import parse
from tests.unit.telemetry.builders import TRACE_ID, record

TOKEN = {"Authorization": "Bearer scraper"}
PROMETHEUS_ACCEPTS = (
    "application/openmetrics-text;version=1.0.0;q=0.8,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
)


@pytest.fixture
async def url() -> AsyncIterator[str]:
    tallies = Tallies()
    tallies.measure(record())
    scrape = Scrape(tallies, lambda: State(running=3), "scraper")

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        return await scrape.handle(request) if scrape.takes(request) else web.Response(status=404)

    runner = web.ServerRunner(web.Server(handle))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    yield f"http://{host}:{port}"
    await runner.cleanup()


async def test_a_scraper_gets_text_that_a_strict_parser_takes(url: str) -> None:
    async with (
        aiohttp.ClientSession(headers=TOKEN) as session,
        session.get(f"{url}/metrics") as answer,
    ):
        assert answer.status == 200
        assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
        page = parse(await answer.text(), openmetrics=False)
    assert page.value("emberd_concurrent_executions") == 3


async def test_prometheus_gets_openmetrics_with_exemplars(url: str) -> None:
    headers = {**TOKEN, "Accept": PROMETHEUS_ACCEPTS}
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.get(f"{url}/metrics") as answer,
    ):
        assert answer.headers["Content-Type"].startswith("application/openmetrics-text")
        page = parse(await answer.text(), openmetrics=True)
    assert any(TRACE_ID in each for each in page.exemplars.values())


@pytest.mark.parametrize("given", ["", "Bearer wrong", "Basic scraper", "Bearer scraperx"])
async def test_without_its_token_nothing_is_shown(url: str, given: str) -> None:
    headers = {"Authorization": given} if given else {}
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.get(f"{url}/metrics") as answer,
    ):
        assert answer.status == 401
        assert "emberd_" not in await answer.text()


async def test_other_paths_and_methods_are_not_taken(url: str) -> None:
    async with aiohttp.ClientSession(headers=TOKEN) as session:
        async with session.post(f"{url}/metrics") as answer:
            assert answer.status == 404
        async with session.get(f"{url}/metrics/x") as answer:
            assert answer.status == 404
