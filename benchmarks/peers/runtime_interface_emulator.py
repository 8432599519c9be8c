"""AWS's Runtime Interface Emulator with AWS's Python runtime client: one function, no isolation.

It is built from its source by the Go toolchain once, into a folder that git ignores. It has no
authentication, one environment, and runs the function as a plain child: emberd carries signatures,
policies, namespaces, limits and filters that it does not.
"""

from __future__ import annotations

import io
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.client import WORKLOADS, package
from benchmarks.harness import BenchmarkError

MODULE = "github.com/aws/aws-lambda-runtime-interface-emulator"
REVISION = "v0.0.0-20261030222936-bef5c4ba774d"
BUILT = Path(__file__).parent / "built"
BUILD_WITHIN_S = 600
LISTENING_WITHIN_S = 20.0
PATH = "/2015-03-31/functions/function/invocations"


@dataclass(frozen=True, slots=True, kw_only=True)
class Emulator:
    """A running one, with the hello workload in it."""

    pid: int
    """The root of its processes."""
    port: int
    token: str
    """Of the package that it runs."""
    begun_ns: int
    """When its process was started, by time.perf_counter_ns."""


@contextmanager
def emulator(workload: str = "hello", *, look_again_s: float = 0.05) -> Iterator[Emulator]:
    """The emulator with a workload under awslambdaric, in the Python that runs this.

    It listens once this yields; look_again_s is how often that is tried.
    """
    program, token = _program(), "emulator"
    folder = Path(tempfile.mkdtemp(prefix="emberd-rie-"))
    port, runtime_port = _free_ports(2)
    try:
        zipfile.ZipFile(io.BytesIO(package(WORKLOADS / workload, token))).extractall(folder)
        begun_ns = time.perf_counter_ns()
        process = subprocess.Popen(
            [
                program,
                *("--log-level", "error"),
                *("--runtime-interface-emulator-address", f"127.0.0.1:{port}"),
                *("--runtime-api-address", f"127.0.0.1:{runtime_port}"),
                *(sys.executable, "-m", "awslambdaric", "app.handler"),
            ],
            cwd=folder,
            env={"LAMBDA_TASK_ROOT": str(folder), "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1769"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            _wait_until_it_listens(process, port, look_again_s)
            yield Emulator(pid=process.pid, port=port, token=token, begun_ns=begun_ns)
        finally:
            process.terminate()
            process.wait(10)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _program() -> Path:
    """The emulator's program; built when it is not there yet."""
    program = BUILT / "aws-lambda-rie"
    if program.exists():
        return program
    go = shutil.which("go")
    if go is None:
        raise BenchmarkError("the emulator is built by Go, which is missing: apt install golang")
    with tempfile.TemporaryDirectory(prefix="emberd-rie-build-") as folder:
        for command in (
            [go, "mod", "init", "scratch"],
            [go, "get", f"{MODULE}@{REVISION}"],
            [go, "build", "-mod=mod", "-o", program, f"{MODULE}/cmd/aws-lambda-rie"],
        ):
            done = subprocess.run(
                command, cwd=folder, capture_output=True, text=True, timeout=BUILD_WITHIN_S
            )
            if done.returncode != 0:
                raise BenchmarkError(f"the emulator could not be built: {done.stderr[-1000:]}")
    return program


def _wait_until_it_listens(
    process: subprocess.Popen[bytes], port: int, look_again_s: float
) -> None:
    until = time.monotonic() + LISTENING_WITHIN_S
    while time.monotonic() < until and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(look_again_s)
        else:
            return
    raise BenchmarkError(f"the emulator does not listen (its status: {process.poll()})")


def _free_ports(count: int) -> list[int]:
    """Ports that were free a moment ago: the emulator cannot choose by itself."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports: list[int] = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports
