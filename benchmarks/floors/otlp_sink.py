"""A collector that takes everything and keeps nothing, in a process of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import grpc

from benchmarks.floors import program

SERVICES = ("trace.v1.TraceService", "metrics.v1.MetricsService", "logs.v1.LogsService")


@contextmanager
def otlp_sink() -> Iterator[str]:
    """Its endpoint."""
    with program.running("benchmarks.floors.otlp_sink") as (_, address):
        yield f"http://{address}"


async def _take(_request: bytes, _context: object) -> bytes:
    return b""  # the empty message of every answer


def _handler(name: str) -> grpc.GenericRpcHandler:
    service = f"opentelemetry.proto.collector.{name}"
    handler = grpc.unary_unary_rpc_method_handler(_take)
    return grpc.method_handlers_generic_handler(service, {"Export": handler})


if __name__ == "__main__":
    program.serve(*(_handler(name) for name in SERVICES))
