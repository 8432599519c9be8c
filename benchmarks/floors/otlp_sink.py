"""A collector that takes everything and keeps nothing, in a process of its own.

Run as a program it listens on a free port of the loopback and prints it.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import grpc
import uvloop

from benchmarks.harness import BenchmarkError

SERVICES = ("trace.v1.TraceService", "metrics.v1.MetricsService", "logs.v1.LogsService")


@contextmanager
def otlp_sink() -> Iterator[str]:
    """Its endpoint."""
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.floors.otlp_sink"], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        port = process.stdout.readline().strip()
        if not port:
            raise BenchmarkError("the collector did not start")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(10)
        if process.stdout is not None:
            process.stdout.close()


async def _take(_request: bytes, _context: object) -> bytes:
    return b""  # the empty message of every answer


async def _serve() -> None:
    server = grpc.aio.server()
    for name in SERVICES:
        handler = grpc.unary_unary_rpc_method_handler(_take)
        service = f"opentelemetry.proto.collector.{name}"
        handlers = grpc.method_handlers_generic_handler(service, {"Export": handler})
        server.add_generic_rpc_handlers((handlers,))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    print(port, flush=True)
    await server.wait_for_termination()


if __name__ == "__main__":
    uvloop.run(_serve())
