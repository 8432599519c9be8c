"""HTTP/1.1 with as little client as possible: the same bytes again on a connection kept open.

A request is signed once for a round of measurements, as its signature holds for minutes: what is
measured is the server, and both sides get the same client.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from benchmarks.harness import BenchmarkError, Call

EVENT = b"{}"
SIGNED_FOR_S = 60.0
"""How long a signature is used."""


@dataclass(slots=True)
class Connection:
    """One connection to one server, one request at a time."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def ask(self, request: bytes) -> dict[str, str]:
        """Send a whole request; return the JSON object that must come back with status 200."""
        self.writer.write(request)
        head = await self.reader.readuntil(b"\r\n\r\n")
        status, length = head.split(b" ", 2)[1], 0
        for line in head.split(b"\r\n")[1:]:
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        body = await self.reader.readexactly(length)
        if status != b"200":
            raise BenchmarkError(f"the answer is {head[:200]!r} {body[:300]!r}")
        answer: dict[str, str] = json.loads(body)
        return answer


@asynccontextmanager
async def connection(port: int) -> AsyncIterator[Connection]:
    """A connection to a port of the loopback."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield Connection(reader, writer)
    finally:
        writer.close()


def lambda_port(settings: dict[str, str]) -> int:
    """Where emberd's HTTP API listens, by what `emberd env` prints."""
    port = urlsplit(settings["AWS_ENDPOINT_URL_LAMBDA"]).port
    if port is None:
        raise BenchmarkError("emberd's HTTP endpoint names no port")
    return port


def invocation_path(name: str) -> str:
    """Lambda's path of a function's invocations."""
    return f"/2015-03-31/functions/{name}/invocations"


def asking(links: Sequence[Connection], request: Callable[[], bytes], token: str) -> Call:
    """A call on whichever connection is free first, answered with the token of the package.

    The request is made anew when its signature is old.
    """
    content, made = request(), time.monotonic()
    free: asyncio.Queue[Connection] = asyncio.Queue()
    for link in links:
        free.put_nowait(link)

    async def call() -> bool:
        nonlocal content, made
        if time.monotonic() - made > SIGNED_FOR_S:
            content, made = request(), time.monotonic()
        link = await free.get()
        try:
            answer = await link.ask(content)
        finally:
            free.put_nowait(link)
        if answer.get("token") != token:
            raise BenchmarkError(f"something else answered: {answer}")
        return True

    return call


def plain_request(path: str, host: str, event: bytes = EVENT) -> bytes:
    """A request that nobody signs."""
    return _bytes(path, {"Host": host, "Content-Type": "application/json"}, event)


def signed_request(path: str, settings: dict[str, str], event: bytes = EVENT) -> bytes:
    """The same with a signature, by what `emberd env` prints."""
    endpoint = settings["AWS_ENDPOINT_URL_LAMBDA"]
    request = AWSRequest(
        "POST",
        endpoint + path,
        data=event,
        headers={"Host": urlsplit(endpoint).netloc, "Content-Type": "application/json"},
    )
    keys = Credentials(settings["AWS_ACCESS_KEY_ID"], settings["AWS_SECRET_ACCESS_KEY"])
    SigV4Auth(keys, "lambda", settings["AWS_REGION"]).add_auth(request)
    return _bytes(path, dict(request.headers), event)


def _bytes(path: str, headers: dict[str, str], event: bytes) -> bytes:
    lines = [f"POST {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    head = "\r\n".join([*lines, f"Content-Length: {len(event)}", "", ""])
    return head.encode() + event
