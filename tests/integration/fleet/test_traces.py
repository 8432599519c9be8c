"""A gRPC caller's trace goes on into the attempt, and the caller is told which one it is."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import grpc
import pytest

from controlplane.api.grpc.invocations import InvocationService
from controlplane.model.trace import KEEP_ALL, begin, read
from emberd.invocation.v1 import invocation_pb2 as pb
from emberd.invocation.v1 import invocation_pb2_grpc
from emberd.wire.errors import CapacityError
from emberd.wire.interceptors import ServerInterceptor, TokenTable
from emberd.wire.status import error_from
from sandbox import work
from tests.integration.fleet.playing import ScriptedHost, control_plane, echo, event, host_of, until

TRACE = "5759e988bd862e3fe1be46a994272793"
SPAN = "53995c3f42cd8ad8"
OURS = f"{0xDEF:016x}"
XRAY = f"Root=1-{TRACE[:8]}-{TRACE[8:]};Parent={SPAN};Sampled=1"
TOLD = {"traceresponse": f"00-{TRACE}-{OURS}-01", "x-amzn-trace-id": XRAY.replace(SPAN, OURS)}

SERVICE = "emberd.invocation.v1.InvocationService"


@asynccontextmanager
async def front(
    act=echo,
) -> AsyncIterator[tuple[invocation_pb2_grpc.InvocationServiceStub, ScriptedHost]]:
    """The gRPC front over a fleet of one host."""
    async with control_plane() as fleet, host_of(fleet, act) as host:
        await fleet.attached.wait()
        fleet.dispatcher.new_trace = lambda headers: begin(
            read(headers), KEEP_ALL, now_s=1, trace_bits=0xABC, span_bits=0xDEF
        )
        interceptor = ServerInterceptor(TokenTable({SERVICE: "token"}))
        server = grpc.aio.server(interceptors=[interceptor])
        service = InvocationService(fleet.dispatcher)
        invocation_pb2_grpc.add_InvocationServiceServicer_to_server(service, server)
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        try:
            async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
                yield invocation_pb2_grpc.InvocationServiceStub(channel), host
        finally:
            await server.stop(None)


def metadata(given: Sequence[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    return (("authorization", "Bearer token"), *given)


def told(trailing) -> dict[str, str]:
    return {key: value for key, value in trailing if key in TOLD}


@pytest.mark.parametrize(
    ("given", "tracestate"),
    [
        ([("traceparent", f"00-{TRACE}-{SPAN}-01"), ("tracestate", "a=1")], "a=1"),
        ([("x-amzn-trace-id", XRAY)], ""),
    ],
)
async def test_a_callers_trace_goes_on_and_comes_back(given, tracestate):
    request = pb.InvokeRequest(function_name="hello", payload=b"{}")
    async with front() as (stub, host):
        call = stub.Invoke(request, metadata=metadata(given))
        answer = await call
        assert told(await call.trailing_metadata()) == TOLD
        stream = stub.InvokeStream(
            pb.InvokeStreamRequest(request=request), metadata=metadata(given)
        )
        assert [each async for each in stream][-1].complete.trace_id == answer.trace_id == TRACE
        assert told(await stream.trailing_metadata()) == TOLD
    for attempt in host.seen:
        assert attempt.trace_header == TOLD["x-amzn-trace-id"]
        assert attempt.tracestate == tracestate


async def test_a_refused_caller_is_told_its_trace_beside_the_reason():
    def refuse(host: ScriptedHost, attempt: work.Attempt) -> None:
        host.session.refuse(
            attempt.invocation_id, work.RefusalReason.START_FAILED, "no such package"
        )

    async with front(refuse) as (stub, _):
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await stub.Invoke(
                pb.InvokeRequest(function_name="hello", payload=b"{}"),
                metadata=metadata([("x-amzn-trace-id", XRAY)]),
            )
    assert told(refused.value.trailing_metadata()) == TOLD
    assert error_from(refused.value).reason == "START_FAILED"


async def test_hosts_that_hand_an_invocation_back_are_in_its_record():
    def refuse(host: ScriptedHost, attempt: work.Attempt) -> None:
        host.session.refuse(attempt.invocation_id, work.RefusalReason.MEMORY, "full")

    async with control_plane() as fleet, host_of(fleet, refuse):
        await fleet.attached.wait()
        with pytest.raises(CapacityError):
            await fleet.dispatcher.invoke(event())
        await until(lambda: fleet.records)
    (record,) = fleet.records
    assert [(each.host_id, each.reason) for each in record.refused] == [("host-1", "memory")]
    assert [each.name for each in record.phases][:2] == ["front", "schedule"]
    parts = [(each.start_ns, each.end_ns) for each in record.phases]
    parts += [(each.start_ns, each.end_ns) for each in record.refused]
    assert sum(end - start for start, end in parts) == record.end_ns - record.start_ns
