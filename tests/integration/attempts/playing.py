"""Attempts on a host: pool, guard, starter and Runtime API together, over the fake backend.

The runtimes are coroutines that speak the real Runtime API over a real socket.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import io
import json
import socket
import zipfile
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import aiohttp

from sandbox.ahead import Ahead
from sandbox.artifacts import CodeCache
from sandbox.attempts import AttemptRunner
from sandbox.backend import FoundRuntime, ProcessExit
from sandbox.capacity import Capacity
from sandbox.fake.backend import FakeBackend, FakeProcess
from sandbox.function_templates import FunctionTemplates, Restorer
from sandbox.pool import Pool
from sandbox.runtimeapi import ResponseStream
from sandbox.spec import MIB
from sandbox.starter import SandboxStarter
from sandbox.tracing.doors import SpanDoors
from sandbox.tracing.queue import SpanQueue
from sandbox.tunnels import CallbackDoors, Tunnel
from sandbox.work import (
    Attempt,
    AttemptResult,
    LogRecord,
    Revision,
)

BASE = "/2018-06-01/runtime"


def package() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("app.py", b"")
    return buffer.getvalue()


PACKAGE = package()
ARTIFACT_ID = hashlib.sha256(PACKAGE).hexdigest()

REVISION = Revision(
    revision_id="rev-1",
    function_name="hello",
    version="$LATEST",
    function_arn="arn:aws:lambda:us-east-1:000000000000:function:hello",
    runtime_id="python3.13",
    handler="app.handler",
    artifact_id=ARTIFACT_ID,
    artifact_size_bytes=len(PACKAGE),
    memory_size_mb=128,
    ephemeral_storage_mb=512,
    timeout_s=0.3,
    environment={},
    region="us-east-1",
    account_id="000000000000",
)


class Gone(Exception):
    """The program's process ends like this."""

    def __init__(self, how: ProcessExit) -> None:
        super().__init__(how)
        self.how = how


async def act(process: FakeProcess, event: dict[str, object], calls: int) -> bytes:
    """What the fake function makes of an event."""
    match event.get("do"):
        case "exit":
            raise Gone(ProcessExit(status=int(str(event["status"]))))
        case "die":
            raise Gone(ProcessExit(signal=9))
        case "hang":
            await process.say(b"hanging\n")
            await asyncio.get_running_loop().create_future()
        case "trace":
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
                sender.sendto(str(event["document"]).encode(), process.xray)
        case "big":
            return b'"' + b"x" * 6_291_556 + b'"'
    await process.say(b"served\n")
    return json.dumps({"calls": calls, "life": process.generation}).encode()


async def runtime(process: FakeProcess) -> ProcessExit:
    """A small Lambda runtime."""
    host, port = process.runtime_api
    try:
        async with aiohttp.ClientSession(f"http://{host}:{port}") as http:
            await loop_for_ever(process, http)
    except Gone as gone:
        return gone.how


async def loop_for_ever(process: FakeProcess, http: aiohttp.ClientSession) -> None:
    calls = 0
    while True:
        async with http.get(f"{BASE}/invocation/next") as asked:
            request_id = asked.headers["Lambda-Runtime-Aws-Request-Id"]
            event = json.loads(await asked.read())
        calls += 1
        path = f"{BASE}/invocation/{request_id}"
        if event.get("do") == "raise":
            body = b'{"errorType":"ValueError"}'
            async with http.post(f"{path}/error", data=body):
                continue
        answer = await act(process, event, calls)
        # A refused answer may close the connection under what is still being sent.
        with contextlib.suppress(aiohttp.ClientError):
            async with http.post(f"{path}/response", data=io.BytesIO(answer)):
                pass
        if event.get("do") == "linger":
            await asyncio.sleep(0.05)


async def failing_init(process: FakeProcess) -> ProcessExit:
    """A function whose module cannot be imported, however often."""
    host, port = process.runtime_api
    await process.say(b"importing\n")
    async with (
        aiohttp.ClientSession(f"http://{host}:{port}") as http,
        http.post(
            f"{BASE}/init/error",
            data=b'{"errorType":"Runtime.ImportModuleError"}',
            headers={"Lambda-Runtime-Function-Error-Type": "Runtime.ImportModuleError"},
        ),
    ):
        return ProcessExit(status=1)


async def exiting_init(process: FakeProcess) -> ProcessExit:
    """A function that leaves while it is imported."""
    return ProcessExit(status=0)


async def second_init(process: FakeProcess) -> ProcessExit:
    """A function whose first init fails and whose second does not."""
    if process.generation == 1:
        return await failing_init(process)
    return await runtime(process)


