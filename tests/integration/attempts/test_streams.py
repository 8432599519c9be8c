"""Attempts whose answer goes out while the function still writes it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from sandbox.backend import ProcessExit
from sandbox.fake.backend import FakeProcess, Program
from sandbox.work import StreamLimits
from tests.integration.attempts.playing import BASE, REVISION, Gone, Host, Reader, attempt, host

LIMITS = StreamLimits(size_bytes=1_000_000, burst_bytes=1_000_000, bytes_per_s=0)


def player(script: asyncio.Queue[bytes | ProcessExit]) -> Program:
    """A runtime that begins to stream its answer at once and says what it is told.

    An empty piece is the end of the answer.
    """

    async def play(process: FakeProcess) -> ProcessExit:
        reader, writer = await asyncio.open_connection(*process.runtime_api)
        try:
            while True:
                await serve(reader, writer)
        except Gone as gone:
            return gone.how
        finally:
            writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(f"GET {BASE}/invocation/next HTTP/1.1\r\n\r\n".encode())
        request_id = (await read(reader))["lambda-runtime-aws-request-id"]
        writer.write(
            f"POST {BASE}/invocation/{request_id}/response HTTP/1.1\r\n"
            "Content-Type: text/plain\r\nTransfer-Encoding: chunked\r\n"
            "Lambda-Runtime-Function-Response-Mode: streaming\r\n\r\n".encode()
        )
        while piece := await script.get():
            if isinstance(piece, ProcessExit):
                raise Gone(piece)
            writer.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
            await writer.drain()
        writer.write(b"0\r\n\r\n")
        await read(reader)

    async def read(reader: asyncio.StreamReader) -> dict[str, str]:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower().rstrip()
        fields = dict(line.split(": ", 1) for line in head.split("\r\n")[1:])
        await reader.readexactly(int(fields["content-length"]))
        return fields

    return play


@dataclass(eq=False)
class Streaming:
    """One attempt that streams, its runtime, and its caller."""

    host: Host
    script: asyncio.Queue[bytes | ProcessExit]
    reader: Reader
    running: asyncio.Task[None]

    def say(self, *pieces: bytes | ProcessExit) -> None:
        for piece in pieces:
            self.script.put_nowait(piece)

    async def heard(self, text: bytes) -> None:
        """Wait until the caller has got this much."""
        async with asyncio.timeout(5):
            while b"".join(self.reader.chunks) != text:
                self.reader.heard.clear()
                await self.reader.heard.wait()

    async def end(self) -> None:
        async with asyncio.timeout(5):
            await self.running


@asynccontextmanager
async def streaming(
    folder: Path, limits: StreamLimits = LIMITS, timeout_s: float = 10
) -> AsyncIterator[Streaming]:
    script: asyncio.Queue[bytes | ProcessExit] = asyncio.Queue()
    async with host(folder, player(script)) as it:
        reader = Reader()
        asked = attempt(stream=limits, revision=replace(REVISION, timeout_s=timeout_s))
        running = asyncio.create_task(it.runner.run(asked, reader))
        yield Streaming(it, script, reader, running)
        running.cancel()
        await asyncio.wait({running})


async def test_the_caller_reads_while_the_function_still_writes(tmp_path):
    async with streaming(tmp_path) as it:
        it.say(b"first ")
        await it.heard(b"first ")
        assert it.reader.results == []
        it.say(b"second", b"")
        await it.end()
        result = it.reader.result
    assert b"".join(it.reader.chunks) == b"first second"
    assert it.reader.content_type == "text/plain"
    assert (result.payload, result.function_error, result.sandbox_kept) == (b"", "", True)
    assert result.log_tail.startswith(b"START RequestId")


@pytest.mark.parametrize(
    ("end", "error_type", "message"),
    [
        (ProcessExit(status=3), "Runtime.ExitError", "exited with error: exit status 3"),
        (ProcessExit(signal=9), "Runtime.ExitError", "exited with error: signal: killed"),
        (None, "Sandbox.Timedout", "Task timed out after 0.30 seconds"),
    ],
)
async def test_a_runtime_that_ends_or_hangs_in_the_middle_leaves_what_was_said_and_why(
    tmp_path, end, error_type, message
):
    async with streaming(tmp_path, timeout_s=10 if end else 0.3) as it:
        it.say(b"half", *([end] if end else []))
        await it.end()
        result = it.reader.result
    assert b"".join(it.reader.chunks) == b"half"
    assert result.function_error == "Unhandled"
    assert result.error_type == error_type
    assert json.loads(result.payload)["errorMessage"].endswith(message)
    assert not result.sandbox_kept


async def test_a_connection_that_goes_while_the_process_lives_is_a_truncated_answer(tmp_path):
    async def hangs_up(process: FakeProcess) -> ProcessExit:
        reader, writer = await asyncio.open_connection(*process.runtime_api)
        writer.write(f"GET {BASE}/invocation/next HTTP/1.1\r\n\r\n".encode())
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        request_id = head.partition("lambda-runtime-aws-request-id: ")[2].partition("\r\n")[0]
        writer.write(
            f"POST {BASE}/invocation/{request_id}/response HTTP/1.1\r\n"
            "Transfer-Encoding: chunked\r\nLambda-Runtime-Function-Response-Mode: streaming\r\n"
            "\r\n4\r\nhalf\r\n".encode()
        )
        await writer.drain()
        writer.close()
        return await process.sleep_until_killed()

    async with host(tmp_path, hangs_up) as it:
        reader = Reader()
        await it.runner.run(attempt(stream=LIMITS), reader)
    assert b"".join(reader.chunks) == b"half"
    assert reader.result.error_type == "Runtime.TruncatedResponse"


async def test_a_stream_over_its_limit_ends_there_with_lambdas_error(tmp_path):
    limits = StreamLimits(size_bytes=10, burst_bytes=10, bytes_per_s=0)
    async with streaming(tmp_path, limits) as it:
        it.say(b"0123456789abc", b"")
        await it.end()
        result = it.reader.result
    assert b"".join(it.reader.chunks) == b"0123456789"
    assert result.error_type == "Function.ResponseSizeTooLarge"
    assert b"(10 bytes)" in result.payload


async def test_a_sandbox_is_warm_again_after_it_has_streamed(tmp_path):
    async with streaming(tmp_path) as it:
        it.say(b"one", b"")
        await it.end()
        it.say(b"two", b"")
        reader = Reader()
        await it.host.runner.run(attempt(stream=LIMITS), reader)
        assert reader.result.start_level.value == "warm"
        assert reader.result.sandbox_id == it.reader.result.sandbox_id
    assert reader.chunks == [b"two"]


async def test_a_streamed_answer_for_a_caller_that_wants_it_whole_is_collected(tmp_path):
    script: asyncio.Queue[bytes | ProcessExit] = asyncio.Queue()
    for piece in (b"in ", b"pieces", b""):
        script.put_nowait(piece)
    async with host(tmp_path, player(script)) as it:
        result = await it.run()
    assert (result.payload, result.content_type) == (b"in pieces", "text/plain")


async def test_an_attempt_that_is_cancelled_while_it_streams_leaves_nothing(tmp_path):
    async with streaming(tmp_path) as it:
        it.say(b"half")
        await it.heard(b"half")
        it.running.cancel()
        await asyncio.wait({it.running})
        assert it.running.cancelled()
        assert it.host.pool.idle_counts == {}
