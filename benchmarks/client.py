"""A client with stock gRPC stubs, as any user could write it. Every call asserts its success."""

from __future__ import annotations

import io
import json
import os
import sys
import uuid
import zipfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import grpc
from google.protobuf.duration_pb2 import Duration

from benchmarks.harness import BenchmarkError
from emberd.fleet.v1 import fleet_pb2, fleet_pb2_grpc
from emberd.functions.v1 import functions_pb2, functions_pb2_grpc
from emberd.invocation.v1 import invocation_pb2, invocation_pb2_grpc
from emberd.telemetry.v1 import telemetry_pb2, telemetry_pb2_grpc

WORKLOADS = Path(__file__).parent / "workloads"
_MB = 1_024 * 1_024
RUNTIME = f"python3.{sys.version_info.minor}"
"""That of this program, because the emulator's runtime client is installed there."""
MEMORY_MB = 1_769
"""One vCPU: what every function under test has unless a result says otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """The spans of one invocation in nanoseconds."""

    whole_ns: int
    parts_ns: dict[str, int]
    """Every span but the root by name."""
    top_ns: int
    """The sum of those directly below the root."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A successful invocation of the hello workload."""

    start_level: str
    """warm, template, parked or fresh."""
    token: str
    """Of the package that ran."""
    environment: str
    """Of the environment that ran it; a new environment has a new one."""
    request_id: str
    init_ns: int


