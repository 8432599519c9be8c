"""The gRPC server of the control plane: services, doors, reflection and health."""

from __future__ import annotations

import os
from pathlib import Path

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from controlplane.api.grpc.functions import FunctionService
from controlplane.api.grpc.hosts import HostService
from controlplane.api.grpc.identity import IdentityService
from controlplane.api.grpc.invocations import InvocationService
from controlplane.api.grpc.layers import LayerService
from controlplane.api.grpc.metrics import MetricsService
from controlplane.api.grpc.operations import OperationService
from controlplane.api.grpc.telemetry import TelemetryService
from controlplane.fleet.service import FleetService
from controlplane.settings import Tokens
from emberd.fleet.v1 import fleet_pb2_grpc
from emberd.functions.v1 import functions_pb2_grpc, layers_pb2_grpc
from emberd.identity.v1 import identity_pb2_grpc
from emberd.invocation.v1 import invocation_pb2_grpc
from emberd.telemetry.v1 import metrics_pb2_grpc, telemetry_pb2_grpc
from emberd.wire.channels import SERVER_OPTIONS, demand_local
from emberd.wire.errors import ConflictError
from emberd.wire.interceptors import ServerInterceptor, TokenTable, Witness

CLIENT_SERVICES = (
    "emberd.functions.v1.FunctionService",
    "emberd.functions.v1.LayerService",
    "emberd.invocation.v1.InvocationService",
    "emberd.operations.v1.OperationService",
    "emberd.telemetry.v1.TelemetryService",
    "emberd.telemetry.v1.MetricsService",
    "emberd.fleet.v1.HostService",
    "emberd.identity.v1.IdentityService",
    reflection.SERVICE_NAME,
)
HOST_SERVICES = ("emberd.fleet.v1.FleetService",)


class _Generic:
    """Registers services without grpc's per-method accept loops.

    A server waits on all of those at once for every single call, which costs more with each method
    that there is; a look-up by name costs the same for any number.
    """

    def __init__(self, server: grpc.aio.Server) -> None:
        self._server = server

    def add_generic_rpc_handlers(self, handlers: tuple[grpc.GenericRpcHandler, ...]) -> None:
        """Take a service's handlers."""
        self._server.add_generic_rpc_handlers(handlers)

    def add_registered_method_handlers(self, service: str, handlers: object) -> None:
        """Leave out what generated code adds a second time."""


class GrpcServer:
    """Everything that listens for gRPC, on TCP for clients and a Unix socket for hosts."""

    def __init__(
        self,
        tokens: Tokens,
        *,
        witness: Witness,
        functions: FunctionService,
        layers: LayerService,
        invocations: InvocationService,
        operations: OperationService,
        hosts: HostService,
        identity: IdentityService,
        telemetry: TelemetryService,
        metrics: MetricsService,
        fleet: FleetService,
    ) -> None:
        table = dict.fromkeys(CLIENT_SERVICES, tokens.client)
        table.update(dict.fromkeys(HOST_SERVICES, tokens.host))
        self._fleet = fleet
        self._telemetry = telemetry
        self._server = grpc.aio.server(
            interceptors=[ServerInterceptor(TokenTable(table), witness)], options=SERVER_OPTIONS
        )
        generic = _Generic(self._server)
        generic.add_generic_rpc_handlers((operations.handler(),))
        functions_pb2_grpc.add_FunctionServiceServicer_to_server(functions, generic)
        layers_pb2_grpc.add_LayerServiceServicer_to_server(layers, generic)
        invocation_pb2_grpc.add_InvocationServiceServicer_to_server(invocations, generic)
        fleet_pb2_grpc.add_HostServiceServicer_to_server(hosts, generic)
        identity_pb2_grpc.add_IdentityServiceServicer_to_server(identity, generic)
        telemetry_pb2_grpc.add_TelemetryServiceServicer_to_server(telemetry, generic)
        metrics_pb2_grpc.add_MetricsServiceServicer_to_server(metrics, generic)
        fleet_pb2_grpc.add_FleetServiceServicer_to_server(fleet, generic)
        self._health = health.aio.HealthServicer()
        health_pb2_grpc.add_HealthServicer_to_server(self._health, generic)
        names = (*CLIENT_SERVICES, *HOST_SERVICES, health.SERVICE_NAME)
        reflection.enable_server_reflection(names, self._server)

    async def start(self, address: str, fleet_socket: Path) -> str:
        """Listen and return the address with its real port.

        Raises:
            InvalidArgumentError: the address would need TLS.
            ConflictError: the address is taken.
        """
        demand_local(address)
        host = address.rpartition(":")[0]
        try:
            port = self._server.add_insecure_port(address)
        except RuntimeError as error:
            raise ConflictError(
                f"gRPC cannot listen on {address}: another program does, or the address is not "
                "this machine's; choose another with --grpc (port 0 picks a free one)",
                reason="ADDRESS_IN_USE",
                address=address,
            ) from error
        fleet_socket.unlink(missing_ok=True)
        self._server.add_insecure_port(f"unix:{fleet_socket}")
        await self._server.start()
        # Agents run under another uid; what protects this door is the host token.
        os.chmod(fleet_socket, 0o666)
        for service in ("", *CLIENT_SERVICES, *HOST_SERVICES):
            await self._health.set(service, health_pb2.HealthCheckResponse.SERVING)
        return f"{host}:{port}"

    async def stop(self, grace_s: float) -> None:
        """Refuse what is new, end the streams that never do, let the rest finish in the grace."""
        await self._health.enter_graceful_shutdown()
        self._fleet.end_streams()
        self._telemetry.end_streams()
        await self._server.stop(grace_s)
