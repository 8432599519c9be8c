"""A gRPC server that is a program of its own: on a free port of the loopback, which it prints.

Both sides of it: the server's, and of who runs it.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import grpc
import uvloop

from benchmarks.harness import BenchmarkError


@contextmanager
def running(module: str) -> Iterator[tuple[int, str]]:
    """It in a process of its own: the pid and the address.

    Raises:
        BenchmarkError: it did not start.
    """
    process = subprocess.Popen([sys.executable, "-m", module], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        port = process.stdout.readline().strip()
        if not port:
            raise BenchmarkError(f"{module} did not start")
        yield process.pid, f"127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(10)
        process.stdout.close()


def serve(*handlers: grpc.GenericRpcHandler) -> None:
    """Be that program, until it is ended."""
    # The control plane runs on uvloop, so what stands beside it does too.
    uvloop.run(_serve(*handlers))


async def _serve(*handlers: grpc.GenericRpcHandler) -> None:
    server = grpc.aio.server()
    server.add_generic_rpc_handlers(handlers)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    print(port, flush=True)
    await server.wait_for_termination()
