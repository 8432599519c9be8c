"""A bare grpc.aio server: the same RPC and the same messages as Invoke, and nothing behind it.

Run as a program it listens on a free port of the loopback and prints it.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import grpc
import uvloop

from benchmarks.harness import BenchmarkError, Call
from emberd.invocation.v1 import invocation_pb2, invocation_pb2_grpc

SERVICE = "emberd.invocation.v1.InvocationService"


async def echo(
    request: invocation_pb2.InvokeRequest, _context: object
) -> invocation_pb2.InvokeResponse:
    """Answer an event with itself."""
    return invocation_pb2.InvokeResponse(payload=request.payload, status_code=200)


@contextmanager
def echo_server() -> Iterator[tuple[int, str]]:
    """An echo server in its own process: its pid and its address."""
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.floors.grpc_echo"], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        port = process.stdout.readline().strip()
        if not port:
            raise BenchmarkError("the echo server did not start")
        yield process.pid, f"127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(10)


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


async def _serve() -> None:
    server = grpc.aio.server()
    handler = grpc.unary_unary_rpc_method_handler(
        echo,
        request_deserializer=invocation_pb2.InvokeRequest.FromString,
        response_serializer=invocation_pb2.InvokeResponse.SerializeToString,
    )
    service = grpc.method_handlers_generic_handler(SERVICE, {"Invoke": handler})
    server.add_generic_rpc_handlers((service,))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    print(port, flush=True)
    await server.wait_for_termination()


if __name__ == "__main__":
    # The control plane runs on uvloop, so its floor does too.
    uvloop.run(_serve())
