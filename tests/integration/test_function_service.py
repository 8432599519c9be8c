"""The registry over a real gRPC server, on a real database and real files."""

from __future__ import annotations

import asyncio
import hashlib
import uuid
from contextlib import AsyncExitStack
from datetime import UTC, datetime

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration

from controlplane.api.grpc.functions import FunctionService
from controlplane.registry import FunctionRegistry
from controlplane.storage.files import FileBlobs
from controlplane.storage.sqlite import SqliteRecords
from emberd.functions.v1 import functions_pb2 as pb
from emberd.functions.v1 import functions_pb2_grpc
from emberd.wire.channels import SERVER_OPTIONS
from emberd.wire.errors import (
    ConflictError,
    DeniedError,
    InvalidArgumentError,
    NotFoundError,
)
from emberd.wire.interceptors import ServerInterceptor, TokenTable
from emberd.wire.status import error_from
from tests.fakes.archives import FILE, archive, package

TOKEN = "only-for-this-test"
ARN = "arn:aws:lambda:us-east-1:000000000000:function:thumb"
CHUNK = 256 * 1024


class System:
    """A control plane's registry as a client meets it."""

    def __init__(self, folder):
        self.folder = folder

    async def start(self, stack):
        records = await SqliteRecords.open(self.folder / "registry.db")
        stack.push_async_callback(records.close)
        blobs = await FileBlobs.open(self.folder / "artifacts")
        stack.push_async_callback(blobs.close)
        self.registry = await FunctionRegistry.open(
            records,
            blobs,
            region="us-east-1",
            account_id="000000000000",
            runtimes=lambda: {"python3.12"},
            networks=lambda: {"db"},
            clock=lambda: datetime.now(UTC),
            new_uuid=lambda: str(uuid.uuid4()),
        )
        stack.push_async_callback(self.registry.close)
        tokens = TokenTable({"emberd.functions.v1.FunctionService": TOKEN})
        server = grpc.aio.server(interceptors=[ServerInterceptor(tokens)], options=SERVER_OPTIONS)
        functions_pb2_grpc.add_FunctionServiceServicer_to_server(
            FunctionService(self.registry, self.registry.artifacts), server
        )
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        stack.push_async_callback(server.stop, None)
        # A stock client: no option is set, so default message and metadata limits hold.
        channel = grpc.aio.insecure_channel(f"127.0.0.1:{port}")
        stack.push_async_callback(channel.close)
        self.stub = functions_pb2_grpc.FunctionServiceStub(channel)

    async def call(self, method, request, token=TOKEN):
        """One call; an error comes back as ours."""
        try:
            return await getattr(self.stub, method)(
                request, metadata=(("authorization", f"Bearer {token}"),)
            )
        except grpc.aio.AioRpcError as error:
            raise error_from(error) from error

    async def upload(self, content):
        async def pieces():
            for start in range(0, len(content), CHUNK):
                yield pb.UploadArtifactRequest(chunk=content[start : start + CHUNK])

        return await self.call("UploadArtifact", pieces())

    async def create(self, name="thumb", **fields):
        request = pb.CreateFunctionRequest(
            function_name=name,
            runtime="python3.12",
            handler="app.handler",
            code=pb.Code(zip_file=package()),
        )
        request.MergeFrom(pb.CreateFunctionRequest(**fields))
        return (await self.call("CreateFunction", request)).configuration


@pytest.fixture
async def system(tmp_path):
    async with AsyncExitStack() as stack:
        system = System(tmp_path)
        await system.start(stack)
        yield system


async def test_a_function_made_from_an_upload_is_described_as_lambda_does(system):
    content = package()
    uploaded = await system.upload(content)
    assert uploaded.artifact_id == hashlib.sha256(content).hexdigest()
    assert uploaded.size_bytes == len(content)
    before = datetime.now(UTC)
    made = await system.create(
        code=pb.Code(artifact_id=uploaded.artifact_id),
        environment=pb.Environment(variables={"AB": "ü"}),
        timeout=Duration(seconds=30),
        memory_size_mb=1769,
        description="words",
    )
    found = await system.call("GetFunction", pb.GetFunctionRequest(function_name=ARN))
    assert found.configuration == made
    assert found.artifact_id == uploaded.artifact_id
    assert made.last_modified_time.ToDatetime(UTC) >= before.replace(microsecond=0)
    made.ClearField("last_modified_time")
    assert uuid.UUID(made.revision_id).version == 4
    made.ClearField("revision_id")
    assert made == pb.FunctionConfiguration(
        function_name="thumb",
        function_arn=ARN,
        version="$LATEST",
        runtime="python3.12",
        handler="app.handler",
        role="arn:aws:iam::000000000000:role/emberd",
        description="words",
        timeout=Duration(seconds=30),
        memory_size_mb=1769,
        ephemeral_storage_mb=512,
        environment=pb.Environment(variables={"AB": "ü"}),
        code_sha256=made.code_sha256,
        code_size_bytes=len(content),
        state="Active",
        architecture="x86_64",
        last_update_status="Successful",
        layers=pb.Layers(),
        tracing_mode="PassThrough",
        logging=pb.Logging(format="Text"),
        snap_start_apply_on="None",
        network="egress",
    )


