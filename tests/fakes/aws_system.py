"""The HTTP port as AWS's tools meet it: everything real but the host, which a test scripts.

The server runs in a thread of its own, so that a test is plain code with a boto3 client:

    def test_something(aws):
        aws.create_function("thumb", publish=True)
        aws.client().create_alias(FunctionName="thumb", Name="live", FunctionVersion="1")
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import os
import threading
import time
import uuid
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import boto3
from aiohttp import web
from botocore.config import Config

from controlplane.api.aws.application import AwsApplication
from controlplane.api.aws.authorisation import Authoriser
from controlplane.api.aws.bodies import Bodies
from controlplane.api.aws.doors import Doors, SignedRequest
from controlplane.api.aws.downloads import Downloads
from controlplane.api.aws.neighbours import neighbours
from controlplane.api.aws.operation import Call
from controlplane.api.aws.services import Services
from controlplane.api.urls.front import FunctionUrls
from controlplane.dispatch.dispatcher import Dispatcher
from controlplane.dispatch.ports import (
    HostHello,
    Placement,
    ProvisionOrder,
    SnapshotOrder,
    SnapshotReport,
    SnapshotResult,
)
from controlplane.dispatch.provisioning import Provisioning
from controlplane.dispatch.snapshots import Snapshots
from controlplane.identity.parts import Identity, open_identity
from controlplane.metrics.url_tallies import UrlTallies
from controlplane.model.audit import AuditEvent
from controlplane.model.configuration import Configuration
from controlplane.model.credentials import Credentials
from controlplane.model.functions import FunctionVersion
from controlplane.model.ids import ArnScheme
from controlplane.model.invocation import AttemptResult, StartLevel
from controlplane.model.principal import Principal, PrincipalKind
from controlplane.model.trace import KEEP_ALL, begin, read
from controlplane.registry import FunctionRegistry, InlineCode
from controlplane.registry.log_book import LogBook
from controlplane.registry.quota import CODE_BYTES_MAX
from controlplane.registry.views import FunctionView
from controlplane.scheduler import Scheduler
from controlplane.storage.files import FileBlobs
from controlplane.storage.sqlite import SqliteRecords
from controlplane.storage.telemetry import open_telemetry
from emberd.wire.errors import DeniedError
from tests.fakes.archives import package

REGION = "us-east-1"
ACCOUNT_ID = "000000000000"
ARNS = ArnScheme(region=REGION, account_id=ACCOUNT_ID)
ROLE = f"arn:aws:iam::{ACCOUNT_ID}:role/emberd"
RUNTIMES = ("wasm", "python3.11", "python3.12")
ROOT = Principal(
    kind=PrincipalKind.ROOT,
    account_id=ACCOUNT_ID,
    arn=f"arn:aws:iam::{ACCOUNT_ID}:root",
    user_id=ACCOUNT_ID,
    access_key_id="AKIA-TEST",
)
ROOT_KEY = Credentials(access_key_id=ROOT.access_key_id, secret_access_key="only-for-this-test")
MIB = 1024 * 1024

T = TypeVar("T")


class OpenDoors:
    """Lets everybody in as the account itself, and remembers what was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []
        self.visitors: list[tuple[PrincipalKind, str, str, str]] = []
        self.closed = False
        """Whether function URLs are for nobody."""

    def authenticate(self, request: SignedRequest, service: str) -> Principal:
        return ROOT

    def authorise(
        self, call: Call, service: str, operation: str, request: Mapping[str, object]
    ) -> None:
        self.asked.append((service, operation))

    def check_url(
        self, principal: Principal, function_name: str, qualifier: str, auth_type: str, now_ns: int
    ) -> None:
        self.visitors.append((principal.kind, function_name, qualifier, auth_type))
        if self.closed:
            raise DeniedError("no", reason="ACCESS_DENIED")


