"""/metrics on the HTTP port, for Prometheus and what reads its format."""

from __future__ import annotations

import hmac
from collections.abc import Callable

from aiohttp import web

from controlplane.metrics.exposition import OPENMETRICS, PLAIN, text, wants_openmetrics
from controlplane.metrics.state import State
from controlplane.metrics.tallies import Tallies

PATH = "/metrics"


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
        page = text(self._tallies, self._read_state(), openmetrics=openmetrics)
        kind = OPENMETRICS if openmetrics else PLAIN
        return web.Response(body=page.encode(), headers={"Content-Type": kind})

    def _may(self, request: web.BaseRequest) -> bool:
        given = request.headers.get("Authorization", "").encode(errors="surrogateescape")
        return hmac.compare_digest(given, self._expected)
