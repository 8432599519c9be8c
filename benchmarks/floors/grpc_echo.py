"""A bare grpc.aio server: the same RPC and the same messages as Invoke, and nothing behind it."""

from __future__ import annotations

from contextlib import AbstractContextManager

import grpc

from benchmarks.floors import program
from benchmarks.harness import BenchmarkError, Call
from emberd.invocation.v1 import invocation_pb2, invocation_pb2_grpc

SERVICE = "emberd.invocation.v1.InvocationService"


async def echo(
    request: invocation_pb2.InvokeRequest, _context: object
) -> invocation_pb2.InvokeResponse:
    """Answer an event with itself."""
    return invocation_pb2.InvokeResponse(payload=request.payload, status_code=200)


def echo_server() -> AbstractContextManager[tuple[int, str]]:
    """An echo server in its own process: its pid and its address."""
    return program.running("benchmarks.floors.grpc_echo")


def echo_call(channel: grpc.aio.Channel) -> Call:
    """One echo of an event as small as the hello workload's answer."""
    stub = invocation_pb2_grpc.InvocationServiceStub(channel)
    request = invocation_pb2.InvokeRequest(function_name="echo", payload=b'{"token": "x"}')

    async def call() -> bool:
        response = await stub.Invoke(request)
        if response.payload != request.payload:
            raise BenchmarkError("the echo server answered something else")
        return True

    return call


def _handler() -> grpc.GenericRpcHandler:
    handler = grpc.unary_unary_rpc_method_handler(
        echo,
        request_deserializer=invocation_pb2.InvokeRequest.FromString,
        response_serializer=invocation_pb2.InvokeResponse.SerializeToString,
    )
    return grpc.method_handlers_generic_handler(SERVICE, {"Invoke": handler})


if __name__ == "__main__":
    program.serve(_handler())