@dataclass(eq=False)
class ScriptedHost:
    """A host whose functions do what the test says: by default they echo their event."""

    dispatcher: Dispatcher
    host_id: str = "scripted"
    answer: Callable[[Placement], AttemptResult | bytes | None] = lambda placement: (
        placement.request.payload
    )
    """None leaves the attempt running; the test ends it."""
    networks: frozenset[str] = frozenset()
    seen: list[Placement] = field(default_factory=list)
    orders: list[ProvisionOrder] = field(default_factory=list)
    snapshots: list[SnapshotOrder] = field(default_factory=list)
    snapshot_report: SnapshotReport | None = field(
        default_factory=lambda: SnapshotReport(
            result=SnapshotResult.READY, message="", error_type=""
        )
    )
    """What it says of every snapshot; None leaves it at work, and the test reports."""

    def attach(self) -> None:
        hello = HostHello(
            host_id=self.host_id,
            runtimes=dict.fromkeys(RUNTIMES, "0"),
            architecture="x86_64",
            memory_bytes=4096 * MIB,
            cpu_millis=2000,
            sandboxes_max=100,
            labels={},
            idle={},
            artifact_ids=frozenset(),
            isolation_notes=(),
            networks=self.networks,
        )
        self.dispatcher.host_attached(hello, self, epoch=1)

    def dispatch(self, placement: Placement) -> None:
        self.seen.append(placement)
        answer = self.answer(placement)
        attempt = attempt_result(answer) if isinstance(answer, bytes) else answer
        if attempt is not None:
            asyncio.get_running_loop().call_soon(self.end, placement, attempt)

    def end(self, placement: Placement, attempt: AttemptResult) -> None:
        """Report the end of an attempt."""
        request_id = placement.request.request_id
        self.dispatcher.attempt_ended(self, request_id, attempt, pushed=False)

    def cancel(self, invocation_id: str) -> None:
        pass

    def retire(self, revision_id: str) -> None:
        pass

    def drain(self) -> None:
        pass

    def provision(self, order: ProvisionOrder) -> None:
        self.orders.append(order)

    def snapshot(self, order: SnapshotOrder) -> None:
        self.snapshots.append(order)
        report = self.snapshot_report
        if report is not None:
            self.report(order, report)

    def report(self, order: SnapshotOrder, report: SnapshotReport) -> None:
        """Say how the making of a snapshot ended."""
        made = self.dispatcher.snapshot_made
        asyncio.get_running_loop().call_soon(made, self, order.revision.revision_id, report)


def attempt_result(payload: bytes, **changes: Any) -> AttemptResult:
    """An attempt that went well, but for the changes."""
    fields: dict[str, Any] = {
        "payload": payload,
        "function_error": "",
        "error_type": "",
        "log_tail": b"",
        "start_level": StartLevel.WARM,
        "duration_ns": 1_000_000,
        "billed_ms": 1,
        "init_duration_ns": 0,
        "memory_peak_bytes": 30 * MIB,
        "phases": (),
        "sandbox_id": "sandbox-1",
        "sandbox_kept": True,
    }
    return AttemptResult(**(fields | changes))


