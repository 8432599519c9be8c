"""Control plane and host over the real wire: dispatcher and fleet service there, session here.

The host's brain is scripted; everything between the two brains is the real thing.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import grpc
import pytest

from controlplane.dispatch.dispatcher import Dispatcher
from controlplane.fleet.service import FleetService
from controlplane.model.invocation import InvocationRecord, InvocationRequest, StartLevel
from controlplane.model.log import LogLine
from controlplane.model.revision import Resolution, Revision
from controlplane.model.trace import TraceContext
from controlplane.scheduler import Scheduler
from emberd.fleet.v1 import fleet_pb2 as pb
from emberd.fleet.v1 import fleet_pb2_grpc
from emberd.wire.channels import SERVER_OPTIONS
from emberd.wire.errors import CapacityError, NotFoundError, UnavailableError
from emberd.wire.interceptors import ServerInterceptor, TokenTable
from sandbox import frames, work
from sandbox.logs import LogQueue
from sandbox.session import Session

TOKEN = "host-token"
MIB = 1024 * 1024

REVISION = Revision(
    revision_id="rev-1",
    function_name="hello",
    version="$LATEST",
    function_arn="arn:aws:lambda:us-east-1:000000000000:function:hello",
    runtime_id="python3.11",
    handler="app.handler",
    artifact_id="a" * 64,
    artifact_size_bytes=3,
    memory_size_mb=128,
    ephemeral_storage_mb=512,
    timeout_s=3,
    environment={"A": "b"},
    region="us-east-1",
    account_id="000000000000",
)


class OneFunction:
    """Resolves every name to the one revision."""

    def resolve(self, function_name: str, qualifier: str, draw: float) -> Resolution:
        return Resolution(
            revision=REVISION, invoked_arn=REVISION.function_arn, reserved_concurrency=None
        )


class OneArtifact:
    """Holds one package of three bytes."""

    async def chunks(self, artifact_id: str) -> AsyncIterator[bytes]:
        if artifact_id != REVISION.artifact_id:
            raise NotFoundError(f"no artifact {artifact_id}", reason="RESOURCE_NOT_FOUND")
        yield b"zi"
        yield b"p"


@dataclass(eq=False)
class ScriptedHost:
    """Answers each attempt as the test says."""

    session: Session
    act: Callable[[ScriptedHost, work.Attempt], None]
    seen: list[work.Attempt] = field(default_factory=list)
    retired: list[str] = field(default_factory=list)
    tasks: set[asyncio.Task[None]] = field(default_factory=set)
    hellos: int = 0

    def hello(self, last_epoch: int) -> pb.HostFrame:
        self.hellos += 1
        description = work.HostDescription(
            host_id="host-1",
            architecture="x86_64",
            memory_bytes=1024 * MIB,
            cpu_millis=2000,
            sandboxes_max=100,
            runtimes={"python3.11": "3.11.7"},
        )
        return frames.hello(description, idle={}, artifact_ids=[], last_epoch=last_epoch)

    def on_dispatch(self, attempt: work.Attempt) -> None:
        self.seen.append(attempt)
        self.act(self, attempt)

    def on_cancel(self, invocation_id: str) -> None:
        pass

    def on_retire(self, revision_id: str) -> None:
        self.retired.append(revision_id)

    def on_drain(self) -> None:
        pass

    def answer(self, attempt: work.Attempt, payload: bytes) -> None:
        task = asyncio.create_task(self.session.answer(result_of(attempt, payload)))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)


def result_of(attempt: work.Attempt, payload: bytes) -> work.AttemptResult:
    return work.AttemptResult(
        invocation_id=attempt.invocation_id,
        payload=payload,
        function_error="",
        error_type="",
        log_tail=b"tail",
        start_level=work.StartLevel.FRESH,
        duration_ns=1_500_000,
        billed_ms=2,
        init_duration_ns=500_000,
        memory_peak_bytes=40 * MIB,
        phases=(work.Phase(name="invoke", start_ns=5, end_ns=9),),
        sandbox_id="sb-1",
        sandbox_kept=True,
    )


@dataclass(eq=False)
class Fleet:
    dispatcher: Dispatcher
    service: FleetService
    address: str
    records: list[InvocationRecord]
    logs: list[LogLine]
    attached: asyncio.Event


@asynccontextmanager
async def control_plane() -> AsyncIterator[Fleet]:
    records: list[InvocationRecord] = []
    logs: list[LogLine] = []
    attached = asyncio.Event()
    trace = TraceContext(trace_id="1" * 32, parent_span_id="", span_id="2" * 16, sampled=True)
    dispatcher = Dispatcher(
        Scheduler(),
        OneFunction(),
        draw=lambda: 0.5,
        new_trace=lambda _: trace,
        record=records.append,
    )
    service = FleetService(
        dispatcher,
        OneArtifact(),
        epoch=7,
        take_logs=logs.extend,
        attached=attached.set,
    )
    table = TokenTable({"emberd.fleet.v1.FleetService": TOKEN})
    server = grpc.aio.server(interceptors=[ServerInterceptor(table)], options=SERVER_OPTIONS)
    fleet_pb2_grpc.add_FleetServiceServicer_to_server(service, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        yield Fleet(dispatcher, service, f"127.0.0.1:{port}", records, logs, attached)
    finally:
        service.end_streams()
        await server.stop(1)


@asynccontextmanager
async def host_of(
    fleet: Fleet, act: Callable[[ScriptedHost, work.Attempt], None], token: str = TOKEN
) -> AsyncIterator[ScriptedHost]:
    logs = LogQueue()
    session = Session(fleet.address, token, logs)
    host = ScriptedHost(session, act)
    host.log_queue = logs  # type: ignore[attr-defined]
    running = asyncio.create_task(session.run(host))
    try:
        yield host
    finally:
        running.cancel()
        await asyncio.wait({running})
        await session.close()


async def until(condition: Callable[[], object]) -> None:
    """Wait for something that the other side of the wire does."""
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110  # it is told by no event on this side
            await asyncio.sleep(0.005)


def echo(host: ScriptedHost, attempt: work.Attempt) -> None:
    host.answer(attempt, attempt.payload)


def event(payload: bytes = b"{}", request_id: str = "inv-1") -> InvocationRequest:
    return InvocationRequest(
        request_id=request_id,
        function_name="hello",
        qualifier="",
        payload=payload,
        client_context="",
        want_log_tail=True,
        traceparent="",
        arrival_ns=1,
    )


async def test_an_invocation_travels_to_the_host_and_back():
    async with control_plane() as fleet, host_of(fleet, echo) as host:
        await fleet.attached.wait()
        result = await fleet.dispatcher.invoke(event(b'{"a": 1}'))
        await asyncio.sleep(0)
    assert result.attempt.payload == b'{"a": 1}'
    assert result.attempt.start_level is StartLevel.FRESH
    assert result.attempt.log_tail == b"tail"
    assert (result.attempt.duration_ns, result.attempt.billed_ms) == (1_500_000, 2)
    assert result.host_id == "host-1"
    attempt = host.seen[0]
    assert attempt.revision.timeout_s == 3
    assert attempt.revision.environment == {"A": "b"}
    assert attempt.trace_header.startswith("Root=1-11111111-")
    assert [phase.name for phase in fleet.records[0].phases] == ["front", "schedule", "invoke"]


@pytest.mark.parametrize("size", [64 * 1024, 64 * 1024 + 1, 6 * MIB])
async def test_events_and_answers_of_every_size_arrive_whole(size):
    payload = bytes(range(256)) * (size // 256) + b"x" * (size % 256)

    def fetch_then_echo(host: ScriptedHost, attempt: work.Attempt) -> None:
        async def go() -> None:
            event = attempt.payload or await host.session.fetch_payload(attempt.invocation_id)
            await host.session.answer(result_of(attempt, event))

        task = asyncio.create_task(go())
        host.tasks.add(task)
        task.add_done_callback(host.tasks.discard)

    async with control_plane() as fleet, host_of(fleet, fetch_then_echo):
        await fleet.attached.wait()
        result = await fleet.dispatcher.invoke(event(payload))
    assert result.attempt.payload == payload


async def test_two_hundred_at_once_are_answered_each_with_its_own():
    async with control_plane() as fleet, host_of(fleet, echo):
        await fleet.attached.wait()
        asked = [event(b"%d" % n, f"inv-{n}") for n in range(200)]
        results = await asyncio.gather(*(fleet.dispatcher.invoke(each) for each in asked))
    assert [result.attempt.payload for result in results] == [b"%d" % n for n in range(200)]


async def test_without_any_host_a_caller_is_told_at_once():
    async with control_plane() as fleet:
        with pytest.raises(UnavailableError, match="host"):
            await fleet.dispatcher.invoke(event())


async def test_a_host_that_refuses_leaves_a_throttled_caller():
    def refuse(host: ScriptedHost, attempt: work.Attempt) -> None:
        host.session.refuse(attempt.invocation_id, work.RefusalReason.MEMORY, "no memory left")

    async with control_plane() as fleet, host_of(fleet, refuse):
        await fleet.attached.wait()
        with pytest.raises(CapacityError, match="no memory left") as caught:
            await fleet.dispatcher.invoke(event())
    assert caught.value.reason == "TOO_MANY_REQUESTS"


async def test_a_host_that_is_lost_ends_what_ran_there_with_a_definite_error():
    async with control_plane() as fleet:
        async with host_of(fleet, lambda host, attempt: None) as host:
            await fleet.attached.wait()
            invocation = asyncio.create_task(fleet.dispatcher.invoke(event()))
            await until(lambda: host.seen)
        async with asyncio.timeout(5):
            with pytest.raises(UnavailableError) as caught:
                await invocation
    assert caught.value.reason == "HOST_LOST"


async def test_a_host_attaches_again_when_its_stream_breaks():
    async with control_plane() as fleet, host_of(fleet, echo) as host:
        await fleet.attached.wait()
        fleet.attached.clear()
        fleet.service.end_streams()
        async with asyncio.timeout(5):
            await fleet.attached.wait()
        result = await fleet.dispatcher.invoke(event(b"7"))
    assert result.attempt.payload == b"7"
    assert host.hellos == 2


async def test_a_host_that_leaves_does_not_attach_again_when_its_stream_breaks():
    async with control_plane() as fleet, host_of(fleet, echo) as host:
        await fleet.attached.wait()
        host.session.leave()
        fleet.attached.clear()
        fleet.service.end_streams()
        async with asyncio.timeout(5):
            await host.session.left()
        with pytest.raises(UnavailableError):
            await fleet.dispatcher.invoke(event())
    assert host.hellos == 1


async def test_a_caller_that_leaves_does_not_disturb_the_next_one():
    async with control_plane() as fleet, host_of(fleet, echo) as host:
        await fleet.attached.wait()
        host.act = lambda host, attempt: None
        leaving = asyncio.create_task(fleet.dispatcher.invoke(event(request_id="inv-a")))
        await until(lambda: host.seen)
        leaving.cancel()
        await asyncio.wait({leaving})
        host.answer(host.seen[0], b"late")
        host.act = echo
        result = await fleet.dispatcher.invoke(event(b"2", "inv-b"))
    assert result.attempt.payload == b"2"


async def test_an_answer_that_nobody_can_take_still_ends_its_attempt():
    async with control_plane() as fleet, host_of(fleet, lambda host, attempt: None) as host:
        await fleet.attached.wait()
        leaving = asyncio.create_task(fleet.dispatcher.invoke(event()))
        await until(lambda: host.seen)
        leaving.cancel()
        await asyncio.wait({leaving})
        host.answer(host.seen[0], b"x" * 100_000)
        await until(lambda: fleet.dispatcher.in_flight == 0)


async def test_a_result_for_another_hosts_invocation_is_ignored():
    async with control_plane() as fleet, host_of(fleet, echo) as host:
        await fleet.attached.wait()
        stray = replace(result_of(attempt_named("nobody"), b"x"))
        await host.session.answer(stray)
        result = await fleet.dispatcher.invoke(event(b"1"))
    assert result.attempt.payload == b"1"


def attempt_named(invocation_id: str) -> work.Attempt:
    return work.Attempt(
        invocation_id=invocation_id,
        revision=None,  # type: ignore[arg-type]
        payload=b"",
        payload_to_fetch_bytes=0,
        invoked_function_arn="",
        client_context="",
        want_log_tail=False,
        trace_header="",
        queue_timeout_s=1,
    )


async def test_a_retired_revision_is_told_to_the_host():
    async with control_plane() as fleet, host_of(fleet, echo) as host:
        await fleet.attached.wait()
        fleet.dispatcher.revision_retired("rev-1")
        await until(lambda: host.retired)
    assert host.retired == ["rev-1"]


async def test_an_artifact_is_streamed_and_a_missing_one_is_named():
    async with control_plane() as fleet, host_of(fleet, echo) as host:
        pieces = [piece async for piece in host.session.fetch_artifact(REVISION.artifact_id)]
        with pytest.raises(NotFoundError, match="no artifact feed"):
            [piece async for piece in host.session.fetch_artifact("feed")]
    assert b"".join(pieces) == b"zip"


async def test_log_lines_reach_the_control_plane_in_order():
    async with control_plane() as fleet, host_of(fleet, echo) as host:
        for number in range(100):
            host.log_queue.offer(  # type: ignore[attr-defined]
                work.LogRecord(
                    time_ns=number,
                    function_name="hello",
                    version="1",
                    invocation_id="",
                    message=b"\xff%d" % number,
                    log_stream="s",
                )
            )
        await until(lambda: len(fleet.logs) == 100)
    assert [line.message for line in fleet.logs] == [b"\xff%d" % n for n in range(100)]


async def test_a_host_with_a_wrong_token_is_never_attached(caplog):
    async with control_plane() as fleet, host_of(fleet, echo, token="wrong") as host:
        await until(lambda: host.hellos >= 2)
    assert not fleet.attached.is_set()
    assert "wrong" not in caplog.text
