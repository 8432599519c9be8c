"""Reading a request's body, bounded in size, in time and in what all requests hold together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager

from aiohttp import StreamReader, web

from emberd.wire.errors import CapacityError, EmberdError, InvalidArgumentError

OUTSIDE_BYTES = 512 * 1024 * 1024
"""Of all large bodies that are being read or worked on, from callers outside."""
INSIDE_BYTES = 256 * 1024 * 1024
"""The same from all functions that call back: what they hold, nobody outside waits for."""
FUNCTION_BYTES = 80 * 1024 * 1024
"""The same from one function; the largest request fits once."""
SMALL_BODY_BYTES = 64 * 1024
"""Smaller ones are not counted; there can only be as many as connections."""
SILENCE_S = 30.0
"""How long a caller may send nothing in the middle of a body."""
WHOLE_S = 300.0
"""How long a body may take: 70 MB at two megabits a second."""

FunctionOf = Callable[[web.BaseRequest], str]
"""Which function sent a request from inside its sandbox; empty for a caller outside."""


class _Budget:
    """Bytes that may be held at once."""

    def __init__(self, limit_bytes: int) -> None:
        self.limit_bytes = self.free_bytes = limit_bytes

    @property
    def is_whole(self) -> bool:
        """Whether nothing of it is held."""
        return self.free_bytes == self.limit_bytes


class Bodies:
    """The bodies of all requests that are open now."""

    def __init__(
        self, limit_bytes: int = OUTSIDE_BYTES, function_of: FunctionOf = lambda _: ""
    ) -> None:
        """limit_bytes is for callers outside."""
        self._outside = _Budget(limit_bytes)
        self._inside = _Budget(INSIDE_BYTES)
        self._functions: dict[str, _Budget] = {}
        self._function_of = function_of

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
        with self._charge(self._function_of(request), charged):
            yield await _collect(content, limit_bytes, too_large)

    @contextmanager
    def _charge(self, function: str, size: int) -> Iterator[None]:
        budgets = [self._outside]
        if function:
            own = self._functions.setdefault(function, _Budget(FUNCTION_BYTES))
            budgets = [own, self._inside]
        if any(size > each.free_bytes for each in budgets):
            raise CapacityError(
                "too many large requests at once: try again in a moment", reason="TOO_MANY_REQUESTS"
            )
        for each in budgets:
            each.free_bytes -= size
        try:
            yield
        finally:
            for each in budgets:
                each.free_bytes += size
            if function and budgets[0].is_whole:
                self._functions.pop(function, None)


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
    until = asyncio.get_running_loop().time() + WHOLE_S
    while True:
        try:
            async with asyncio.timeout_at(until), asyncio.timeout(SILENCE_S):
                chunk = await content.readany()
        except TimeoutError:
            raise InvalidArgumentError(
                f"the request's body stopped for {SILENCE_S:g} s, or took {WHOLE_S:g} s",
                reason="SERIALIZATION",
            ) from None
        if not chunk:
            return bytes(body)
        body += chunk
        if len(body) > limit_bytes:
            raise too_large()