async def test_what_is_left_out_has_lambdas_defaults(system):
    made = await system.create()
    assert (made.timeout.seconds, made.memory_size_mb, made.ephemeral_storage_mb) == (3, 128, 512)


async def test_what_lambda_keeps_besides_is_set_changed_and_left_alone(system):
    logging = pb.Logging(format="JSON", application_level="DEBUG", system_level="WARN", group="g")
    made = await system.create(
        architecture="arm64",
        tracing_mode="Active",
        logging=logging,
        snap_start_apply_on="PublishedVersions",
        dead_letter_arn="arn:aws:sqs:us-east-1:000000000000:letters",
        kms_key_arn="arn:aws:kms:us-east-1:000000000000:key/k",
        network="db",
    )
    assert (made.architecture, made.tracing_mode, made.logging) == ("arm64", "Active", logging)
    assert (made.state, made.last_update_status) == ("Active", "Successful")
    change = pb.UpdateFunctionConfigurationRequest(function_name="thumb", dead_letter_arn="")
    changed = (await system.call("UpdateFunctionConfiguration", change)).configuration
    assert changed.dead_letter_arn == ""
    assert changed.last_update_status == "Successful"
    for field in ("tracing_mode", "logging", "snap_start_apply_on", "kms_key_arn", "network"):
        assert getattr(changed, field) == getattr(made, field)
    code = pb.Code(zip_file=package(b"other = 1\n"))
    update = pb.UpdateFunctionCodeRequest(function_name="thumb", code=code, architecture="x86_64")
    updated = (await system.call("UpdateFunctionCode", update)).configuration
    assert updated.architecture == "x86_64"


async def test_a_network_is_changed_over_grpc_and_an_unknown_one_is_refused(system):
    made = await system.create()
    assert made.network == "egress"
    change = pb.UpdateFunctionConfigurationRequest(function_name="thumb", network="none")
    changed = (await system.call("UpdateFunctionConfiguration", change)).configuration
    assert changed.network == "none"
    change = pb.UpdateFunctionConfigurationRequest(function_name="thumb", network="cache")
    with pytest.raises(InvalidArgumentError) as refused:
        await system.call("UpdateFunctionConfiguration", change)
    assert refused.value.reason == "INVALID_PARAMETER_VALUE"
    assert refused.value.metadata["offered"] == "db, egress, none"


async def test_zero_is_a_value_and_not_left_out(system):
    with pytest.raises(InvalidArgumentError) as refused:
        await system.create(timeout=Duration(seconds=0), memory_size_mb=0, ephemeral_storage_mb=0)
    assert refused.value.message.startswith("3 validation errors detected: ")
    assert refused.value.reason == "VALIDATION"


async def test_a_time_out_of_half_a_second_is_refused(system):
    with pytest.raises(InvalidArgumentError) as refused:
        await system.create(timeout=Duration(nanos=500_000_000))
    assert "0.500000000 s: use whole seconds" in refused.value.message


async def test_the_whole_life_of_a_function_and_a_restart_in_the_middle(tmp_path):
    system = System(tmp_path)
    async with AsyncExitStack() as stack:
        await system.start(stack)
        await system.create(publish=True)
        code = pb.Code(zip_file=package(b"changed = True\n"))
        updated = await system.call(
            "UpdateFunctionCode",
            pb.UpdateFunctionCodeRequest(function_name="thumb", code=code, publish=True),
        )
        assert updated.configuration.function_arn == f"{ARN}:2"
        configured = await system.call(
            "UpdateFunctionConfiguration",
            pb.UpdateFunctionConfigurationRequest(
                function_name="thumb", memory_size_mb=256, environment=pb.Environment()
            ),
        )
        assert configured.configuration.memory_size_mb == 256
        alias = await system.call(
            "CreateAlias",
            pb.CreateAliasRequest(
                function_name="thumb",
                name="live",
                function_version="2",
                routing_config=pb.RoutingConfiguration(additional_version_weights={"1": 0.25}),
            ),
        )
        assert alias.alias.additional_version_weights == {"1": 0.25}
    async with AsyncExitStack() as stack:
        await system.start(stack)
        published = await system.call(
            "PublishVersion", pb.PublishVersionRequest(function_name="thumb", description="third")
        )
        assert published.configuration.version == "3"
        moved = await system.call(
            "UpdateAlias",
            pb.UpdateAliasRequest(
                function_name="thumb",
                name="live",
                function_version="3",
                routing_config=pb.RoutingConfiguration(),
                revision_id=alias.alias.revision_id,
            ),
        )
        assert moved.alias.function_version == "3"
        assert not moved.alias.additional_version_weights
        found = await system.call("GetFunction", pb.GetFunctionRequest(function_name="thumb:live"))
        assert (found.configuration.version, found.configuration.function_arn) == (
            "3",
            f"{ARN}:live",
        )
        versions = await system.call(
            "ListVersionsByFunction", pb.ListVersionsByFunctionRequest(function_name="thumb")
        )
        assert [each.version for each in versions.versions] == ["$LATEST", "1", "2", "3"]
        aliases = await system.call("ListAliases", pb.ListAliasesRequest(function_name="thumb"))
        assert [each.name for each in aliases.aliases] == ["live"]
        found = await system.call(
            "GetAlias", pb.GetAliasRequest(function_name="thumb", name="live")
        )
        assert found.alias == moved.alias
        await system.call("DeleteAlias", pb.DeleteAliasRequest(function_name="thumb", name="live"))
        await system.call(
            "DeleteFunction", pb.DeleteFunctionRequest(function_name="thumb", qualifier="3")
        )
        await system.call("DeleteFunction", pb.DeleteFunctionRequest(function_name="thumb"))
        with pytest.raises(NotFoundError):
            await system.call("GetFunction", pb.GetFunctionRequest(function_name="thumb"))
    assert [each for each in (tmp_path / "artifacts").rglob("*") if each.is_file()] == []


