"""The wire between processes: errors, tokens and supervision over a real gRPC server.

The servicers are scripted; server, interceptor, channels and generated stubs are the real ones.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

import grpc
import pytest
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from controlplane.api.auditing import Auditor
from controlplane.identity.callers import root
from controlplane.model.log import LogLine
from emberd.fleet.v1 import fleet_pb2, fleet_pb2_grpc
from emberd.functions.v1 import functions_pb2, functions_pb2_grpc
from emberd.invocation.v1 import invocation_pb2, invocation_pb2_grpc
from emberd.wire.channels import (
    CLIENT_OPTIONS,
    HOST_OPTIONS,
    SERVER_OPTIONS,
    authorization,
    client_channel,
    host_channel,
)
from emberd.wire.errors import (
    CapacityError,
    ConflictError,
    DeniedError,
    EmberdError,
    InvalidArgumentError,
    NotFoundError,
    UnavailableError,
)
from emberd.wire.interceptors import ServerInterceptor, TokenTable
from emberd.wire.status import error_from

CLIENT = authorization("client-token")
HOST = authorization("host-token")
CALL_S = 5.0

RAISED: dict[str, EmberdError] = {
    "invalid": InvalidArgumentError(
        "Value '0' at 'memorySize' failed", reason="INVALID_PARAMETER_VALUE", memory_size="0"
    ),
    "denied": DeniedError("not yours", reason="ACCESS_DENIED"),
    "missing": NotFoundError(
        "Function not found: höllo", reason="RESOURCE_NOT_FOUND", name="höllo"
    ),
    "conflict": ConflictError("it exists", reason="RESOURCE_CONFLICT"),
    "full": CapacityError("no room", reason="TOO_MANY_REQUESTS", retry="10"),
    "gone": UnavailableError("the host was lost", reason="HOST_LOST"),
}


@dataclass
class Invocations(invocation_pb2_grpc.InvocationServiceServicer):
    """Raises what the function's name says; remembers what it was asked."""

    asked: list[str] = field(default_factory=list)
    started: asyncio.Event = field(default_factory=asyncio.Event)
    cancelled: asyncio.Event = field(default_factory=asyncio.Event)

    async def Invoke(
        self, request: invocation_pb2.InvokeRequest, context: grpc.aio.ServicerContext
    ) -> invocation_pb2.InvokeResponse:
        self.asked.append(request.function_name)
        if request.function_name in RAISED:
            raise RAISED[request.function_name]
        if request.function_name == "bug":
            raise RuntimeError("the key is hunter2")
        if request.function_name == "long":
            raise InvalidArgumentError(
                "x" * 20_000, reason="INVALID_PARAMETER_VALUE", value="y" * 20_000
            )
        if request.function_name == "endless":
            self.started.set()
            try:
                await asyncio.Event().wait()
            finally:
                self.cancelled.set()
        return invocation_pb2.InvokeResponse(payload=request.payload)

    async def InvokeStream(
        self, request: invocation_pb2.InvokeStreamRequest, context: grpc.aio.ServicerContext
    ) -> AsyncIterator[invocation_pb2.InvokeStreamResponse]:
        for piece in (b"one", b"two"):
            yield invocation_pb2.InvokeStreamResponse(payload_chunk=piece)
        name = request.request.function_name
        if name in RAISED:
            raise RAISED[name]
        if name == "bug":
            raise RuntimeError("the key is hunter2")


class Fleet(fleet_pb2_grpc.FleetServiceServicer):
    """Answers streams of both other kinds."""

    async def Attach(
        self, frames: AsyncIterator[fleet_pb2.HostMessage], context: grpc.aio.ServicerContext
    ) -> AsyncIterator[fleet_pb2.ControlMessage]:
        async for message in frames:
            host_id = message.frames[0].hello.host_id
            if host_id in RAISED:
                raise RAISED[host_id]
            welcome = fleet_pb2.Welcome(epoch=7, wire_version=1)
            yield fleet_pb2.ControlMessage(frames=[fleet_pb2.ControlFrame(welcome=welcome)])

    async def PushPayload(
        self, pieces: AsyncIterator[fleet_pb2.PushPayloadRequest], context: grpc.aio.ServicerContext
    ) -> fleet_pb2.PushPayloadResponse:
        async for piece in pieces:
            if piece.invocation_id in RAISED:
                raise RAISED[piece.invocation_id]
        return fleet_pb2.PushPayloadResponse()


