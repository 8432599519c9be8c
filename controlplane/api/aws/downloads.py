"""URLs by which a package can be fetched without credentials, for ten minutes.

GetFunction and GetLayerVersion answer them as Code.Location, where AWS answers a presigned URL of
S3. Who holds one may fetch that one package. The key lives as long as the process: a restart ends
every URL that was handed out.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import time
from collections.abc import Callable

from aiohttp import web

from controlplane.registry.artifacts import ArtifactStore
from emberd.wire.errors import EmberdError

PATH = "/emberd/artifacts/"
LIFETIME_S = 600
STALL_S = 60.0
"""How long a reader may take nothing before it is given up."""


class Downloads:
    """Makes such URLs, and is the front that answers them."""

    def __init__(
        self, artifacts: ArtifactStore, key: bytes, *, now_s: Callable[[], float] = time.time
    ) -> None:
        self._artifacts = artifacts
        self._key = key
        self._now_s = now_s

    def location(self, endpoint: str, artifact_id: str) -> str:
        """A URL of one package on the port that the caller reached."""
        expires = str(int(self._now_s()) + LIFETIME_S)
        signature = self._signature(artifact_id, expires)
        return f"{endpoint}{PATH}{artifact_id}?expires={expires}&signature={signature}"

    def takes(self, request: web.BaseRequest) -> bool:
        """Whether it is such a URL."""
        return request.path.startswith(PATH)

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """The package, or 403 for a URL that was not made here or is too old."""
        artifact_id = request.path.removeprefix(PATH)
        if request.method != "GET" or not self._allows(artifact_id, request):
            return web.json_response({"message": "the URL is wrong or has expired"}, status=403)
        try:
            artifact = await self._artifacts.find(artifact_id)
        except EmberdError:
            return web.json_response({"message": "the package was deleted"}, status=404)
        response = web.StreamResponse(headers={"Content-Type": "application/zip"})
        response.content_length = artifact.size_bytes
        await response.prepare(request)
        try:
            async for chunk in self._artifacts.chunks(artifact_id):
                async with asyncio.timeout(STALL_S):
                    await response.write(chunk)
            await response.write_eof()
        except TimeoutError:
            # What is still to be sent must not wait for this reader either.
            if request.transport is not None:
                request.transport.abort()
        return response

    def _allows(self, artifact_id: str, request: web.BaseRequest) -> bool:
        expires = request.query.get("expires", "")
        expected = self._signature(artifact_id, expires).encode()
        given = request.query.get("signature", "").encode(errors="surrogateescape")
        # Only a time that was signed here gets as far as being read as a number.
        return hmac.compare_digest(expected, given) and int(expires) > self._now_s()

    def _signature(self, artifact_id: str, expires: str) -> str:
        signed = f"{artifact_id}\n{expires}".encode(errors="surrogateescape")
        return hmac.new(self._key, signed, hashlib.sha256).hexdigest()
