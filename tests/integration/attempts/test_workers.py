"""Many events at once in one worker: who shares what, and whose end is whose."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import aiohttp
import pytest

from emberd.wire.errors import UnavailableError
from runtimes.catalog import SEATS_VARIABLE
from sandbox.backend import FoundRuntime, ProcessExit, Sandbox
from sandbox.capacity import UNKNOWN_CHARGE_BYTES
from sandbox.fake.backend import FakeBackend, FakeProcess
from sandbox.spec import MIB, Limits, SandboxSpec
from sandbox.work import AttemptResult, StartLevel
from sandbox.workers.backend import Workers
from sandbox.workers.worker import Seat
from tests.integration.attempts.playing import BASE, REVISION, Gone, Host, host, until

WASM = replace(REVISION, runtime_id="wasm", handler="main.wasm", timeout_s=5)
CPU_MILLIS = 128 * 1000 // 1769


@dataclass
class Crew:
    """A worker as the WebAssembly runtime is one: a connection for each seat, and one to ask."""

    process: FakeProcess
    ended: asyncio.Future[ProcessExit]
    members: set[asyncio.Task[None]] = field(default_factory=set)

    def hire(self, work: Callable[[aiohttp.ClientSession], Awaitable[None]]) -> None:
        task = asyncio.create_task(self.connected(work))
        self.members.add(task)
        task.add_done_callback(self.members.discard)

    async def connected(self, work: Callable[[aiohttp.ClientSession], Awaitable[None]]) -> None:
        host, port = self.process.runtime_api
        with contextlib.suppress(aiohttp.ClientError):
            async with aiohttp.ClientSession(f"http://{host}:{port}") as http:
                await work(http)

    async def door(self, http: aiohttp.ClientSession) -> None:
        while True:
            async with http.get("/2018-06-01/runtime/seat/next"):
                self.hire(self.member)

    async def member(self, http: aiohttp.ClientSession) -> None:
        while True:
            async with http.get(f"{BASE}/invocation/next") as asked:
                request_id = asked.headers["Lambda-Runtime-Aws-Request-Id"]
                event = json.loads(await asked.read())
            try:
                answer = await self.act(request_id, event)
            except Gone as gone:
                self.ended.set_result(gone.how)
                return
            async with http.post(f"{BASE}/invocation/{request_id}/response", data=answer):
                pass

    async def act(self, request_id: str, event: dict[str, object]) -> bytes:
        gate = self.process.memory["gate"]
        assert isinstance(gate, asyncio.Event)
        for line in event.get("say", ()):  # type: ignore[attr-defined]
            await self.process.say(b"\x1e" + request_id.encode() + line.encode() + b"\n")
        match event.get("do"):
            case "wait":
                await gate.wait()
            case "hang":
                await asyncio.get_running_loop().create_future()
            case "die":
                raise Gone(ProcessExit(signal=11))
        return json.dumps(self.process.spec.environment[SEATS_VARIABLE]).encode()


async def worker(process: FakeProcess) -> ProcessExit:
    process.memory.setdefault("gate", asyncio.Event())
    crew = Crew(process, asyncio.get_running_loop().create_future())
    crew.hire(crew.member)
    crew.hire(crew.door)
    try:
        return await crew.ended
    finally:
        for task in crew.members:
            task.cancel()


@dataclass
class Events:
    """Events of one function on one host, which are begun together and end in any order."""

    host: Host

    @asynccontextmanager
    async def begun(
        self, *events: object, memory_mb: int = 128, timeout_s: float = 5
    ) -> AsyncIterator[list[asyncio.Task[AttemptResult]]]:
        """Begin them, one after the other, once the function's worker stands."""
        revision = replace(WASM, memory_size_mb=memory_mb, timeout_s=timeout_s)
        await self.host.run({}, revision=revision)
        tasks = []
        for number, event in enumerate(events, 1):
            tasks.append(asyncio.create_task(self.host.run(event, revision=revision)))
            await until(lambda count=number: self.at_work() >= count)
        yield tasks

    def at_work(self) -> int:
        return sum(1 for guard in self.host.pool._busy if guard.state.value == "busy")

    def open_gates(self) -> None:
        for sandbox_id in self.host.backend.sandbox_ids:
            gate = self.host.backend.sandbox(sandbox_id).memory["gate"]
            assert isinstance(gate, asyncio.Event)
            gate.set()


@pytest.fixture
async def events(tmp_path: Path) -> AsyncIterator[Events]:
    async with host(tmp_path, worker, memory_mb=2048, runtime_id="wasm") as played:
        yield Events(played)


@pytest.fixture
def backend() -> FakeBackend:
    return FakeBackend({"code": worker}, (FoundRuntime(runtime_id="wasm", version="3.13.0"),))


@pytest.fixture
def workers(backend: FakeBackend) -> Workers:
    return Workers(backend, cores=1)