class Client:
    """Talks to one emberd."""

    def __init__(self, endpoint: str, token: str) -> None:
        self._channel = grpc.aio.insecure_channel(endpoint)
        self._metadata = (("authorization", f"Bearer {token}"),)
        self._functions = functions_pb2_grpc.FunctionServiceStub(self._channel)
        self._invocations = invocation_pb2_grpc.InvocationServiceStub(self._channel)
        self._hosts = fleet_pb2_grpc.HostServiceStub(self._channel)
        self._telemetry = telemetry_pb2_grpc.TelemetryServiceStub(self._channel)

    async def close(self) -> None:
        """Let go of the channel."""
        await self._channel.close()

    async def runtimes(self) -> list[str]:
        """What the attached hosts offer."""
        response = await self._hosts.ListHosts(
            fleet_pb2.ListHostsRequest(), metadata=self._metadata
        )
        return sorted({each.runtime_id for host in response.hosts for each in host.runtimes})

    async def create_hello(self, runtime: str, *, memory_mb: int = MEMORY_MB) -> tuple[str, str]:
        """Deploy the hello workload as a new function with new code: its name and its token."""
        return await self.create("hello", runtime, memory_mb=memory_mb)

    async def create(
        self,
        workload: str,
        runtime: str,
        *,
        memory_mb: int = MEMORY_MB,
        timeout_s: int = 3,
        snap_start: bool = False,
    ) -> tuple[str, str]:
        """Deploy a workload as a new function with new code: its name and its token.

        With snap_start its environments, $LATEST's too, are copied from one init.
        """
        token = uuid.uuid4().hex
        name = f"{workload}-{token[:12]}"
        await self._functions.CreateFunction(
            functions_pb2.CreateFunctionRequest(
                function_name=name,
                runtime=runtime,
                handler="app.handler",
                role="arn:aws:iam::000000000000:role/benchmark",
                code=functions_pb2.Code(zip_file=package(WORKLOADS / workload, token)),
                memory_size_mb=memory_mb,
                timeout=Duration(seconds=timeout_s),
                snap_start_apply_on="EveryVersion" if snap_start else None,
            ),
            metadata=self._metadata,
        )
        return name, token

    async def create_large(self, runtime: str, data_mb: int) -> str:
        """Deploy the hello workload with so much data beside it; its name.

        Part of the data compresses, so that the archive stays below Lambda's 50 MB.
        """
        archive = io.BytesIO(package(WORKLOADS / "hello", uuid.uuid4().hex))
        with zipfile.ZipFile(archive, "a", zipfile.ZIP_DEFLATED, compresslevel=1) as added:
            for number in range(data_mb):
                unique = os.urandom(_MB if number % 3 == 0 else _MB // 64)
                added.writestr(f"data/{number}.bin", unique * (_MB // len(unique)))
        content = archive.getvalue()
        pieces = (content[at : at + _MB] for at in range(0, len(content), _MB))
        stored = await self._functions.UploadArtifact(
            (functions_pb2.UploadArtifactRequest(chunk=each) for each in pieces),
            metadata=self._metadata,
        )
        name = f"large-{stored.artifact_id[:12]}"
        await self._functions.CreateFunction(
            functions_pb2.CreateFunctionRequest(
                function_name=name,
                runtime=runtime,
                handler="app.handler",
                role="arn:aws:iam::000000000000:role/benchmark",
                code=functions_pb2.Code(artifact_id=stored.artifact_id),
                memory_size_mb=MEMORY_MB,
            ),
            metadata=self._metadata,
        )
        return name

    async def running(self) -> int:
        """Invocations that run now."""
        response = await self._hosts.ListHosts(
            fleet_pb2.ListHostsRequest(), metadata=self._metadata
        )
        return sum(host.running for host in response.hosts)

    async def create_module(
        self, content: bytes, *, memory_mb: int = MEMORY_MB, timeout_s: int = 10
    ) -> str:
        """Deploy a WebAssembly module; its name."""
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as package_of_it:
            package_of_it.writestr("main.wasm", content)
        name = f"wasm-{uuid.uuid4().hex[:12]}"
        await self._functions.CreateFunction(
            functions_pb2.CreateFunctionRequest(
                function_name=name,
                runtime="wasm",
                handler="main.wasm",
                role="arn:aws:iam::000000000000:role/benchmark",
                code=functions_pb2.Code(zip_file=archive.getvalue()),
                memory_size_mb=memory_mb,
                timeout=Duration(seconds=timeout_s),
            ),
            metadata=self._metadata,
        )
        return name

    async def make_cold(self, name: str, variables: dict[str, str]) -> None:
        """Give a function other variables, so that no environment serves it yet."""
        await self._functions.UpdateFunctionConfiguration(
            functions_pb2.UpdateFunctionConfigurationRequest(
                function_name=name, environment=functions_pb2.Environment(variables=variables)
            ),
            metadata=self._metadata,
        )

    async def delete(self, name: str) -> None:
        """Delete a function."""
        await self._functions.DeleteFunction(
            functions_pb2.DeleteFunctionRequest(function_name=name), metadata=self._metadata
        )

    async def invoke(self, name: str, event: object = None) -> Answer:
        """Invoke a function that tells its token and its environment, as hello does."""
        payload = json.dumps(event or {}).encode()
        response = await self._invocations.Invoke(
            invocation_pb2.InvokeRequest(function_name=name, payload=payload),
            metadata=self._metadata,
        )
        if response.function_error or response.status_code != 200:
            raise BenchmarkError(
                f"{name} answered {response.status_code} {response.function_error}: "
                f"{response.payload[:500]!r}"
            )
        answer = json.loads(response.payload)
        level = invocation_pb2.StartLevel.Name(response.start_level)
        return Answer(
            start_level=level.removeprefix("START_LEVEL_").lower(),
            token=answer["token"],
            environment=answer["environment"],
            request_id=response.request_id,
            init_ns=response.init_duration.ToNanoseconds(),
        )

    async def send(self, name: str, payload: bytes) -> tuple[bytes, str]:
        """Invoke any function that succeeds: its answer and the start level."""
        response = await self._invocations.Invoke(
            invocation_pb2.InvokeRequest(function_name=name, payload=payload),
            metadata=self._metadata,
        )
        if response.function_error or response.status_code != 200:
            raise BenchmarkError(f"{name} answered {response.payload[:500]!r}")
        level = invocation_pb2.StartLevel.Name(response.start_level)
        return response.payload, level.removeprefix("START_LEVEL_").lower()

    async def ask(self, name: str, event: object) -> str:
        """Invoke a function that may fail: the kind of its error, empty for none."""
        response = await self._invocations.Invoke(
            invocation_pb2.InvokeRequest(function_name=name, payload=json.dumps(event).encode()),
            metadata=self._metadata,
        )
        if not response.function_error:
            return ""
        return str(json.loads(response.payload).get("errorType", response.function_error))

    async def stream(self, name: str, event: object) -> AsyncIterator[bytes]:
        """Invoke a function that streams, and yield its answer as it comes."""
        asked = invocation_pb2.InvokeRequest(function_name=name, payload=json.dumps(event).encode())
        call = self._invocations.InvokeStream(
            invocation_pb2.InvokeStreamRequest(request=asked), metadata=self._metadata
        )
        async for piece in call:
            if piece.WhichOneof("event") == "payload_chunk":
                yield piece.payload_chunk
            elif piece.complete.function_error:
                raise BenchmarkError(f"{name} failed: {piece.complete.payload[:500]!r}")

    async def trace(self, request_id: str) -> Trace | None:
        """The trace of an invocation; None while it is not kept yet."""
        request = telemetry_pb2.GetTraceRequest(request_id=request_id)
        try:
            answer = await self._telemetry.GetTrace(request, metadata=self._metadata)
        except grpc.aio.AioRpcError as error:
            if error.code() is grpc.StatusCode.NOT_FOUND:
                return None
            raise
        return _trace_of(list(answer.spans))


@asynccontextmanager
async def connected(settings: dict[str, str]) -> AsyncIterator[Client]:
    """A client of the emberd that `emberd env` described."""
    client = Client(settings["EMBERD_ENDPOINT"], settings["EMBERD_TOKEN"])
    try:
        yield client
    finally:
        await client.close()


def _trace_of(spans: list[telemetry_pb2.Span]) -> Trace:
    """The root is the span whose parent is not in the trace."""
    ids = {span.span_id for span in spans}
    roots = [span for span in spans if span.parent_span_id not in ids]
    if len(roots) != 1:
        raise BenchmarkError(f"a trace has {len(roots)} roots, so its parts cannot be added up")
    taken = {
        span.span_id: span.end_time.ToNanoseconds() - span.start_time.ToNanoseconds()
        for span in spans
    }
    root = roots[0].span_id
    return Trace(
        whole_ns=taken[root],
        parts_ns={span.name: taken[span.span_id] for span in spans if span.span_id != root},
        top_ns=sum(taken[span.span_id] for span in spans if span.parent_span_id == root),
    )


def package(folder: Path, token: str) -> bytes:
    """A workload as a zip archive that no other run has the bytes of."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.glob("*.py")):
            if path.name != "package_token.py":
                archive.write(path, path.name)
        archive.writestr("package_token.py", f'TOKEN = "{token}"\n')
    return buffer.getvalue()
