"""A Python runtime as a real process against the real Runtime API, on any Python of this host."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from runtimes.catalog import RUNTIMES, candidate_patterns
from sandbox.runtimeapi import (
    FunctionFailure,
    InitError,
    OversizedResponse,
    Response,
    ResponseStream,
    RuntimeApi,
    RuntimeEvent,
)

HERE = Path(__file__).resolve().parent
FUNCTIONS = HERE.parent.parent / "functions" / "python"
RUNTIME = HERE.parent.parent.parent / "runtimes" / "python"

AWS = "awslambdaric"
"""Not an interpreter: AWS's runtime client under the Python that runs the tests."""


def pythons() -> dict[str, str]:
    """Every Python version of this host that works, and one interpreter for it."""
    found = {f"python{sys.version_info[0]}.{sys.version_info[1]}": sys.executable}
    homes = (Path.home(),)
    for runtime_id, runtime in RUNTIMES.items():
        if not runtime_id.startswith("python"):
            continue
        for folder, pattern in candidate_patterns(runtime, os.environ.get("PATH", ""), homes):
            for path in sorted(folder.glob(pattern)):
                if runtime_id not in found and _works(path):
                    found[runtime_id] = str(path)
    return found


def _works(path: Path) -> bool:
    try:
        done = subprocess.run([path, "-c", ""], capture_output=True, timeout=20, check=False)
    except OSError:
        return False
    return done.returncode == 0


PYTHONS = pythons()
OURS = pytest.mark.parametrize("kind", sorted(PYTHONS))
BOTH = pytest.mark.parametrize("kind", [*sorted(PYTHONS), AWS])

ONE_OF_EACH = pytest.mark.parametrize("kind", [max(PYTHONS), AWS])
"""For what does not depend on the Python version and would only take time."""

START_S = 20.0
"""No start takes this long; it only keeps a broken one from hanging the suite."""


class Function:
    """One function in one process tree."""

    def __init__(self, api: RuntimeApi, process: asyncio.subprocess.Process, log: Path) -> None:
        self.api = api
        self.process = process
        self._log = log
        self._count = 0

    async def initialised(self) -> InitError | None:
        return await self._or_exit(self.api.initialised())

    async def invoke(self, payload: object = None, **extras: str) -> object:
        """The decoded answer of an event that is expected to succeed."""
        answer = await self.send(json.dumps(payload).encode(), **extras)
        assert isinstance(answer, Response), answer
        return json.loads(answer.payload)

    async def fail(self, payload: object = None, **extras: str) -> dict[str, object]:
        """The decoded error of an event that is expected to fail."""
        answer = await self.send(json.dumps(payload).encode(), **extras)
        assert isinstance(answer, FunctionFailure), answer
        return json.loads(answer.payload)

    async def send(
        self, payload: bytes, **extras: str
    ) -> Response | FunctionFailure | OversizedResponse:
        self.deliver(payload, **extras)
        return await self._or_exit(self.api.answered())

    async def stream(self, payload: object = None) -> ResponseStream:
        """The answer of an event whose caller takes it as it comes."""
        self.deliver(json.dumps(payload).encode(), stream_limit_bytes=1_000_000_000)
        answer = await self._or_exit(self.api.answered())
        assert isinstance(answer, ResponseStream), answer
        return answer

    def deliver(self, payload: bytes, **extras: str | int) -> None:
        self._count += 1
        self.api.deliver(
            RuntimeEvent(
                request_id=f"req-{self._count}",
                payload=payload,
                deadline_ms=int(time.time() * 1000) + 60_000,
                invoked_function_arn="arn:aws:lambda:us-east-1:000000000000:function:shop",
                **extras,
            )
        )

    async def settled(self) -> None:
        await self._or_exit(self.api.idle())

    async def exit_status(self) -> int:
        async with asyncio.timeout(START_S):
            return await self.process.wait()

    def output(self) -> str:
        return self._log.read_bytes().decode()

    async def _or_exit(self, awaitable):
        """What the sandbox's owner does: race a wait against the end of the process."""
        waiting = asyncio.ensure_future(awaitable)
        ended = asyncio.ensure_future(self.process.wait())
        try:
            await asyncio.wait(
                {waiting, ended}, timeout=START_S, return_when=asyncio.FIRST_COMPLETED
            )
            if not waiting.done():
                pytest.fail(f"exit {self.process.returncode}, log:\n{self.output()}")
            return waiting.result()
        finally:
            waiting.cancel()
            ended.cancel()
            await asyncio.gather(waiting, ended, return_exceptions=True)


Start = Callable[..., "asyncio.Future[Function]"]
"""start(kind, handler, files, environment)"""


async def start_process(
    stack: contextlib.AsyncExitStack,
    kind: str,
    handler: str,
    task: Path,
    environment: dict[str, str],
) -> Function:
    listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
    listener.setblocking(False)
    api = RuntimeApi(listener)
    await api.start()
    stack.push_async_callback(api.close)
    log = task.parent / "log"
    with log.open("wb") as sink:
        process = await asyncio.create_subprocess_exec(
            *_command(kind, handler),
            cwd=task,
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=sink,
            env={
                "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{listener.getsockname()[1]}",
                "AWS_EXECUTION_ENV": "AWS_Lambda_python3.13",
                "AWS_LAMBDA_FUNCTION_NAME": "shop",
                "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
                "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128",
                "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/shop",
                "AWS_LAMBDA_LOG_STREAM_NAME": "2026/01/01/[$LATEST]abc",
                "LAMBDA_TASK_ROOT": str(task),
                "PYTHONPATH": str(task if kind == AWS else RUNTIME),
                "LC_CTYPE": "C.UTF-8",
                "_HANDLER": handler,
                **environment,
            },
        )
    stack.push_async_callback(_end, process)
    return Function(api, process, log)


def _command(kind: str, handler: str) -> list[str]:
    if kind == AWS:
        return [sys.executable, "-m", AWS, handler]
    return [PYTHONS[kind], str(RUNTIME / "bootstrap.py")]


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.kill()
    await process.wait()