class AwsSystem:
    """A control plane's HTTP port on a free port of the loopback interface."""

    def __init__(
        self, folder: Path, *, code_bytes_max: int = CODE_BYTES_MAX, guarded: bool = False
    ) -> None:
        """Guarded, its doors are the real ones; otherwise everybody is the account itself."""
        self.folder = folder
        self.draw = 0.0
        """What decides between an alias's versions: the additional one below its weight."""
        self._guarded = guarded
        self._code_bytes_max = code_bytes_max
        self._may_prepare = asyncio.Event()
        self._may_prepare.set()
        self.doors = OpenDoors()
        self.url_tallies = UrlTallies()
        self.audited: list[AuditEvent] = []
        """Every call that has ended."""
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._ready: concurrent.futures.Future[None] = concurrent.futures.Future()
        self._thread = threading.Thread(target=self._serve, name="aws-system")

    def __enter__(self) -> AwsSystem:
        self._thread.start()
        self._ready.result(timeout=30)
        return self

    def __exit__(self, *exception: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(timeout=30)
        assert not self._thread.is_alive()

    def client(
        self, service: str = "lambda", credentials: Credentials | None = None, **config: Any
    ) -> Any:
        """A boto3 client that tries once; parameter_validation=False lets anything through."""
        caller = credentials or ROOT_KEY
        session = boto3.session.Session(
            aws_access_key_id=caller.access_key_id,
            aws_secret_access_key=caller.secret_access_key,
            aws_session_token=caller.session_token or None,
            region_name=REGION,
        )
        settings = {"retries": {"total_max_attempts": 1}, "read_timeout": 30} | config
        return session.client(service, endpoint_url=self.endpoint, config=Config(**settings))

    def create_function(self, name: str, *, publish: bool = False, **changes: Any) -> FunctionView:
        """A function that echoes; changes are fields of Configuration."""
        fields = {"runtime_id": RUNTIMES[-1], "handler": "app.handler", "role": ROLE}
        configuration = Configuration(**(fields | changes))
        code = InlineCode(zip_file=package())
        made = self.run(self.registry.create(name, configuration, code, publish=publish))
        return self.run(self.registry.settled(made))

    def call(self, function: Callable[..., object], *arguments: object) -> None:
        """Call something in the server's loop."""
        self._loop.call_soon_threadsafe(function, *arguments)

    def hold_preparation(self) -> None:
        """From now on functions stay Pending, and updates InProgress."""
        self.call(self._may_prepare.clear)

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run something in the server's loop."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(timeout=30)

    async def _prepare(self, version: FunctionVersion) -> str:
        await self._may_prepare.wait()
        return await self._snapshots.prepare(version)

    def _serve(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            try:
                runner.run(self._main())
            except BaseException as error:
                self._ready.set_exception(error)

    async def _main(self) -> None:
        async with self._parts() as application:
            runner = web.ServerRunner(application.server(), shutdown_timeout=1)
            await runner.setup()
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            self.endpoint = f"http://127.0.0.1:{runner.addresses[0][1]}"
            self._ready.set_result(None)
            await self._stop.wait()
            await runner.cleanup()

    def _provision(self) -> None:
        provisioning = Provisioning(self.dispatcher, self.registry.wanted)
        self.registry.settings.provisioned.use(provisioning)
        self.registry.on_changed(lambda _function: provisioning.refresh())

    async def _log_book(self, stack: AsyncExitStack, records: SqliteRecords) -> LogBook:
        stores = await stack.enter_async_context(open_telemetry(self.folder / "telemetry.db"))
        self.logs = stores.logs
        return await LogBook.open(records, self.logs, time.time)

    @asynccontextmanager
    async def _parts(self) -> AsyncIterator[AwsApplication]:
        async with AsyncExitStack() as stack:
            records = await SqliteRecords.open(self.folder / "registry.db")
            stack.push_async_callback(records.close)
            blobs = await FileBlobs.open(self.folder / "artifacts")
            stack.push_async_callback(blobs.close)
            self.registry = await FunctionRegistry.open(
                records,
                blobs,
                region=REGION,
                account_id=ACCOUNT_ID,
                runtimes=lambda: set(RUNTIMES),
                networks=lambda: self.dispatcher.networks(),
                clock=lambda: datetime.now(UTC),
                new_uuid=lambda: str(uuid.uuid4()),
                prepare=self._prepare,
                code_bytes_max=self._code_bytes_max,
            )
            self.dispatcher = Dispatcher(
                Scheduler(claimed=lambda: self.registry.settings.claimed_concurrency),
                self.registry,
                draw=lambda: self.draw,
                new_trace=lambda headers: begin(
                    read(headers), KEEP_ALL, now_s=1, trace_bits=0xABC, span_bits=0xDEF
                ),
                record=lambda _record: None,
            )
            self._snapshots = Snapshots(self.dispatcher, ARNS)
            stack.push_async_callback(self.registry.close)
            self.registry.on_retired(self.dispatcher.revision_retired)
            self._provision()
            self.host = ScriptedHost(self.dispatcher)
            self.host.attach()
            self.identity = await _identity(records, ARNS)
            self.services = Services(
                registry=self.registry,
                settings=self.registry.settings,
                dispatcher=self.dispatcher,
                downloads=Downloads(self.registry.artifacts, bytes(32)),
                identity=self.identity,
                logs=await self._log_book(stack, records),
                arns=ARNS,
            )
            yield self._application()

    def _application(self) -> AwsApplication:
        registry = self.registry
        authoriser = Authoriser(
            ARNS, registry.settings, registry.layers.policy_of, self.identity.roles
        )
        authenticator = self.identity.authenticator if self._guarded else self.doors
        urls = FunctionUrls(
            self.dispatcher,
            registry.settings.url_target,
            authenticator,
            authoriser if self._guarded else self.doors,
            Bodies().read,
            region=REGION,
            measure=self.url_tallies.measure,
        )
        return AwsApplication(
            self.services,
            Doors(
                authenticator=authenticator,
                authorise=authoriser if self._guarded else self.doors.authorise,
            ),
            neighbours(),
            hosts_attached=lambda: len(self.dispatcher.hosts),
            fronts=[self.services.downloads, urls],
            audit=self.audited.append,
        )


async def _identity(records: SqliteRecords, arns: ArnScheme) -> Identity:
    return await open_identity(
        records,
        arns,
        data_key=bytes(32),
        root_key=ROOT_KEY,
        random_bytes=os.urandom,
        clock=lambda: datetime.now(UTC),
    )
