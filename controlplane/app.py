"""The control plane, put together: decides, never runs user code. Run by controlplane.start.

    fronts (gRPC, HTTP) -> registry, dispatch -> scheduler -> the hosts' streams

This is the composition root of the control plane: the one place where its parts are made, and
where the order of its start and its stop is written down.
"""

from __future__ import annotations

import asyncio
import os
import random
import secrets
import signal
import time
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime

import uvloop
from aiohttp import web

from controlplane.api.aws.application import AwsApplication
from controlplane.api.aws.authorisation import Authoriser
from controlplane.api.aws.bodies import Bodies
from controlplane.api.aws.doors import Doors
from controlplane.api.aws.downloads import Downloads
from controlplane.api.aws.neighbours import neighbours
from controlplane.api.aws.services import Services
from controlplane.api.grpc.functions import FunctionService
from controlplane.api.grpc.hosts import HostService
from controlplane.api.grpc.identity import IdentityService
from controlplane.api.grpc.invocations import InvocationService
from controlplane.api.grpc.layers import LayerService
from controlplane.api.grpc.operations import OperationService
from controlplane.api.grpc.server import GrpcServer
from controlplane.api.grpc.telemetry import TelemetryService
from controlplane.api.inside import InsideDoor
from controlplane.api.urls.front import FunctionUrls
from controlplane.dispatch.dispatcher import Dispatcher
from controlplane.dispatch.provisioning import Provisioning
from controlplane.fleet.service import FleetService
from controlplane.fleet.tunnels import Tunnels
from controlplane.identity.callers import root
from controlplane.identity.execution import ExecutionCredentials
from controlplane.identity.no_auth import LoopbackAuthenticator
from controlplane.identity.parts import Identity, open_identity
from controlplane.model.ids import ArnScheme
from controlplane.model.invocation import StreamLimits
from controlplane.registry import FunctionRegistry
from controlplane.registry.log_book import LogBook
from controlplane.scheduler import Scheduler
from controlplane.settings import Secrets, Settings, read_secrets
from controlplane.status import Status
from controlplane.storage.files import FileBlobs
from controlplane.storage.ports import Put
from controlplane.storage.sqlite import SqliteRecords
from controlplane.storage.telemetry import TelemetryStores, open_telemetry
from controlplane.telemetry import Telemetry, otlp_wanted
from emberd.wire.channels import demand_local
from emberd.wire.errors import ConflictError, NotFoundError

MIB = 1024 * 1024
STOP_S = 2.0
"""How long open calls may go on once the control plane is told to stop."""