SPEC = SandboxSpec(
    sandbox_id="sb-0",
    revision_id="r-1",
    runtime_id="wasm",
    code_directory="code",
    environment={},
    limits=Limits.for_memory(128, 512),
)
WAIT = {"do": "wait"}


async def test_events_at_once_sit_in_one_worker_and_only_the_first_waits_for_it(
    events: Events,
) -> None:
    async with events.begun(WAIT, WAIT, WAIT) as begun:
        assert len(events.host.backend.sandbox_ids) == 1
        events.open_gates()
        results = [await each for each in begun]
    assert [each.payload for each in results] == [b'"32"'] * 3
    assert {each.start_level for each in results} == {StartLevel.WARM}
    assert {each.init_duration_ns for each in results} == {0}
    assert len({each.sandbox_id for each in results}) == 3


async def test_many_first_events_at_once_are_charged_as_seats(events: Events) -> None:
    """As sandboxes of their own, of 32 MB each, they would fill the host twice."""
    burst = [
        asyncio.create_task(events.host.run(WAIT, revision=replace(WASM, timeout_s=30)))
        for _ in range(96)
    ]
    try:
        await until(lambda: events.at_work() == 96 or any(each.done() for each in burst))
        assert not any(each.done() for each in burst)
        assert events.host.capacity.charged_bytes < 1024 * MIB
    finally:
        events.open_gates()
        await asyncio.gather(*burst, return_exceptions=True)


async def test_a_worker_has_its_functions_cpu_and_memory_once_for_each_event(
    events: Events,
) -> None:
    async with events.begun(WAIT, WAIT, WAIT) as begun:
        [sandbox_id] = events.host.backend.sandbox_ids
        sandbox = events.host.backend.sandbox(sandbox_id)
        assert sandbox.cpu_millis == 3 * CPU_MILLIS
        assert sandbox.memory_bytes == 3 * 128 * MIB
        events.open_gates()
        await asyncio.gather(*begun)
        await until(lambda: sandbox.is_frozen)
        await events.host.run({}, revision=WASM)
        assert sandbox.cpu_millis == CPU_MILLIS


async def test_an_event_that_lasts_has_the_next_seat_made_which_costs_nothing_until_it_has_one(
    events: Events,
) -> None:
    async with events.begun(WAIT) as begun:
        pool = events.host.pool
        await until(lambda: pool.idle_counts == {WASM.revision_id: 1})
        [sandbox_id] = events.host.backend.sandbox_ids
        sandbox = events.host.backend.sandbox(sandbox_id)
        assert (sandbox.cpu_millis, sandbox.memory_bytes) == (CPU_MILLIS, 128 * MIB)
        [ready] = pool._idle[WASM.revision_id]
        joined = await events.host.run({}, revision=WASM)
        assert joined.sandbox_id == ready.sandbox_id
        assert [each.name for each in joined.phases] == ["invoke"], "it waited for nothing"
        assert sandbox.memory_bytes == 2 * 128 * MIB
        events.open_gates()
        await asyncio.gather(*begun)


async def test_seats_that_stand_ready_end_with_a_worker_that_is_spent(events: Events) -> None:
    async with events.begun():
        [first] = events.host.backend.sandbox_ids
        await events.host.pool.start_spare(WASM, None)
        assert events.host.pool.idle_counts[WASM.revision_id] >= 2
        hanging = replace(WASM, timeout_s=0.1)
        late = await events.host.run({"do": "hang"}, revision=hanging)
        assert late.error_type == "Sandbox.Timedout"
        await until(lambda: first not in events.host.backend.sandbox_ids)
        assert events.host.pool.idle_counts == {}


async def test_a_second_worker_is_made_when_the_first_is_full(events: Events) -> None:
    async with events.begun(WAIT, WAIT, WAIT, memory_mb=2048) as begun:
        assert len(events.host.backend.sandbox_ids) == 2
        events.open_gates()
        assert {(await each).payload for each in begun} == {b'"2"'}


async def test_few_events_share_a_worker_and_more_have_one_for_each_core(events: Events) -> None:
    async with events.begun(*[WAIT] * 12) as begun:
        assert len(events.host.backend.sandbox_ids) == 2
        events.open_gates()
        await asyncio.gather(*begun)


async def test_a_time_out_gives_up_its_own_seat_and_the_worker_ends_with_its_last_event(
    events: Events,
) -> None:
    async with events.begun(WAIT, timeout_s=5) as [waiting]:
        [first] = events.host.backend.sandbox_ids
        hanging = replace(WASM, timeout_s=0.1)
        late = await events.host.run({"do": "hang"}, revision=hanging)
        assert late.error_type == "Sandbox.Timedout"
        assert not late.sandbox_kept
        assert not waiting.done()
        # The worker is spent: what comes now has another one.
        await events.host.run({}, revision=WASM)
        assert len(events.host.backend.sandbox_ids) == 2
        events.open_gates()
        assert (await waiting).error_type == ""
        await until(lambda: first not in events.host.backend.sandbox_ids)


