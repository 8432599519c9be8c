"""Attempts on a host: pool, guard, starter and Runtime API together, over the fake backend.

The runtimes are coroutines that speak the real Runtime API over a real socket.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import io
import json
import re
import zipfile
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import aiohttp
import pytest

from sandbox.artifacts import CodeCache
from sandbox.attempts import AttemptRunner
from sandbox.backend import ProcessExit
from sandbox.capacity import Capacity
from sandbox.fake.backend import FakeBackend, FakeProcess
from sandbox.pool import Pool
from sandbox.spec import MIB
from sandbox.starter import SandboxStarter
from sandbox.work import (
    Attempt,
    AttemptResult,
    LogRecord,
    RefusalReason,
    RefusedError,
    Revision,
    StartLevel,
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
class Host:
    runner: AttemptRunner
    pool: Pool
    capacity: Capacity
    backend: FakeBackend
    logs: list[LogRecord] = field(default_factory=list)
    changes: list[tuple[str, int]] = field(default_factory=list)

    async def run(self, event: object = None, **changes: object) -> AttemptResult:
        """Run one attempt to its end."""
        results: list[AttemptResult] = []

        async def answer(result: AttemptResult) -> None:
            results.append(result)

        await self.runner.run(attempt(event, **changes), answer)
        assert len(results) == 1
        return results[0]

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


@asynccontextmanager
async def host(
    folder: Path, program: Program = runtime, memory_mb: int = 1024, cores: int = 2
) -> AsyncIterator[Host]:
    code_directory = str(folder / "code" / f"{ARTIFACT_ID}.code")
    backend = FakeBackend({code_directory: program})  # type: ignore[dict-item]
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
    pool = Pool(
        SandboxStarter(backend, code, logs.append).start,
        capacity,
        cores=cores,
        new_id=lambda: f"sb-{next(numbers):032x}",
        changed=lambda revision_id, idle: changes.append((revision_id, idle)),
    )
    running = asyncio.create_task(pool.run())
    try:
        runner = AttemptRunner(pool, capacity, payload)
        yield Host(runner, pool, capacity, backend, logs, changes)
    finally:
        running.cancel()
        await asyncio.wait({running})
        executor.shutdown()
    assert backend.sandbox_ids == [], "a sandbox was left behind"


async def test_the_first_invocation_is_fresh_and_the_second_warm(tmp_path):
    async with host(tmp_path) as it:
        first = await it.run()
        second = await it.run()
    assert json.loads(first.payload) == {"calls": 1, "life": 1}
    assert json.loads(second.payload) == {"calls": 2, "life": 1}
    assert (first.start_level, second.start_level) == (StartLevel.FRESH, StartLevel.WARM)
    assert first.init_duration_ns > 0
    assert second.init_duration_ns == 0
    assert first.sandbox_kept
    assert [phase.name for phase in first.phases] == [
        "queue",
        "artifact",
        "sandbox",
        "birth",
        "init",
        "invoke",
    ]


async def test_the_log_of_an_invocation_is_lambdas(tmp_path):
    async with host(tmp_path) as it:
        result = await it.run()
    lines = result.log_tail.decode().splitlines()
    assert lines[0] == f"START RequestId: {result.invocation_id} Version: $LATEST"
    assert lines[1] == "served"
    assert lines[2] == f"END RequestId: {result.invocation_id}"
    assert lines[3].startswith(f"REPORT RequestId: {result.invocation_id}\tDuration: ")
    assert "Init Duration" in lines[3]
    assert len(lines) == 4
    assert re.fullmatch(r"\d{4}/\d\d/\d\d/\[\$LATEST\][0-9a-f]{32}", it.logs[0].log_stream)


async def test_a_handlers_error_is_an_answer_and_keeps_the_sandbox(tmp_path):
    async with host(tmp_path) as it:
        failed = await it.run({"do": "raise"})
        after = await it.run()
    assert (failed.function_error, failed.payload) == (
        "Unhandled",
        b'{"errorType":"ValueError"}',
    )
    assert json.loads(after.payload) == {"calls": 2, "life": 1}


@pytest.mark.parametrize(
    ("event", "error_type", "message"),
    [
        (
            {"do": "exit", "status": 0},
            "Runtime.ExitError",
            "Runtime exited without providing a reason",
        ),
        (
            {"do": "exit", "status": 7},
            "Runtime.ExitError",
            "Runtime exited with error: exit status 7",
        ),
        ({"do": "die"}, "Runtime.ExitError", "Runtime exited with error: signal: killed"),
        ({"do": "hang"}, "Sandbox.Timedout", "Task timed out after 0.30 seconds"),
    ],
)
async def test_a_runtime_that_ends_or_hangs_gives_lambdas_answer_and_the_next_init_is_new(
    tmp_path, event, error_type, message
):
    async with host(tmp_path) as it:
        await it.run()
        failed = await it.run(event)
        after = await it.run()
    body = json.loads(failed.payload)
    assert failed.function_error == "Unhandled"
    assert body["errorType"] == error_type
    assert body["errorMessage"] == f"RequestId: {failed.invocation_id} Error: {message}"
    assert not failed.sandbox_kept
    assert json.loads(after.payload) == {"calls": 1, "life": 2}
    assert after.sandbox_id == failed.sandbox_id, "the environment is kept for the next init"
    assert after.start_level is StartLevel.FRESH


async def test_an_answer_that_is_too_large_is_named_and_the_sandbox_goes_on(tmp_path):
    async with host(tmp_path) as it:
        result = await it.run({"do": "big"})
        after = await it.run()
    assert json.loads(result.payload)["errorType"] == "Function.ResponseSizeTooLarge"
    assert json.loads(after.payload)["life"] == 1


async def test_an_init_error_is_repeated_within_the_invocation_and_then_answered(tmp_path):
    async with host(tmp_path, failing_init) as it:
        result = await it.run()
    assert result.payload == b'{"errorType":"Runtime.ImportModuleError"}'
    assert result.error_type == "Runtime.ImportModuleError"
    assert result.init_duration_ns == 0
    reports = [line for line in it.lines() if line.startswith(b"INIT_REPORT")]
    assert [b"Phase: init" in reports[0], b"Phase: invoke" in reports[1]] == [True, True]
    assert it.lines().count(b"importing") == 2


async def test_an_exit_during_init_is_answered_as_an_exit(tmp_path):
    async with host(tmp_path, exiting_init) as it:
        result = await it.run()
    body = json.loads(result.payload)
    assert body["errorType"] == "Runtime.ExitError"
    assert body["errorMessage"].endswith("Runtime exited without providing a reason")


async def test_an_init_that_works_the_second_time_serves_the_invocation(tmp_path):
    async with host(tmp_path, second_init) as it:
        result = await it.run()
    assert json.loads(result.payload) == {"calls": 1, "life": 2}
    assert result.function_error == ""


async def test_many_at_once_are_all_served_by_no_more_sandboxes_than_were_started(tmp_path):
    async with host(tmp_path, memory_mb=4096) as it:
        results = await asyncio.gather(*(it.run() for _ in range(100)))
        assert len({result.sandbox_id for result in results}) <= 100
        assert it.capacity.sandboxes == len(it.backend.sandbox_ids)
    assert len({result.invocation_id for result in results}) == 100
    assert all(result.function_error == "" for result in results)


async def test_a_host_without_memory_refuses_at_once(tmp_path):
    async with host(tmp_path, memory_mb=16) as it:
        with pytest.raises(RefusedError, match="budget is spent") as caught:
            await it.run()
    assert caught.value.reason is RefusalReason.MEMORY


async def test_idle_sandboxes_of_others_make_room(tmp_path):
    async with host(tmp_path, memory_mb=40) as it:
        first = await it.run()
        other = await it.run(revision=replace(REVISION, revision_id="rev-2"))
        assert it.pool.idle_counts == {"rev-2": 1}
    assert first.sandbox_id != other.sandbox_id
    assert ("rev-1", 0) in it.changes


async def test_nobody_waits_longer_for_a_sandbox_than_he_said(tmp_path):
    async with host(tmp_path, exiting_init, cores=1) as it:
        it.pool._starters = 0  # nothing starts
        with pytest.raises(RefusedError) as caught:
            async with asyncio.timeout(5):
                await it.run(queue_timeout_s=0)
    assert caught.value.reason is RefusalReason.BUSY


async def test_an_unknown_runtime_is_refused_with_those_that_are_here(tmp_path):
    async with host(tmp_path) as it:
        with pytest.raises(RefusedError, match=r"no runtime cobol, only \['python3.13'\]"):
            await it.run(revision=replace(REVISION, runtime_id="cobol"))
        assert it.capacity.sandboxes == 0


async def hangs_up_when_idle(process: FakeProcess) -> ProcessExit:
    """Its runtime dies while it waits, and a frozen pid 1 cannot tell of it."""
    host, port = process.runtime_api
    async with aiohttp.ClientSession(f"http://{host}:{port}") as http:
        async with http.get(f"{BASE}/invocation/next") as asked:
            request_id = asked.headers["Lambda-Runtime-Aws-Request-Id"]
        async with http.post(f"{BASE}/invocation/{request_id}/response", data=b"1"):
            pass
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0.05):
                await http.get(f"{BASE}/invocation/next")
    return await process.sleep_until_killed()


async def test_a_runtime_that_died_unseen_while_idle_gets_no_event(tmp_path):
    async with host(tmp_path, hangs_up_when_idle) as it:
        first = await it.run()
        await until(lambda: ("rev-1", 0) in it.changes)
        second = await it.run()
    assert (first.payload, second.payload) == (b"1", b"1")
    assert first.sandbox_id != second.sandbox_id


async def test_a_retired_revision_leaves_no_sandbox_behind(tmp_path):
    async with host(tmp_path) as it:
        await it.run()
        it.pool.retire("rev-1")
        assert it.pool.idle_counts == {}
        assert it.capacity.sandboxes == 0


async def test_a_revision_that_comes_back_is_kept_warm_again(tmp_path):
    async with host(tmp_path) as it:
        await it.run()
        it.pool.retire("rev-1")
        await it.run()
        again = await it.run()
    assert again.start_level is StartLevel.WARM


async def test_a_runtime_that_is_slow_to_ask_again_delays_no_answer_and_is_used_again(tmp_path):
    async with host(tmp_path) as it:
        await it.run()
        lingering = await it.run({"do": "linger"})
        after = await it.run()
    assert not lingering.sandbox_kept
    assert ("rev-1", 1) in it.changes
    assert json.loads(after.payload)["calls"] == 3


async def test_a_large_event_is_fetched_before_it_runs(tmp_path):
    async with host(tmp_path) as it:
        result = await it.run(payload=b"", payload_to_fetch_bytes=100)
    assert json.loads(result.payload) == {"calls": 1, "life": 1}


async def test_an_attempt_that_is_cancelled_in_the_middle_gives_its_sandbox_up(tmp_path):
    async with host(tmp_path) as it:
        await it.run()
        task = asyncio.create_task(it.run({"do": "hang"}))
        await until(lambda: b"hanging" in it.lines())
        task.cancel()
        await asyncio.wait({task})
        after = await it.run()
    assert json.loads(after.payload)["life"] == 2
