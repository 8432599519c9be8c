"""The HTTP port before Lambda's HTTP API exists."""

from __future__ import annotations

import json
from collections.abc import Callable

from aiohttp import web

HEALTH_PATHS = ("/health", "/healthz")
"""Our own, and the one that probes try by habit."""

NOT_BUILT = (
    "Lambda's HTTP API is not built yet. Use gRPC (emberd.invocation.v1.InvocationService) or the "
    "emberd command; GET /health works here."
)


def make_application(hosts_attached: Callable[[], int]) -> web.Application:
    """The application of the HTTP port: health, and a clear answer to everything else."""

    async def handle(request: web.Request) -> web.Response:
        if request.path in HEALTH_PATHS and request.method in ("GET", "HEAD"):
            hosts = hosts_attached()
            status = "ok" if hosts else "no host attached"
            return _json({"status": status, "hosts": hosts}, 200 if hosts else 503)
        return _json({"Type": "Service", "message": NOT_BUILT}, 501, "NotImplementedException")

    application = web.Application(client_max_size=1024)
    application.router.add_route("*", "/{path:.*}", handle)
    return application


def _json(body: dict[str, object], status: int, error: str = "") -> web.Response:
    headers = {"x-amzn-ErrorType": error} if error else None
    return web.Response(
        text=json.dumps(body), status=status, content_type="application/json", headers=headers
    )
