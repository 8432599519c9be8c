"""The control plane, put together: decides, never runs user code. Run by controlplane.start.

    fronts (gRPC, HTTP) -> registry, dispatch -> scheduler -> the hosts' streams

This is the composition root of the control plane: the one place where its parts are made, and
where the order of its start and its stop is written down. What no invocation over gRPC needs is
made in `fronts`, which is read when the control plane listens already.
"""

from __future__ import annotations

import asyncio
import gc
import os
import random
import signal
import sys
import time
import uuid
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, closing
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

import uvloop

from controlplane.api.auditing import Auditor
from controlplane.api.behind import Behind
from controlplane.api.grpc.functions import FunctionService
from controlplane.api.grpc.hosts import HostService
from controlplane.api.grpc.identity import IdentityService
from controlplane.api.grpc.invocations import InvocationService
from controlplane.api.grpc.layers import LayerService
from controlplane.api.grpc.metrics import MetricsService
from controlplane.api.grpc.operations import Carrier, OperationService
from controlplane.api.grpc.server import GrpcServer
from controlplane.api.grpc.telemetry import TelemetryService
from controlplane.dispatch.dispatcher import Dispatcher
from controlplane.dispatch.provisioning import Provisioning
from controlplane.dispatch.snapshots import Snapshots
from controlplane.fleet.links import Links, link_socket_of
from controlplane.fleet.service import FleetService
from controlplane.fleet.tunnels import Connection, TunnelPeer, Tunnels
from controlplane.identity.callers import root
from controlplane.identity.execution import ExecutionCredentials
from controlplane.identity.parts import Identity, open_identity
from controlplane.late import Late
from controlplane.listening import listen
from controlplane.metrics.metering import Meter
from controlplane.model.functions import FunctionVersion
from controlplane.model.ids import ArnScheme
from controlplane.model.invocation import StreamLimits
from controlplane.model.log import LogLine
from controlplane.readings import Readings
from controlplane.registry import FunctionRegistry
from controlplane.registry.log_book import LogBook
from controlplane.scheduler import Scheduler
from controlplane.settings import Secrets, Settings, read_secrets
from controlplane.status import Status
from controlplane.storage.files import FileBlobs
from controlplane.storage.ports import Put
from controlplane.storage.sqlite import SqliteRecords
from controlplane.storage.telemetry import TelemetryStores, open_telemetry
from controlplane.storage.usage import open_usage
from controlplane.telemetry import Telemetry, otlp_wanted
from controlplane.telemetry_caps import log_caps, trace_caps
from emberd.wire.errors import NotFoundError

if TYPE_CHECKING:
    from controlplane.api.aws.application import Neighbour
    from controlplane.fronts import Fronts

MIB = 1024 * 1024
SWITCH_S = 0.0005
"""How long the loop waits for the interpreter while a thread reads libraries."""
STOP_S = 2.0
"""How long open calls may go on once the control plane is told to stop."""


