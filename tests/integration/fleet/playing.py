"""Control plane and host over the real wire: dispatcher and fleet service there, session here.

The host's brain is scripted; everything between the two brains is the real thing.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

import grpc

from controlplane.api.inside import InsideDoor
from controlplane.dispatch.dispatcher import LAMBDAS_LIMITS, Dispatcher
from controlplane.fleet.links import Links
from controlplane.fleet.service import FleetService
from controlplane.fleet.tunnels import Connect, Tunnels
from controlplane.model.credentials import Credentials
from controlplane.model.invocation import InvocationRecord, InvocationRequest, StreamLimits
from controlplane.model.log import LogLine
from controlplane.model.revision import Resolution, Revision
from controlplane.model.spans import Span
from controlplane.model.trace import TraceContext
from controlplane.scheduler import Scheduler
from emberd.fleet.v1 import fleet_pb2 as pb
from emberd.fleet.v1 import fleet_pb2_grpc
from emberd.wire.channels import SERVER_OPTIONS
from emberd.wire.errors import NotFoundError
from emberd.wire.interceptors import ServerInterceptor, TokenTable
from sandbox import frames, work
from sandbox.logs import LogQueue
from sandbox.session import Session
from sandbox.tracing.queue import SpanQueue

TOKEN = "host-token"
MIB = 1024 * 1024

REVISION = Revision(
    revision_id="rev-1",
    function_name="hello",
    version="$LATEST",
    function_arn="arn:aws:lambda:us-east-1:000000000000:function:hello",
    runtime_id="python3.11",
    architecture="x86_64",
    handler="app.handler",
    artifact_id="a" * 64,
    artifact_size_bytes=3,
    memory_size_mb=128,
    ephemeral_storage_mb=512,
    timeout_s=3,
    environment={"A": "b"},
    network="db",
    region="us-east-1",
    account_id="000000000000",
)
CREDENTIALS = Credentials(
    access_key_id="ASIA1", secret_access_key="secret", session_token="token", expires_s=9_999
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
    provisions: list[work.Provision] = field(default_factory=list)
    snapshots: list[work.Snapshot] = field(default_factory=list)
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
            networks=("db",),
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

    def on_provision(self, provision: work.Provision) -> None:
        self.provisions.append(provision)

    def on_snapshot(self, order: work.Snapshot) -> None:
        self.snapshots.append(order)

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


TRACE = TraceContext(
    trace_id="1" * 32, parent_span_id="", span_id="2" * 16, sampled=True, tracestate="a=1"
)


@dataclass(eq=False)
class Fleet:
    dispatcher: Dispatcher
    service: FleetService
    links: Links
    server: grpc.aio.Server
    address: str
    records: list[InvocationRecord]
    logs: list[LogLine]
    spans: list[Span]
    dropped: list[int]
    """With each batch of spans."""
    attached: asyncio.Event


@asynccontextmanager
async def control_plane(
    stream_limits: StreamLimits = LAMBDAS_LIMITS,
    reader_stall_s: float = 60.0,
    connect: Connect | None = None,
    folder: Path | None = None,
) -> AsyncIterator[Fleet]:
    """With a folder it listens there, and offers links; without, on TCP."""
    records: list[InvocationRecord] = []
    logs: list[LogLine] = []
    spans: list[Span] = []
    dropped: list[int] = []

    def take_spans(came: Sequence[Span], lost: int) -> None:
        spans.extend(came)
        dropped.append(lost)

    attached = asyncio.Event()
    dispatcher = Dispatcher(
        Scheduler(),
        OneFunction(),
        draw=lambda: 0.5,
        new_trace=lambda _: TRACE,
        record=records.append,
        stream_limits=stream_limits,
        credentials_of=lambda _: CREDENTIALS,
    )
    service = FleetService(
        dispatcher,
        OneArtifact(),
        Tunnels(connect or InsideDoor().connect),
        epoch=7,
        take_logs=logs.extend,
        take_spans=take_spans,
        attached=attached.set,
        links=(links := Links()),
        reader_stall_s=reader_stall_s,
    )
    table = TokenTable({"emberd.fleet.v1.FleetService": TOKEN})
    server = grpc.aio.server(interceptors=[ServerInterceptor(table)], options=SERVER_OPTIONS)
    fleet_pb2_grpc.add_FleetServiceServicer_to_server(service, server)
    address = f"unix:{folder}/fleet.sock" if folder else "127.0.0.1:0"
    port = server.add_insecure_port(address)
    serving = links.serving(folder / "fleet.link") if folder else nullcontext()
    await server.start()
    try:
        async with serving:
            yield Fleet(
                dispatcher=dispatcher,
                service=service,
                links=links,
                server=server,
                address=address if folder else f"127.0.0.1:{port}",
                records=records,
                logs=logs,
                spans=spans,
                dropped=dropped,
                attached=attached,
            )
    finally:
        service.end_streams()
        await server.stop(1)


@asynccontextmanager
async def host_of(
    fleet: Fleet, act: Callable[[ScriptedHost, work.Attempt], None], token: str = TOKEN
) -> AsyncIterator[ScriptedHost]:
    logs, spans = LogQueue(), SpanQueue()
    session = Session(fleet.address, token, logs, spans)
    host = ScriptedHost(session, act)
    host.log_queue = logs  # type: ignore[attr-defined]
    host.span_queue = spans  # type: ignore[attr-defined]
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
        trace=TRACE,
        arrival_ns=1,
    )