@dataclass(eq=False)
class Reader:
    """The caller of an attempt; reads a streamed answer as it comes."""

    results: list[AttemptResult] = field(default_factory=list)
    chunks: list[bytes] = field(default_factory=list)
    content_type: str = ""
    heard: asyncio.Event = field(default_factory=asyncio.Event)
    """Set with every chunk; the test clears it."""

    @property
    def result(self) -> AttemptResult:
        [result] = self.results
        return result

    async def answer(self, result: AttemptResult) -> None:
        self.results.append(result)

    async def relay(self, attempt: Attempt, stream: ResponseStream) -> bool:
        self.content_type = stream.content_type
        while chunk := await stream.pipe.read(1_000_000):
            self.chunks.append(chunk)
            self.heard.set()
        return True


@dataclass(eq=False)
class Host:
    runner: AttemptRunner
    pool: Pool
    capacity: Capacity
    backend: FakeBackend
    logs: list[LogRecord] = field(default_factory=list)
    changes: list[tuple[str, int]] = field(default_factory=list)
    templates: FunctionTemplates = field(kw_only=True)
    spans: SpanQueue = field(kw_only=True)

    async def run(self, event: object = None, **changes: object) -> AttemptResult:
        """Run one attempt to its end."""
        reader = Reader()
        await self.runner.run(attempt(event, **changes), reader)
        return reader.result

    def lines(self) -> list[bytes]:
        return [record.message for record in self.logs]


async def until(condition: Callable[[], object]) -> None:
    """Wait for something that the sandbox does."""
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110  # it is told by no event on this side
            await asyncio.sleep(0.005)


numbers = iter(range(1, 1_000_000))


def attempt(event: object = None, **changes: object) -> Attempt:
    made = Attempt(
        invocation_id=f"id-{next(numbers)}",
        revision=REVISION,
        payload=json.dumps(event or {}).encode(),
        payload_to_fetch_bytes=0,
        invoked_function_arn=REVISION.function_arn,
        client_context="",
        want_log_tail=True,
        trace_header="",
        queue_timeout_s=5,
    )
    return replace(made, **changes)  # type: ignore[arg-type]


Program = Callable[[FakeProcess], Awaitable[ProcessExit]]


def no_tunnel(sandbox_id: str, function_arn: str) -> Tunnel:
    raise AssertionError("these functions do not call back")


@asynccontextmanager
async def host(
    folder: Path,
    program: Program = runtime,
    memory_mb: int = 1024,
    cores: int = 2,
    templates_mb: int | None = None,
    runtime_id: str = REVISION.runtime_id,
) -> AsyncIterator[Host]:
    code_directory = str(folder / "code" / f"{ARTIFACT_ID}.code")
    backend = FakeBackend(
        {code_directory: program},  # type: ignore[dict-item]
        (FoundRuntime(runtime_id=runtime_id, version="3.13.0"),),
    )
    executor = ThreadPoolExecutor(1)
    logs: list[LogRecord] = []
    changes: list[tuple[str, int]] = []

    async def fetch(artifact_id: str) -> AsyncIterator[bytes]:
        yield PACKAGE

    async def payload(invocation_id: str) -> bytes:
        return b'{"fetched": true}'

    code = CodeCache(folder / "code", fetch, executor, disk_reserve_bytes=0)
    code.open()
    capacity = Capacity(memory_bytes=memory_mb * MIB, sandboxes_max=100)
    spans = SpanQueue()
    doors = CallbackDoors(no_tunnel)
    starter = SandboxStarter(backend, code, logs.append, doors, SpanDoors(spans))

    def new_id() -> str:
        return f"sb-{next(numbers):032x}"

    templates = FunctionTemplates(
        starter,
        capacity,
        memory_bytes=(memory_mb // 4 if templates_mb is None else templates_mb) * MIB,
        new_id=new_id,
        make_room=lambda revision_id: pool.make_room(revision_id),
    )
    pool = Pool(
        Restorer(starter, templates).start,
        capacity,
        cores=cores,
        new_id=new_id,
        changed=lambda revision_id, idle: changes.append((revision_id, idle)),
    )
    pool.give_room = templates.give_room
    running = asyncio.create_task(pool.run())
    try:
        runner = AttemptRunner(pool, Ahead(pool, capacity), capacity, payload)
        yield Host(runner, pool, capacity, backend, logs, changes, templates=templates, spans=spans)
    finally:
        running.cancel()
        await asyncio.wait({running})
        await templates.close()
        executor.shutdown()
    assert backend.sandbox_ids == [], "a sandbox was left behind"
