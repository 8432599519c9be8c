"""/metrics on the HTTP port, for Prometheus and what reads its format."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Callable

from aiohttp import web

from controlplane.metrics.exposition import OPENMETRICS, PLAIN, lines, wants_openmetrics
from controlplane.metrics.state import State
from controlplane.metrics.tallies import Tallies

PATH = "/metrics"

CHUNK = 50
"""Lines written before the event loop may do other things: well below a millisecond."""


class Scrape:
    """The front of the port that answers /metrics.

    It wants a bearer token of its own, so that a scraper can read numbers and nothing else;
    --no-auth changes nothing of that, because pages in browsers and functions reach the port too.
    """

    def __init__(self, tallies: Tallies, read_state: Callable[[], State], token: str) -> None:
        self._tallies = tallies
        self._read_state = read_state
        self._expected = f"Bearer {token}".encode()

    def takes(self, request: web.BaseRequest) -> bool:
        """Whether it is a scrape."""
        return request.path == PATH and request.method in ("GET", "HEAD")

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """The page, or 401."""
        if not self._may(request):
            return web.Response(
                text="the bearer token of metrics.token in the data folder is wanted\n",
                status=401,
                headers={"WWW-Authenticate": "Bearer"},
            )
        openmetrics = wants_openmetrics(request.headers.get("Accept", ""))
        kind = OPENMETRICS if openmetrics else PLAIN
        page = await self._page(openmetrics=openmetrics)
        return web.Response(body=page, headers={"Content-Type": kind})

    async def _page(self, *, openmetrics: bool) -> bytes:
        page = bytearray()
        every = lines(self._tallies, self._read_state(), openmetrics=openmetrics)
        for number, line in enumerate(every):
            page += f"{line}\n".encode()
            if number % CHUNK == CHUNK - 1:
                # Invocations go on between two pieces of a page that thousands of functions fill.
                await asyncio.sleep(0)
        return bytes(page)

    def _may(self, request: web.BaseRequest) -> bool:
        given = request.headers.get("Authorization", "").encode(errors="surrogateescape")
        return hmac.compare_digest(given, self._expected)