async def serve(settings: Settings, status: Status) -> None:
    """Serve until SIGTERM. Leaving the stack undoes the start in reverse order."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    loop.add_signal_handler(signal.SIGINT, stop.set)
    async with AsyncExitStack() as stack:
        grpc_address, http_address = await _start(settings, status, stack)
        status.say("listening", grpc=grpc_address, http=http_address)
        await stop.wait()


async def _start(settings: Settings, status: Status, stack: AsyncExitStack) -> tuple[str, str]:
    held = read_secrets(settings.secrets_fd)
    records = await SqliteRecords.open(settings.data / "registry.db")
    stack.push_async_callback(records.close)
    # Versions of the store only ever grow, so the version of this write is a new authority.
    epoch = await records.commit([Put(key="control/epoch", value=b"")])
    blobs = await FileBlobs.open(settings.data / "artifacts")
    stack.push_async_callback(blobs.close)
    stores = await stack.enter_async_context(open_telemetry(settings.data / "telemetry.db"))
    telemetry = await stack.enter_async_context(_telemetry(stores, settings))
    offered: list[Dispatcher] = []
    registry = await _registry(settings, records, blobs, offered)
    arns = ArnScheme(region=settings.region, account_id=settings.account_id)
    identity = await _identity(records, arns, held)
    scheduler = Scheduler(
        account_limit=settings.account_concurrency,
        claimed=lambda: registry.settings.claimed_concurrency,
    )
    telemetry.watch_concurrency(lambda: scheduler.running)
    dispatcher = Dispatcher(
        scheduler,
        registry,
        draw=random.random,
        new_trace=telemetry.new_context,
        record=telemetry.record,
        credentials_of=ExecutionCredentials(identity.sessions, time.time).of,
        stream_limits=StreamLimits(bytes_per_s=settings.stream_mb_per_s * MIB),
    )
    offered.append(dispatcher)
    stack.push_async_callback(registry.close)
    registry.on_retired(dispatcher.revision_retired)
    await stack.enter_async_context(_provisioning(registry, dispatcher))
    inside = InsideDoor()
    logs = await LogBook.open(records, stores.logs, time.time)
    services = _services(registry, dispatcher, identity, logs, arns)
    authoriser = Authoriser(arns, registry.settings, registry.layers.policy_of, identity.roles)
    bodies = Bodies(function_of=inside.function_of)
    application = _aws(services, authoriser, bodies, auth=settings.auth)
    http_address = await stack.enter_async_context(_http(settings, application, inside))
    server = GrpcServer(
        held.tokens,
        functions=FunctionService(registry, registry.artifacts),
        layers=LayerService(registry.layers),
        invocations=InvocationService(dispatcher),
        operations=OperationService(
            services,
            principal=root(arns.account_id),
            authorise=authoriser,
            endpoint=f"http://{http_address}",
        ),
        hosts=HostService(dispatcher),
        identity=IdentityService(identity.keys),
        telemetry=_telemetry_service(stores, telemetry, registry, arns),
        fleet=FleetService(
            dispatcher,
            registry.artifacts,
            Tunnels(inside.connect),
            epoch=epoch,
            take_logs=stores.logs.append,
            attached=status.ready,
        ),
    )
    grpc_address = await server.start(settings.grpc_address, settings.fleet_socket)
    stack.push_async_callback(server.stop, STOP_S)
    return grpc_address, http_address


async def _registry(
    settings: Settings, records: SqliteRecords, blobs: FileBlobs, offered: Sequence[Dispatcher]
) -> FunctionRegistry:
    """The registry; the dispatcher, which needs it, says later what hosts offer."""
    return await FunctionRegistry.open(
        records,
        blobs,
        region=settings.region,
        account_id=settings.account_id,
        runtimes=lambda: {each for dispatcher in offered for each in dispatcher.runtimes()},
        networks=lambda: {each for dispatcher in offered for each in dispatcher.networks()},
        clock=lambda: datetime.now(UTC),
        new_uuid=lambda: str(uuid.uuid4()),
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


def _services(
    registry: FunctionRegistry,
    dispatcher: Dispatcher,
    identity: Identity,
    logs: LogBook,
    arns: ArnScheme,
) -> Services:
    return Services(
        registry=registry,
        settings=registry.settings,
        dispatcher=dispatcher,
        downloads=Downloads(registry.artifacts, secrets.token_bytes(32)),
        identity=identity,
        logs=logs,
        arns=arns,
    )


def _aws(
    services: Services, authoriser: Authoriser, bodies: Bodies, *, auth: bool
) -> AwsApplication:
    dispatcher, authenticator = services.dispatcher, services.identity.authenticator
    # A function URL with AWS_IAM asks for a signature all the same: its owner said so.
    open_here = LoopbackAuthenticator(root(services.arns.account_id), authenticator)
    urls = FunctionUrls(
        dispatcher,
        services.settings.url_target,
        authenticator,
        authoriser,
        bodies.read,
        region=services.arns.region,
    )
    return AwsApplication(
        services,
        Doors(authenticator=authenticator if auth else open_here, authorise=authoriser),
        neighbours(),
        hosts_attached=lambda: len(dispatcher.hosts),
        fronts=[services.downloads, urls],
        bodies=bodies,
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


@asynccontextmanager
async def _http(
    settings: Settings, application: AwsApplication, inside: InsideDoor
) -> AsyncIterator[str]:
    """Serve the HTTP port and yield its real address."""
    demand_local(settings.http_address)
    host, _, port = settings.http_address.rpartition(":")
    server = application.server()
    inside.lead_to(server)
    runner = web.ServerRunner(server, shutdown_timeout=STOP_S)
    await runner.setup()
    site = web.TCPSite(runner, host, int(port))
    try:
        await site.start()
    except OSError as error:
        await runner.cleanup()
        raise ConflictError(
            f"HTTP cannot listen on {settings.http_address} ({error.strerror}): choose another "
            "address with --http (port 0 picks a free one)",
            reason="ADDRESS_IN_USE",
            address=settings.http_address,
        ) from error
    try:
        yield f"{host}:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def run(settings: Settings, status: Status) -> None:
    """Serve until SIGTERM.

    Raises:
        ConflictError: an address is taken, or the database cannot be used.
        InvalidArgumentError: an address would need TLS.
    """
    uvloop.run(serve(settings, status))
