"""How a command reaches a control plane: which one, with which token, and what its errors mean.

Precedence: --endpoint, --data, EMBERD_ENDPOINT, EMBERD_DATA, the default data folder.
"""

from __future__ import annotations

import functools
import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

import click
import grpc

from controlplane.cli.exits import FailedError, NotConfiguredError
from controlplane.config import DataFolder, default_data_folder
from emberd.fleet.v1 import fleet_pb2_grpc
from emberd.functions.v1 import functions_pb2_grpc, layers_pb2_grpc
from emberd.identity.v1 import identity_pb2_grpc
from emberd.invocation.v1 import invocation_pb2_grpc
from emberd.telemetry.v1 import metrics_pb2_grpc, telemetry_pb2_grpc
from emberd.wire.channels import authorization, client_channel
from emberd.wire.errors import EmberdError
from emberd.wire.status import error_from

P = ParamSpec("P")
R = TypeVar("R")

_TRACEPARENT = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")

CALL_S = 30.0
"""Deadline of a call that only reads or writes the registry."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """One control plane and the token that opens it."""

    address: str
    token: str


class Client:
    """The stubs of one control plane. Every call must pass `metadata` and a `timeout`."""

    def __init__(
        self,
        service: Service,
        channel: grpc.Channel,
        trace: tuple[tuple[str, str], ...] = (),
    ) -> None:
        self.address = service.address
        self.metadata = (*authorization(service.token), *trace)
        self.functions = functions_pb2_grpc.FunctionServiceStub(channel)
        self.layers = layers_pb2_grpc.LayerServiceStub(channel)
        self.invocations = invocation_pb2_grpc.InvocationServiceStub(channel)
        self.hosts = fleet_pb2_grpc.HostServiceStub(channel)
        self.identity = identity_pb2_grpc.IdentityServiceStub(channel)
        self.metrics = metrics_pb2_grpc.MetricsServiceStub(channel)
        self.telemetry = telemetry_pb2_grpc.TelemetryServiceStub(channel)

    def call(self, method: Callable[..., R], request: object, timeout_s: float = CALL_S) -> R:
        """Make one call with a single answer, with token and deadline."""
        try:
            return method(request, metadata=self.metadata, timeout=timeout_s)
        except grpc.RpcError as error:
            raise told(error, self.address) from error


def with_client(command: Callable[Concatenate[Client, P], R]) -> Callable[P, R]:
    """Give a command --endpoint and --data; it gets a Client as its first argument."""

    @click.option("--endpoint", metavar="HOST:PORT", help="gRPC address of the control plane.")
    @click.option("--data", type=click.Path(path_type=Path), help="Data folder of a local emberd.")
    @functools.wraps(command)
    def connected(*args: P.args, **kwargs: P.kwargs) -> R:
        endpoint, data = kwargs.pop("endpoint"), kwargs.pop("data")
        service = find_service(
            None if endpoint is None else str(endpoint),
            data if isinstance(data, Path) else None,
            os.environ,
        )
        with connect(service) as client:
            return command(client, *args, **kwargs)

    return connected


@contextmanager
def connect(service: Service) -> Iterator[Client]:
    """Open a channel; errors of streams come out as ours too, wherever they are read."""
    with client_channel(service.address) as channel:
        try:
            yield Client(service, channel, trace_of(os.environ))
        except grpc.RpcError as error:
            raise told(error, service.address) from error


def trace_of(environment: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """The trace that a command is part of, as those who run it say by W3C's variables."""
    traceparent = environment.get("TRACEPARENT", "")
    tracestate = environment.get("TRACESTATE", "")
    if not _TRACEPARENT.fullmatch(traceparent):
        return ()
    if not tracestate or not (tracestate.isascii() and tracestate.isprintable()):
        return (("traceparent", traceparent),)
    return (("traceparent", traceparent), ("tracestate", tracestate))


def told(error: grpc.RpcError, address: str) -> EmberdError | FailedError:
    """What to tell about a failed call: the service's own words, or that it is not there."""
    found = error_from(error)
    if found.reason != "TRANSPORT":
        return found
    if error.code() == grpc.StatusCode.UNAVAILABLE:
        return FailedError(
            f"no emberd answers at {address} ({found.message}): start one with `emberd serve`, "
            "or point --endpoint or EMBERD_ENDPOINT to where it runs"
        )
    if error.code() == grpc.StatusCode.DEADLINE_EXCEEDED:
        return FailedError(f"emberd at {address} did not answer in time; it may still be working")
    return found


def find_service(
    endpoint: str | None, data: Path | None, environment: Mapping[str, str]
) -> Service:
    """Choose the control plane by flags first, then environment, then the default folder.

    Raises:
        NotConfiguredError: nothing says which, or its token is missing.
    """
    if endpoint is None and data is not None:
        return _of_folder(data)
    address = endpoint or environment.get("EMBERD_ENDPOINT", "")
    if address:
        token = environment.get("EMBERD_TOKEN", "")
        if not token:
            raise NotConfiguredError(
                f"no token for {address}: set EMBERD_TOKEN (`emberd env --data DIR` prints it), "
                "or use --data DIR instead"
            )
        return Service(address=address, token=token)
    named = environment.get("EMBERD_DATA", "")
    return _of_folder(Path(named) if named else default_data_folder())


def _of_folder(data: Path) -> Service:
    folder = DataFolder(data)
    try:
        endpoint = folder.read_endpoint()
        token = folder.token.read_text().strip()
    except FileNotFoundError as error:
        raise NotConfiguredError(
            f"no emberd runs on {data}: start it with `emberd serve --data {data}`, or set "
            "EMBERD_ENDPOINT and EMBERD_TOKEN (`emberd env --data DIR` prints them)"
        ) from error
    except PermissionError as error:
        raise NotConfiguredError(
            f"{error.filename} is not readable: its owner started emberd; ask for EMBERD_ENDPOINT "
            "and EMBERD_TOKEN, or run this as that user"
        ) from error
    except ValueError as error:
        raise NotConfiguredError(str(error)) from error
    return Service(address=endpoint.grpc, token=token)
