"""Reading a request's body, bounded in size, in time and in what all requests hold together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from aiohttp import StreamReader, web

from emberd.wire.errors import CapacityError, EmberdError, InvalidArgumentError

ALL_BODIES_BYTES = 512 * 1024 * 1024
"""Of all large bodies that are being read or worked on."""
SMALL_BODY_BYTES = 64 * 1024
"""Smaller ones are not counted; there can only be as many as connections."""
SILENCE_S = 30.0
"""How long a caller may send nothing in the middle of a body."""


class Bodies:
    """The bodies of all requests that are open now."""

    def __init__(self, limit_bytes: int = ALL_BODIES_BYTES) -> None:
        self._free = limit_bytes

    async def read(
        self, request: web.BaseRequest, limit_bytes: int, too_large: Callable[[], EmberdError]
    ) -> bytes:
        """The whole body, which counts while it is being read.

        Raises:
            EmberdError: as hold() does.
        """
        async with self.hold(request, limit_bytes, too_large) as body:
            return body

    @asynccontextmanager
    async def hold(
        self, request: web.BaseRequest, limit_bytes: int, too_large: Callable[[], EmberdError]
    ) -> AsyncIterator[bytes]:
        """The whole body, which counts until the caller is done with it.

        Raises:
            EmberdError: what too_large makes, for a body beyond the limit.
            CapacityError: too much is being read or worked on already.
            InvalidArgumentError: the caller stopped sending.
        """
        content, length = request.content, request.content_length
        if length is not None and length > limit_bytes:
            raise too_large()
        charged = limit_bytes if length is None else length
        if charged <= SMALL_BODY_BYTES:
            yield await _collect(content, limit_bytes, too_large)
            return
        if charged > self._free:
            raise CapacityError(
                "too many large requests at once: try again in a moment", reason="TOO_MANY_REQUESTS"
            )
        self._free -= charged
        try:
            yield await _collect(content, limit_bytes, too_large)
        finally:
            self._free += charged


async def _collect(
    content: StreamReader, limit_bytes: int, too_large: Callable[[], EmberdError]
) -> bytes:
    if content.is_eof():
        # All of it has come, so nothing need be waited for; most events are like this.
        whole = content.read_nowait()
        if len(whole) > limit_bytes:
            raise too_large()
        return whole
    body = bytearray()
    while True:
        try:
            async with asyncio.timeout(SILENCE_S):
                chunk = await content.readany()
        except TimeoutError:
            raise InvalidArgumentError(
                f"the request's body stopped for {SILENCE_S:g} s", reason="SERIALIZATION"
            ) from None
        if not chunk:
            return bytes(body)
        body += chunk
        if len(body) > limit_bytes:
            raise too_large()
