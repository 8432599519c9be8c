"""Layers over gRPC, on a real server with real storage."""

from __future__ import annotations

import uuid
from contextlib import AsyncExitStack
from datetime import UTC, datetime

import grpc
import pytest

from controlplane.api.grpc.layers import LayerService
from controlplane.registry import FunctionRegistry
from controlplane.storage.files import FileBlobs
from controlplane.storage.sqlite import SqliteRecords
from emberd.functions.v1 import functions_pb2, layers_pb2_grpc
from emberd.functions.v1 import layers_pb2 as pb
from emberd.wire.errors import InvalidArgumentError
from emberd.wire.interceptors import ServerInterceptor, TokenTable
from emberd.wire.status import error_from
from tests.fakes.archives import FILE, archive

TOKEN = "test-token"
ARN = "arn:aws:lambda:us-east-1:000000000000:layer:tools"
PACKAGE = archive(("python/tool.py", b"x = 1\n", FILE))


async def serve(folder, stack):
    """A server of layers alone; a function that calls it."""
    records = await SqliteRecords.open(folder / "registry.db")
    stack.push_async_callback(records.close)
    blobs = await FileBlobs.open(folder / "artifacts")
    stack.push_async_callback(blobs.close)
    registry = await FunctionRegistry.open(
        records,
        blobs,
        region="us-east-1",
        account_id="000000000000",
        runtimes=lambda: {"python3.12"},
        clock=lambda: datetime.now(UTC),
        new_uuid=lambda: str(uuid.uuid4()),
    )
    stack.push_async_callback(registry.close)
    tokens = TokenTable({"emberd.functions.v1.LayerService": TOKEN})
    server = grpc.aio.server(interceptors=[ServerInterceptor(tokens)])
    layers_pb2_grpc.add_LayerServiceServicer_to_server(LayerService(registry.layers), server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    stack.push_async_callback(server.stop, None)
    channel = grpc.aio.insecure_channel(f"127.0.0.1:{port}")
    stack.push_async_callback(channel.close)
    stub = layers_pb2_grpc.LayerServiceStub(channel)

    async def call(method, request):
        metadata = (("authorization", f"Bearer {TOKEN}"),)
        try:
            return await getattr(stub, method)(request, metadata=metadata)
        except grpc.aio.AioRpcError as error:
            raise error_from(error) from error

    return call


@pytest.fixture
async def call(tmp_path):
    async with AsyncExitStack() as stack:
        yield await serve(tmp_path, stack)


def publishing(name="tools", **said):
    content = functions_pb2.Code(zip_file=PACKAGE)
    return pb.PublishLayerVersionRequest(layer_name=name, content=content, **said)


async def test_a_published_version_is_described_and_listed(call):
    request = publishing(
        description="numbers",
        license_info="MIT",
        compatible_runtimes=["python3.12"],
        compatible_architectures=["arm64"],
    )
    made = (await call("PublishLayerVersion", request)).version
    assert (made.layer_name, made.layer_arn, made.version) == ("tools", ARN, 1)
    assert (made.layer_version_arn, made.code_size_bytes) == (f"{ARN}:1", len(PACKAGE))
    assert (made.description, made.license_info) == ("numbers", "MIT")
    assert list(made.compatible_runtimes) == ["python3.12"]
    assert list(made.compatible_architectures) == ["arm64"]
    assert made.create_time.ToDatetime(tzinfo=UTC) <= datetime.now(UTC)
    listed = await call("ListLayers", pb.ListLayersRequest(compatible_runtime="python3.12"))
    assert list(listed.layers) == [made]
    none = await call("ListLayers", pb.ListLayersRequest(compatible_architecture="x86_64"))
    assert list(none.layers) == []


async def test_versions_are_paged_and_deleted(call):
    for _ in range(3):
        await call("PublishLayerVersion", publishing())
    await call("DeleteLayerVersion", pb.DeleteLayerVersionRequest(layer_name="tools", version=2))
    first = await call(
        "ListLayerVersions", pb.ListLayerVersionsRequest(layer_name="tools", max_items=1)
    )
    second = await call(
        "ListLayerVersions",
        pb.ListLayerVersionsRequest(layer_name="tools", marker=first.next_marker),
    )
    assert [each.version for each in first.versions] == [3]
    assert [each.version for each in second.versions] == [1]
    assert second.next_marker == ""


async def test_a_version_without_a_package_is_refused(call):
    with pytest.raises(InvalidArgumentError):
        await call("PublishLayerVersion", pb.PublishLayerVersionRequest(layer_name="tools"))