@dataclass
class Wire:
    """A listening server and what a test needs to reach it."""

    address: str
    channel: grpc.aio.Channel
    servicer: Invocations
    kept: list[LogLine]
    """The audit log."""
    invocations: invocation_pb2_grpc.InvocationServiceAsyncStub = field(init=False)
    fleet: fleet_pb2_grpc.FleetServiceAsyncStub = field(init=False)

    def __post_init__(self) -> None:
        self.invocations = invocation_pb2_grpc.InvocationServiceStub(self.channel)
        self.fleet = fleet_pb2_grpc.FleetServiceStub(self.channel)


@pytest.fixture
async def wire() -> AsyncIterator[Wire]:
    table = TokenTable(
        {
            "emberd.invocation.v1.InvocationService": "client-token",
            "emberd.fleet.v1.FleetService": "host-token",
        }
    )
    kept: list[LogLine] = []
    witness = Auditor(kept.extend, root("000000000000")).grpc
    server = grpc.aio.server(
        interceptors=[ServerInterceptor(table, witness)], options=SERVER_OPTIONS
    )
    servicer = Invocations()
    invocation_pb2_grpc.add_InvocationServiceServicer_to_server(servicer, server)
    fleet_pb2_grpc.add_FleetServiceServicer_to_server(Fleet(), server)
    # Served, but in no table: closed.
    functions_pb2_grpc.add_FunctionServiceServicer_to_server(
        functions_pb2_grpc.FunctionServiceServicer(), server
    )
    health_pb2_grpc.add_HealthServicer_to_server(health.aio.HealthServicer(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    address = f"127.0.0.1:{port}"
    try:
        async with host_channel(address) as channel:
            yield Wire(address=address, channel=channel, servicer=servicer, kept=kept)
    finally:
        await server.stop(None)


def ask(name: str, payload: bytes = b"{}") -> invocation_pb2.InvokeRequest:
    return invocation_pb2.InvokeRequest(function_name=name, payload=payload)


def same(error: EmberdError, raised: EmberdError) -> bool:
    """Whether an error came over the wire whole."""
    return (type(error), error.message, error.reason, error.metadata) == (
        type(raised),
        raised.message,
        raised.reason,
        raised.metadata,
    )


# The audit log.


async def test_calls_that_fail_or_are_refused_are_told_and_successful_invocations_are_not(
    wire: Wire,
) -> None:
    name, raised = next(iter(RAISED.items()))
    await wire.invocations.Invoke(ask("fine"), metadata=authorization("client-token"))
    for asked, token in ((name, "client-token"), ("bug", "client-token"), ("fine", "wrong")):
        with pytest.raises(grpc.aio.AioRpcError):
            await wire.invocations.Invoke(ask(asked), metadata=authorization(token))
    said = [json.loads(line.message) for line in wire.kept]
    assert [(each["resource"], each["errorCode"]) for each in said] == [
        (name, raised.reason),
        ("bug", "INTERNAL"),
        ("", "UNAUTHENTICATED"),
    ]
    assert {each["eventName"] for each in said} == {"Invoke"}
    assert [each["userIdentity"]["type"] for each in said] == ["root", "root", ""]
    assert said[0]["sourceIPAddress"].startswith("ipv4:127.0.0.1:")


async def test_a_host_is_told_of_when_it_is_refused_only(wire: Wire) -> None:
    pieces = [fleet_pb2.PushPayloadRequest(invocation_id="fine")]
    await wire.fleet.PushPayload(iter(pieces), metadata=authorization("host-token"))
    assert wire.kept == []
    with pytest.raises(grpc.aio.AioRpcError):
        await wire.fleet.PushPayload(iter(pieces), metadata=authorization("client-token"))
    assert [json.loads(line.message)["eventName"] for line in wire.kept] == ["PushPayload"]


# Errors.


@pytest.mark.parametrize("name", RAISED)
async def test_an_error_arrives_as_the_class_message_reason_and_metadata_it_left_with(
    wire: Wire, name: str
) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as failure:
        await wire.invocations.Invoke(ask(name), metadata=CLIENT, timeout=CALL_S)
    assert same(error_from(failure.value), RAISED[name])


async def test_a_blocking_client_rebuilds_the_same_error(wire: Wire) -> None:
    def call() -> EmberdError:
        with client_channel(wire.address) as channel:
            stub = invocation_pb2_grpc.InvocationServiceStub(channel)
            try:
                stub.Invoke(ask("missing"), metadata=CLIENT, timeout=CALL_S)
            except grpc.RpcError as failure:
                return error_from(failure)
        raise AssertionError("the call succeeded")

    assert same(await asyncio.to_thread(call), RAISED["missing"])


async def test_a_stream_delivers_what_came_before_its_error(wire: Wire) -> None:
    request = invocation_pb2.InvokeStreamRequest(request=ask("gone"))
    call = wire.invocations.InvokeStream(request, metadata=CLIENT, timeout=CALL_S)
    seen = [(await call.read()).payload_chunk, (await call.read()).payload_chunk]
    with pytest.raises(grpc.aio.AioRpcError) as failure:
        await call.read()
    assert seen == [b"one", b"two"]
    assert same(error_from(failure.value), RAISED["gone"])


async def test_a_handler_that_reads_a_stream_ends_it_with_its_error(wire: Wire) -> None:
    pieces = [fleet_pb2.PushPayloadRequest(invocation_id="conflict", chunk=b"x")]
    with pytest.raises(grpc.aio.AioRpcError) as failure:
        await wire.fleet.PushPayload(iter(pieces), metadata=HOST, timeout=CALL_S)
    assert same(error_from(failure.value), RAISED["conflict"])


async def test_a_stream_in_both_directions_answers_and_then_ends_with_its_error(wire: Wire) -> None:
    def hello(host_id: str) -> fleet_pb2.HostMessage:
        frame = fleet_pb2.HostFrame(hello=fleet_pb2.Hello(host_id=host_id))
        return fleet_pb2.HostMessage(frames=[frame])

    call = wire.fleet.Attach(metadata=HOST, timeout=CALL_S)
    await call.write(hello("host-1"))
    answer = await call.read()
    await call.write(hello("full"))
    with pytest.raises(grpc.aio.AioRpcError) as failure:
        await call.read()
    assert answer.frames[0].welcome.epoch == 7
    assert same(error_from(failure.value), RAISED["full"])


async def test_an_error_too_long_for_a_trailer_is_cut_and_keeps_its_class_and_reason(
    wire: Wire,
) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as failure:
        await wire.invocations.Invoke(ask("long"), metadata=CLIENT, timeout=CALL_S)
    error = error_from(failure.value)
    assert isinstance(error, InvalidArgumentError)
    assert error.reason == "INVALID_PARAMETER_VALUE"
    assert error.message.startswith("xxx")
    # Its neighbours on the connection did not suffer.
    answer = await wire.invocations.Invoke(ask("hello"), metadata=CLIENT, timeout=CALL_S)
    assert answer.payload == b"{}"


# Nothing leaks.


async def call_bug(wire: Wire) -> None:
    await wire.invocations.Invoke(ask("bug"), metadata=CLIENT, timeout=CALL_S)


async def stream_bug(wire: Wire) -> None:
    request = invocation_pb2.InvokeStreamRequest(request=ask("bug"))
    async for _ in wire.invocations.InvokeStream(request, metadata=CLIENT, timeout=CALL_S):
        pass


@pytest.mark.parametrize("call", [call_bug, stream_bug])
async def test_an_unexpected_failure_says_nothing_of_its_cause_and_the_log_has_it(
    wire: Wire, caplog: pytest.LogCaptureFixture, call: Callable[[Wire], Awaitable[None]]
) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as failure:
        await call(wire)
    told = f"{failure.value.details()}{failure.value.trailing_metadata()}"
    assert failure.value.code() is grpc.StatusCode.INTERNAL
    assert "hunter2" not in told
    assert "RuntimeError" not in told
    assert "hunter2" in caplog.text


# Doors.


@pytest.mark.parametrize(
    "metadata", [(), authorization("wrong"), HOST], ids=["none", "wrong", "host"]
)
async def test_a_call_without_its_services_token_is_refused_before_the_handler_sees_it(
    wire: Wire, metadata: tuple[tuple[str, str], ...]
) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as failure:
        await wire.invocations.Invoke(ask("hello"), metadata=metadata, timeout=CALL_S)
    assert failure.value.code() is grpc.StatusCode.UNAUTHENTICATED
    assert error_from(failure.value).reason == "UNAUTHENTICATED"
    assert wire.servicer.asked == []


async def test_the_client_token_does_not_open_the_hosts_door(wire: Wire) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as attach:
        await wire.fleet.Attach(metadata=CLIENT, timeout=CALL_S).read()
    pieces = [fleet_pb2.PushPayloadRequest(chunk=b"x")]
    with pytest.raises(grpc.aio.AioRpcError) as push:
        await wire.fleet.PushPayload(iter(pieces), metadata=CLIENT, timeout=CALL_S)
    assert attach.value.code() is grpc.StatusCode.UNAUTHENTICATED
    assert push.value.code() is grpc.StatusCode.UNAUTHENTICATED


async def test_of_two_tokens_a_wrong_one_cannot_hide_behind_a_right_one(wire: Wire) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as failure:
        await wire.invocations.Invoke(
            ask("hello"), metadata=(*CLIENT, *authorization("wrong")), timeout=CALL_S
        )
    assert failure.value.code() is grpc.StatusCode.UNAUTHENTICATED


async def test_each_token_opens_its_own_service(wire: Wire) -> None:
    answer = await wire.invocations.Invoke(ask("hello", b"42"), metadata=CLIENT, timeout=CALL_S)
    pushed = await wire.fleet.PushPayload(iter(()), metadata=HOST, timeout=CALL_S)
    assert answer.payload == b"42"
    assert pushed == fleet_pb2.PushPayloadResponse()


@pytest.mark.parametrize("metadata", [CLIENT, HOST, ()], ids=["client", "host", "none"])
async def test_a_served_method_that_is_in_no_table_is_closed_to_everyone(
    wire: Wire, metadata: tuple[tuple[str, str], ...]
) -> None:
    stub = functions_pb2_grpc.FunctionServiceStub(wire.channel)
    with pytest.raises(grpc.aio.AioRpcError) as failure:
        await stub.ListFunctions(
            functions_pb2.ListFunctionsRequest(), metadata=metadata, timeout=CALL_S
        )
    assert failure.value.code() is grpc.StatusCode.PERMISSION_DENIED


@pytest.mark.parametrize(
    "method", ["/emberd.invocation.v1.InvocationService/Nothing", "/nobody.v1.Nothing/Do"]
)
async def test_an_unknown_method_is_unimplemented(wire: Wire, method: str) -> None:
    call = wire.channel.unary_unary(method)
    with pytest.raises(grpc.aio.AioRpcError) as failure:
        await call(b"", metadata=CLIENT, timeout=CALL_S)
    assert failure.value.code() is grpc.StatusCode.UNIMPLEMENTED
    assert isinstance(error_from(failure.value), InvalidArgumentError)


async def test_health_answers_without_a_token(wire: Wire) -> None:
    stub = health_pb2_grpc.HealthStub(wire.channel)
    answer = await stub.Check(health_pb2.HealthCheckRequest(), timeout=CALL_S)
    assert answer.status == health_pb2.HealthCheckResponse.SERVING


# Callers that leave, servers that are not there, sizes.


async def test_a_caller_that_leaves_cancels_its_handler(wire: Wire) -> None:
    async def call() -> None:
        await wire.invocations.Invoke(ask("endless"), metadata=CLIENT, timeout=CALL_S)

    caller = asyncio.create_task(call())
    async with asyncio.timeout(CALL_S):
        await wire.servicer.started.wait()
        caller.cancel()
        await wire.servicer.cancelled.wait()
    assert wire.servicer.asked == ["endless"]
    with pytest.raises(asyncio.CancelledError):
        await caller


async def test_a_deadline_that_passes_is_unavailable_and_cancels_the_handler(wire: Wire) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as failure:
        await wire.invocations.Invoke(ask("endless"), metadata=CLIENT, timeout=0.05)
    error = error_from(failure.value)
    async with asyncio.timeout(CALL_S):
        await wire.servicer.cancelled.wait()
    assert isinstance(error, UnavailableError)
    assert error.reason == "TRANSPORT"


async def test_nothing_listening_is_unavailable_and_safe_to_retry() -> None:
    async with host_channel("unix:/nonexistent/fleet.sock") as channel:
        stub = invocation_pb2_grpc.InvocationServiceStub(channel)
        with pytest.raises(grpc.aio.AioRpcError) as failure:
            await stub.Invoke(ask("hello"), metadata=CLIENT, timeout=CALL_S)
    assert isinstance(error_from(failure.value), UnavailableError)


async def test_a_six_megabyte_event_goes_there_and_back(wire: Wire) -> None:
    payload = b'"' + b"x" * (6 * 1024 * 1024 - 2) + b'"'
    answer = await wire.invocations.Invoke(ask("hello", payload), metadata=CLIENT, timeout=CALL_S)
    assert answer.payload == payload


async def test_a_message_beyond_the_servers_limit_never_reaches_the_handler(wire: Wire) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as failure:
        await wire.invocations.Invoke(
            ask("hello", b"x" * (8 * 1024 * 1024)), metadata=CLIENT, timeout=CALL_S
        )
    assert failure.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert wire.servicer.asked == []


def test_our_own_channels_take_more_than_a_server_sends_by_default() -> None:
    client = dict(CLIENT_OPTIONS)
    assert client["grpc.max_receive_message_length"] > 6 * 1024 * 1024
    assert client.items() <= dict(HOST_OPTIONS).items()


# Many at once.


async def test_two_thousand_calls_at_once_are_all_answered(wire: Wire) -> None:
    calls = [wire.invocations.Invoke(ask("fine"), metadata=CLIENT) for _ in range(2_000)]
    answers = [await each for each in calls]
    assert {answer.payload for answer in answers} == {b"{}"}