async def test_a_crash_ends_what_is_in_flight_there_and_the_next_event_has_a_new_worker(
    events: Events,
) -> None:
    async with events.begun(WAIT, WAIT) as begun:
        crashed = await events.host.run({"do": "die"}, revision=WASM)
        results = [crashed, *await asyncio.gather(*begun)]
    assert {each.error_type for each in results} == {"Runtime.ExitError"}
    for result in results:
        said = json.loads(result.payload)
        assert said["errorType"] == "Runtime.ExitError"
        assert result.invocation_id in said["errorMessage"]
    assert (await events.host.run({}, revision=WASM)).error_type == ""


async def test_a_seat_is_not_restarted_at_the_expense_of_others(events: Events) -> None:
    async with events.begun(WAIT, WAIT) as begun:
        guard = next(iter(events.host.pool._busy))
        assert guard._seat is not None
        entrance = guard._seat.worker.entrance
        await until(lambda: entrance._asking is not None)
        door = entrance._asking
        await guard.abandon()
        with pytest.raises(UnavailableError, match="its worker has other events"):
            await guard.restart()
        assert entrance._asking is door, "the worker, which ends without it, has it still"
        [ended], [goes_on] = await asyncio.wait(begun, return_when=asyncio.FIRST_COMPLETED)
        assert (await ended).error_type == "Runtime.ExitError"
        events.open_gates()
        assert (await goes_on).error_type == ""


async def test_nobody_joins_a_worker_that_is_being_ended(workers: Workers) -> None:
    first = await workers.create(SPEC)
    first.limit_cpu()
    ending = asyncio.create_task(first.kill())
    await asyncio.sleep(0)
    second = await workers.create(replace(SPEC, sandbox_id="sb-1"))
    assert isinstance(second, Seat)
    assert not second.joined
    await ending
    for each in (first, second):
        await each.destroy()


async def test_a_worker_that_begins_again_has_memory_for_its_next_seats_too(
    backend: FakeBackend, workers: Workers
) -> None:
    async def more(first: int) -> list[Sandbox]:
        seats = [await workers.create(replace(SPEC, sandbox_id=f"sb-{first + n}")) for n in (0, 1)]
        for seat in seats:
            seat.limit_cpu()
        assert backend.sandbox("sb-0").memory_bytes == 3 * SPEC.limits.memory_bytes
        return seats

    sole = await workers.create(SPEC)
    sole.limit_cpu()
    for each in await more(1):
        await each.destroy()
    await sole.kill()
    await sole.reset()
    sole.limit_cpu()
    for each in [sole, *await more(3)]:
        await each.destroy()
    assert backend.sandbox_ids == []


async def test_every_line_reaches_the_log_of_its_own_event(events: Events) -> None:
    mine, yours = (
        {"do": "wait", "say": [f" {name} one", f"+ {name}", "+ goes", " on", f" {name} two"]}
        for name in ("mine", "yours")
    )
    async with events.begun(mine, yours) as begun:
        events.open_gates()
        ids = [(await each).invocation_id for each in begun]
    for invocation_id, name in zip(ids, (b"mine", b"yours"), strict=True):
        lines = [
            each.message
            for each in events.host.logs
            if each.invocation_id == invocation_id and each.message.startswith(name)
        ]
        assert lines == [name + b" one", name + b"goeson", name + b" two"]


async def test_a_worker_is_gone_with_its_last_seat(events: Events) -> None:
    async with events.begun(WAIT, WAIT) as begun:
        events.open_gates()
        await asyncio.gather(*begun)
    events.host.pool.retire(WASM.revision_id)
    await until(lambda: events.host.backend.sandbox_ids == [])


async def test_what_a_retired_revision_took_is_forgotten_with_its_last_seat(events: Events) -> None:
    capacity = events.host.capacity
    async with events.begun(WAIT, WAIT) as begun:
        events.host.pool.retire(WASM.revision_id)
        events.open_gates()
        await asyncio.gather(*begun)
    await until(lambda: capacity.sandboxes == 0)
    capacity.charge("sb-new", WASM.revision_id)
    assert capacity.charged_bytes == UNKNOWN_CHARGE_BYTES


async def test_seats_may_stand_ready_side_by_side_before_any_event(events: Events) -> None:
    await events.host.run({}, revision=WASM)
    before = events.host.pool.idle_counts[WASM.revision_id]
    for _ in range(3):
        await events.host.pool.start_spare(WASM, None)
    assert events.host.pool.idle_counts == {WASM.revision_id: before + 3}
    assert len(events.host.backend.sandbox_ids) == 1