async def serve(settings: Settings, status: Status) -> None:
    """Serve until SIGTERM. Leaving the stack undoes the start in reverse order."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    loop.add_signal_handler(signal.SIGINT, stop.set)
    async with AsyncExitStack() as stack:
        fronts: Late[Fronts] = Late()
        listeners = stack.enter_context(closing(await listen(settings.http_address)))
        behind, grpc_address = await _start(settings, status, stack, fronts)
        status.say("listening", grpc=grpc_address, http=listeners.address)
        fronts.come(await _read_fronts(behind, settings, listeners.address))
        # What was read stays for good. Looking through it again and again, as the collector does
        # whenever enough has outlived an invocation, holds everybody up for 27 ms.
        gc.freeze()
        await stack.enter_async_context((await fronts.wait()).serving(listeners.sockets))
        await stop.wait()


async def _start(
    settings: Settings, status: Status, stack: AsyncExitStack, fronts: Late[Fronts]
) -> tuple[Behind, str]:
    held = read_secrets(settings.secrets_fd)
    records = await SqliteRecords.open(settings.data / "registry.db")
    stack.push_async_callback(records.close)
    # Versions of the store only ever grow, so the version of this write is a new authority.
    epoch = await records.commit([Put(key="control/epoch", value=b"")])
    blobs = await FileBlobs.open(settings.data / "artifacts")
    stack.push_async_callback(blobs.close)
    stores = await stack.enter_async_context(
        open_telemetry(settings.data / "telemetry.db", trace_caps(os.environ), log_caps(os.environ))
    )
    telemetry = await stack.enter_async_context(_telemetry(stores, settings))
    offered: list[Dispatcher] = []
    snapshots: Late[Snapshots] = Late()
    registry = await _registry(settings, records, blobs, offered, snapshots)
    arns = ArnScheme(region=settings.region, account_id=settings.account_id)
    meter = Meter(partial(_tags, registry, arns))
    usage = await stack.enter_async_context(open_usage(settings.data / "usage.db", meter))
    telemetry.on_record(meter.measure)
    identity = await _identity(records, arns, held)
    scheduler = _scheduler(settings, registry)
    dispatcher = _dispatcher(settings, scheduler, registry, telemetry, identity)
    offered.append(dispatcher)
    snapshots.come(Snapshots(dispatcher, arns))
    links = Links().serving(link_socket_of(settings.fleet_socket))
    dropped = partial(_dropped, telemetry, stores, meter)
    readings = Readings(scheduler, dispatcher, registry.wanted, dropped)
    telemetry.watch(readings.read)
    stack.push_async_callback(registry.close)
    registry.on_retired(dispatcher.revision_retired)
    await stack.enter_async_context(_provisioning(registry, dispatcher))
    auditor = Auditor(partial(_take_logs, stores, telemetry), root(arns.account_id))
    behind = Behind(
        registry=registry,
        dispatcher=dispatcher,
        identity=identity,
        logs=await LogBook.open(records, stores.logs, time.time),
        arns=arns,
        tallies=telemetry.tallies,
        read_state=readings.read,
        audit=auditor.http,
        metrics_token=held.metrics_token,
    )
    server = GrpcServer(
        held.tokens,
        witness=auditor.grpc,
        functions=FunctionService(registry, registry.artifacts),
        layers=LayerService(registry.layers),
        invocations=InvocationService(dispatcher),
        operations=OperationService(lambda: _operations(fronts)),
        hosts=HostService(dispatcher),
        identity=IdentityService(identity.keys),
        metrics=MetricsService(telemetry.tallies, readings.read, usage),
        telemetry=_telemetry_service(stores, telemetry, registry, arns),
        fleet=FleetService(
            dispatcher,
            registry.artifacts,
            Tunnels(lambda peer: _connection(fronts, peer)),
            epoch=epoch,
            take_logs=partial(_take_logs, stores, telemetry),
            take_spans=telemetry.take_spans,
            attached=status.ready,
            links=await stack.enter_async_context(links),
        ),
    )
    grpc_address = await server.start(settings.grpc_address, settings.fleet_socket)
    stack.push_async_callback(server.stop, STOP_S)
    return behind, grpc_address


async def _read_fronts(behind: Behind, settings: Settings, http_address: str) -> Fronts:
    """Read what half of the control plane's libraries are for, while invocations are taken."""
    made, services = await asyncio.to_thread(_import_fronts)
    return made(behind, services, auth=settings.auth, http_address=http_address)


def _import_fronts() -> tuple[type[Fronts], Sequence[Neighbour]]:
    usual_s = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH_S)
    try:
        from controlplane.fronts import Fronts, read_services

        return Fronts, read_services()
    finally:
        sys.setswitchinterval(usual_s)


async def _operations(fronts: Late[Fronts]) -> Carrier:
    return (await fronts.wait()).operations


@asynccontextmanager
async def _connection(fronts: Late[Fronts], peer: TunnelPeer) -> AsyncIterator[Connection]:
    async with (await fronts.wait()).inside.connect(peer) as connection:
        yield connection


