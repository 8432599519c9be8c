"""OTLP over HTTP as far as an SDK needs it: POST /v1/traces, protobuf, gzip or not.

One connection at a time is read by one of these. Bodies are bounded, and so is what all connections
of a host hold together.
"""

from __future__ import annotations

import asyncio
import socket
import zlib
from collections.abc import Awaitable, Callable

from sandbox.runtimeapi.http11 import BadRequestError, BodyPart, End, Head, RequestParser
from sandbox.tracing.spans import MalformedError

PATH = "/v1/traces"
BODY_BYTES_MAX = 1024 * 1024
HEAD_BYTES_MAX = 16 * 1024
READ_BYTES = 64 * 1024
IDLE_S = 120.0
"""A connection on which nothing comes is closed."""

_REASONS = {
    200: "OK",
    400: "Bad Request",
    404: "Not Found",
    413: "Content Too Large",
    415: "Unsupported Media Type",
    429: "Too Many Requests",
    431: "Request Header Fields Too Large",
}

Take = Callable[[bytes], Awaitable[bytes]]
"""Takes the body of a request and says what to answer; raises MalformedError for what is none."""


class Held:
    """What the unfinished bodies of all sandboxes of a host measure together."""

    LIMIT_BYTES = 64 * 1024 * 1024

    def __init__(self) -> None:
        self.bytes = 0

    def may_grow(self, size: int) -> bool:
        """Take so much, if there is room."""
        if self.bytes + size > self.LIMIT_BYTES:
            return False
        self.bytes += size
        return True


class RefusedError(Exception):
    """A request is not taken; the status says why. The connection ends."""

    def __init__(self, status: int) -> None:
        super().__init__(_REASONS[status])
        self.status = status


class Receiver:
    """Reads requests from one connection until it ends."""

    def __init__(self, connection: socket.socket, take: Take, held: Held) -> None:
        self._connection = connection
        self._take = take
        self._held = held
        self._own = 0
        self._loop = asyncio.get_running_loop()

    async def run(self) -> None:
        """Answer one request after the other; closes the connection."""
        try:
            await self._serve()
        except (OSError, TimeoutError):
            pass  # it has gone, or said nothing for too long
        finally:
            self._let_go()
            self._connection.close()

    async def _serve(self) -> None:
        parser = RequestParser(HEAD_BYTES_MAX)
        try:
            while (head := await self._piece(parser)) is not None:
                assert isinstance(head, Head)
                body = await self._body(parser, head)
                await self._answer(200, await self._take(body), keep=head.keep_alive)
                self._let_go()
                if not head.keep_alive:
                    return
        except RefusedError as refused:
            await self._answer(refused.status, b"", keep=False)
        except BadRequestError as bad:
            await self._answer(bad.status, b"", keep=False)
        except MalformedError:
            await self._answer(400, b"", keep=False)

    async def _body(self, parser: RequestParser, head: Head) -> bytes:
        if head.path != PATH or head.method != "POST":
            raise RefusedError(404)
        if head.header("content-type").partition(";")[0].strip() != "application/x-protobuf":
            raise RefusedError(415)
        packed = head.header("content-encoding").lower()
        if packed not in ("", "identity", "gzip"):
            raise RefusedError(415)
        body = bytearray()
        while not isinstance(part := await self._piece(parser), End):
            if not isinstance(part, BodyPart):
                raise ConnectionError("it ended within a body")
            if len(body) + len(part.data) > BODY_BYTES_MAX:
                raise RefusedError(413)
            if not self._held.may_grow(len(part.data)):
                raise RefusedError(429)
            self._own += len(part.data)
            body += part.data
        return _unpacked(bytes(body)) if packed == "gzip" else bytes(body)

    async def _piece(self, parser: RequestParser) -> Head | BodyPart | End | None:
        """What comes next; None at the end of the connection."""
        while (piece := parser.pull()) is None:
            async with asyncio.timeout(IDLE_S):
                data = await self._loop.sock_recv(self._connection, READ_BYTES)
            if not data:
                return None
            parser.feed(data)
        return piece

    async def _answer(self, status: int, body: bytes, *, keep: bool) -> None:
        head = (
            f"HTTP/1.1 {status} {_REASONS.get(status, 'Bad Request')}\r\n"
            f"Content-Type: application/x-protobuf\r\nContent-Length: {len(body)}\r\n"
            f"Connection: {'keep-alive' if keep else 'close'}\r\n\r\n"
        )
        async with asyncio.timeout(IDLE_S):
            await self._loop.sock_sendall(self._connection, head.encode("ascii") + body)

    def _let_go(self) -> None:
        self._held.bytes -= self._own
        self._own = 0


def _unpacked(body: bytes) -> bytes:
    """A gzip body, but never more of it than a plain one may have."""
    reader = zlib.decompressobj(wbits=31)
    try:
        plain = reader.decompress(body, BODY_BYTES_MAX + 1)
    except zlib.error:
        raise MalformedError("the body is no gzip") from None
    if len(plain) > BODY_BYTES_MAX:
        raise RefusedError(413)
    if not reader.eof:
        raise MalformedError("the gzip ends too early")
    return plain
