"""A runtime that says exactly what a test wants, and the Runtime API that it talks to."""

from __future__ import annotations

import asyncio
import contextlib
import json
from dataclasses import dataclass

from sandbox.runtimeapi import RuntimeApi, RuntimeEvent

RUNTIME = "/2018-06-01/runtime/"
NEXT = RUNTIME + "invocation/next"


@dataclass
class Got:
    """An answer as the runtime reads it."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def error(self) -> tuple[int, str]:
        return self.status, json.loads(self.body)["errorType"]


class Runtime:
    """A runtime that says exactly what a test wants it to say."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    def send(
        self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None
    ) -> None:
        fields = {"Host": "x", "Content-Length": str(len(body)), **(headers or {})}
        lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        self.writer.write(f"{method} {path} HTTP/1.1\r\n{lines}\r\n".encode() + body)

    def send_raw(self, data: bytes) -> None:
        self.writer.write(data)

    async def got(self) -> Got:
        async with asyncio.timeout(10):
            head = (await self.reader.readuntil(b"\r\n\r\n")).decode()
            status, *lines = head.rstrip().split("\r\n")
            headers = {
                name.lower(): value for name, value in (line.split(": ", 1) for line in lines)
            }
            body = await self.reader.readexactly(int(headers.get("content-length", "0")))
        return Got(int(status.split()[1]), headers, body)

    async def call(
        self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None
    ) -> Got:
        self.send(method, path, body, headers)
        return await self.got()

    async def is_closed(self) -> bool:
        try:
            async with asyncio.timeout(10):
                return await self.reader.read() == b""
        except ConnectionError:
            return True


class Place:
    """A server and the runtimes that are connected to it."""

    def __init__(self, api: RuntimeApi, port: int, stack: contextlib.AsyncExitStack) -> None:
        self.api = api
        self.port = port
        self._stack = stack

    async def runtime(self) -> Runtime:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        self._stack.push_async_callback(_gone, writer)
        return Runtime(reader, writer)

    async def running(self, request_id: str = "r-1", payload: bytes = b"{}") -> Runtime:
        """A runtime that has just got an event."""
        runtime = await self.runtime()
        runtime.send("GET", NEXT)
        await within(self.api.initialised())
        self.api.deliver(event(request_id, payload))
        assert (await runtime.got()).body == payload
        return runtime


async def _gone(writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()


async def within(awaitable):
    async with asyncio.timeout(10):
        return await awaitable


def event(request_id: str = "r-1", payload: bytes = b"{}") -> RuntimeEvent:
    return RuntimeEvent(
        request_id=request_id,
        payload=payload,
        deadline_ms=1,
        invoked_function_arn="arn:f",
    )


def path(request_id: str, verb: str = "response") -> str:
    return f"{RUNTIME}invocation/{request_id}/{verb}"