async def _registry(
    settings: Settings,
    records: SqliteRecords,
    blobs: FileBlobs,
    offered: Sequence[Dispatcher],
    snapshots: Late[Snapshots],
) -> FunctionRegistry:
    """The registry; the dispatcher, which needs it, says later what hosts offer and make."""

    async def prepare(version: FunctionVersion) -> str:
        return await (await snapshots.wait()).prepare(version)

    return await FunctionRegistry.open(
        records,
        blobs,
        region=settings.region,
        account_id=settings.account_id,
        runtimes=lambda: {each for dispatcher in offered for each in dispatcher.runtimes()},
        networks=lambda: {each for dispatcher in offered for each in dispatcher.networks()},
        clock=lambda: datetime.now(UTC),
        new_uuid=lambda: str(uuid.uuid4()),
        prepare=prepare,
        account_concurrency=settings.account_concurrency,
    )


async def _identity(records: SqliteRecords, arns: ArnScheme, held: Secrets) -> Identity:
    return await open_identity(
        records,
        arns,
        data_key=held.data_key,
        root_key=held.root_key,
        random_bytes=os.urandom,
        clock=lambda: datetime.now(UTC),
    )


def _telemetry_service(
    stores: TelemetryStores, telemetry: Telemetry, registry: FunctionRegistry, arns: ArnScheme
) -> TelemetryService:
    return TelemetryService(
        stores.logs,
        stores.traces,
        arns=arns,
        exists=lambda name: _exists(registry, name),
        settle=telemetry.settle,
    )


def _scheduler(settings: Settings, registry: FunctionRegistry) -> Scheduler:
    return Scheduler(
        account_limit=settings.account_concurrency,
        claimed=lambda: registry.settings.claimed_concurrency,
    )


def _dispatcher(
    settings: Settings,
    scheduler: Scheduler,
    registry: FunctionRegistry,
    telemetry: Telemetry,
    identity: Identity,
) -> Dispatcher:
    return Dispatcher(
        scheduler,
        registry,
        draw=random.random,
        new_trace=telemetry.new_context,
        record=telemetry.record,
        credentials_of=ExecutionCredentials(identity.sessions, time.time).of,
        stream_limits=StreamLimits(bytes_per_s=settings.stream_mb_per_s * MIB),
    )


def _tags(registry: FunctionRegistry, arns: ArnScheme, name: str) -> Mapping[str, str]:
    try:
        return registry.settings.tags.list(arns.function_arn(name))
    except NotFoundError:
        return {}  # deleted while it ran


def _dropped(telemetry: Telemetry, stores: TelemetryStores, meter: Meter) -> Mapping[str, int]:
    return {
        "metered_invocations": meter.dropped,
        **telemetry.lost,
        "stored_traces": stores.traces.dropped,
        "stored_log_lines": stores.logs.dropped,
    }


def _take_logs(stores: TelemetryStores, telemetry: Telemetry, lines: Sequence[LogLine]) -> None:
    stores.logs.append(lines)
    telemetry.take_lines(lines)


def _exists(registry: FunctionRegistry, function_name: str) -> bool:
    try:
        registry.get(function_name, "")
    except NotFoundError:
        return False
    return True


@asynccontextmanager
async def _provisioning(registry: FunctionRegistry, dispatcher: Dispatcher) -> AsyncIterator[None]:
    provisioning = Provisioning(dispatcher, registry.wanted)
    registry.settings.provisioned.use(provisioning)
    registry.on_changed(lambda _function: provisioning.refresh())
    registry.on_retired(lambda _revision_id: provisioning.refresh())
    running = asyncio.create_task(provisioning.run())
    try:
        yield
    finally:
        running.cancel()


@asynccontextmanager
async def _telemetry(stores: TelemetryStores, settings: Settings) -> AsyncIterator[Telemetry]:
    telemetry = Telemetry(
        stores.traces, service_instance=str(uuid.uuid4()), otlp=otlp_wanted(os.environ)
    )
    running = asyncio.create_task(telemetry.run())
    try:
        yield telemetry
    finally:
        running.cancel()
        await telemetry.close()


def run(settings: Settings, status: Status) -> None:
    """Serve until SIGTERM.

    Raises:
        ConflictError: an address is taken, or the database cannot be used.
        InvalidArgumentError: an address would need TLS.
    """
    uvloop.run(serve(settings, status))