async def test_errors_arrive_with_lambdas_reason_and_text(system):
    await system.create()
    with pytest.raises(ConflictError) as conflict:
        await system.create()
    assert (conflict.value.reason, conflict.value.message) == (
        "RESOURCE_CONFLICT",
        "Function already exist: thumb",
    )
    with pytest.raises(NotFoundError) as missing:
        await system.call("GetFunction", pb.GetFunctionRequest(function_name="nope:live"))
    assert missing.value.reason == "RESOURCE_NOT_FOUND"
    assert missing.value.message == f"Function not found: {ARN.replace('thumb', 'nope')}:live"
    with pytest.raises(InvalidArgumentError) as unzipped:
        await system.upload(b"certainly no zip archive")
    assert unzipped.value.message == (
        "Could not unzip uploaded file. Please check your file, then try to upload again."
    )


async def test_the_longest_errors_still_reach_a_stock_client(system):
    with pytest.raises(InvalidArgumentError) as refused:
        await system.create(
            handler="h h" * 5_000,
            role="r" * 20_000,
            description="ü" * 20_000,
            environment=pb.Environment(variables={f"1BAD{n}": "x" * 50 for n in range(500)}),
            memory_size_mb=1,
        )
    assert refused.value.reason == "VALIDATION"
    assert refused.value.message.startswith("6 validation errors detected: ")


async def test_a_package_near_the_limit_is_streamed_and_one_beyond_it_refused(system):
    noise = hashlib.shake_128(b"noise").digest(50 * 1024 * 1024)
    good = archive(("noise.bin", noise, FILE), method=0)[: 52_428_800 + 200]
    with pytest.raises(InvalidArgumentError) as refused:
        await system.upload(good)
    assert refused.value.message == "Zipped size must be smaller than 52428800 bytes"
    smaller = archive(("noise.bin", noise[:-1000], FILE), method=0)
    assert (await system.upload(smaller)).size_bytes == len(smaller)
    incoming = system.folder / "artifacts" / "incoming"
    assert list(incoming.iterdir()) == []


async def test_an_upload_that_is_broken_off_leaves_nothing(system):
    started = asyncio.Event()

    async def never_ends():
        yield pb.UploadArtifactRequest(chunk=package()[:50])
        started.set()
        await asyncio.Event().wait()

    call = system.stub.UploadArtifact(
        never_ends(), metadata=(("authorization", f"Bearer {TOKEN}"),)
    )
    await started.wait()
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    incoming = system.folder / "artifacts" / "incoming"
    async with asyncio.timeout(10):
        while list(incoming.iterdir()):
            await system.call("ListFunctions", pb.ListFunctionsRequest())
    uploaded = await system.upload(package())
    assert await system.registry.artifacts.find(uploaded.artifact_id)


async def test_a_chunk_streamed_for_a_host_is_at_most_one_mebibyte(system):
    content = archive(("noise", hashlib.shake_128(b"n").digest(3_000_000), FILE), method=0)
    artifact_id = (await system.upload(content)).artifact_id
    chunks = [chunk async for chunk in system.registry.artifacts.chunks(artifact_id)]
    assert b"".join(chunks) == content
    assert max(map(len, chunks)) == 1024 * 1024
    assert system.registry.artifacts.path(artifact_id).read_bytes() == content


async def test_without_the_token_nothing_is_said(system):
    with pytest.raises(DeniedError):
        await system.call("ListFunctions", pb.ListFunctionsRequest(), token="wrong")


async def test_functions_are_listed_in_pages(system):
    for name in ("b", "a", "c"):
        await system.create(name)
    first = await system.call("ListFunctions", pb.ListFunctionsRequest(max_items=2))
    rest = await system.call(
        "ListFunctions", pb.ListFunctionsRequest(marker=first.next_marker, max_items=2)
    )
    names = [each.function_name for each in [*first.functions, *rest.functions]]
    assert (names, rest.next_marker) == (["a", "b", "c"], "")


async def test_many_clients_at_once_each_get_their_function(system):
    made = await asyncio.gather(*(system.create(f"f{number:02}") for number in range(30)))
    listed = await system.call("ListFunctions", pb.ListFunctionsRequest())
    assert sorted(each.function_name for each in made) == [
        each.function_name for each in listed.functions
    ]
