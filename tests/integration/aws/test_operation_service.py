"""The same operations over gRPC: what HTTP answers, gRPC answers, and what one makes both see."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from types import SimpleNamespace

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration

from controlplane.api.aws.model import Shape, load_model
from controlplane.api.aws.operations import OPERATIONS
from controlplane.api.grpc.carrier import OperationCarrier
from controlplane.api.grpc.members import field_name, fill, is_duration, members_of
from controlplane.api.grpc.operations import SERVICE, OperationService
from emberd.functions.v1 import functions_pb2, layers_pb2
from emberd.invocation.v1 import invocation_pb2
from emberd.operations.v1 import operations_pb2 as pb
from emberd.operations.v1 import operations_pb2_grpc
from emberd.wire.errors import EmberdError, InvalidArgumentError, NotFoundError
from emberd.wire.interceptors import ServerInterceptor, TokenTable
from emberd.wire.status import error_from
from tests.fakes.aws_system import ROOT, AwsSystem

TOKEN = "only-for-this-test"
METADATA = (("authorization", f"Bearer {TOKEN}"),)
ARN = "arn:aws:lambda:us-east-1:000000000000:function:thumb"


@pytest.fixture
def rpc(aws: AwsSystem) -> Iterator[SimpleNamespace]:
    """The service's methods over a real server, as plain functions; errors come back as ours."""

    async def start() -> tuple[grpc.aio.Server, int]:
        server = grpc.aio.server(
            interceptors=[ServerInterceptor(TokenTable({SERVICE.full_name: TOKEN}))]
        )
        carrier = OperationCarrier(
            aws.services,
            principal=ROOT,
            authorise=aws.doors.authorise,
            endpoint=aws.endpoint,
        )

        async def when_loaded() -> OperationCarrier:
            return carrier

        service = OperationService(when_loaded)
        server.add_generic_rpc_handlers((service.handler(),))
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        return server, port

    server, port = aws.run(start())
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        stub = operations_pb2_grpc.OperationServiceStub(channel)
        yield SimpleNamespace(
            **{method.name: _plain(getattr(stub, method.name)) for method in SERVICE.methods}
        )
    aws.run(server.stop(None))


def _plain(method):
    def call(request, metadata=METADATA):
        try:
            return method(request, metadata=metadata, timeout=30)
        except grpc.RpcError as error:
            raise error_from(error) from error

    return call


def test_what_grpc_sets_http_reads(aws: AwsSystem, rpc: SimpleNamespace) -> None:
    aws.create_function("thumb")
    put = pb.PutFunctionEventInvokeConfigRequest(
        function_name="thumb",
        maximum_retry_attempts=1,
        maximum_event_age=Duration(seconds=120),
    )
    made = rpc.PutFunctionEventInvokeConfig(put)
    assert made.maximum_event_age.seconds == 120
    assert made.last_modified.seconds > 0
    read = aws.client().get_function_event_invoke_config(FunctionName="thumb")
    assert (read["MaximumRetryAttempts"], read["MaximumEventAgeInSeconds"]) == (1, 120)
    assert read["FunctionArn"] == made.function_arn


def test_what_http_sets_grpc_reads(aws: AwsSystem, rpc: SimpleNamespace) -> None:
    aws.create_function("thumb")
    aws.client().create_function_url_config(
        FunctionName="thumb", AuthType="NONE", Cors={"AllowOrigins": ["*"], "MaxAge": 60}
    )
    aws.client().tag_resource(Resource=ARN, Tags={"team": "pictures"})
    url = rpc.GetFunctionUrlConfig(pb.GetFunctionUrlConfigRequest(function_name="thumb"))
    assert url.auth_type == "NONE"
    assert (list(url.cors.allow_origins), url.cors.max_age) == (["*"], 60)
    assert url.function_url.endswith(aws.endpoint.rpartition(":")[2] + "/")
    assert dict(rpc.ListTags(pb.ListTagsRequest(resource=ARN)).tags) == {"team": "pictures"}


def test_a_list_of_structures_arrives_whole(aws: AwsSystem, rpc: SimpleNamespace) -> None:
    aws.create_function("thumb")
    put = pb.PutFunctionEventInvokeConfigRequest(function_name="thumb", maximum_retry_attempts=0)
    rpc.PutFunctionEventInvokeConfig(put)
    listed = rpc.ListFunctionEventInvokeConfigs(
        pb.ListFunctionEventInvokeConfigsRequest(function_name="thumb")
    )
    # Zero is a value, not an absence.
    config = listed.function_event_invoke_configs[0]
    assert (config.maximum_retry_attempts, config.HasField("maximum_retry_attempts")) == (0, True)


def test_errors_are_the_same_errors(aws: AwsSystem, rpc: SimpleNamespace) -> None:
    with pytest.raises(NotFoundError, match=re.escape(f"Function not found: {ARN}")) as missing:
        rpc.GetFunctionConcurrency(pb.GetFunctionConcurrencyRequest(function_name="thumb"))
    assert missing.value.reason == "RESOURCE_NOT_FOUND"
    aws.create_function("thumb")
    with pytest.raises(InvalidArgumentError) as broken:
        rpc.PutFunctionRecursionConfig(
            pb.PutFunctionRecursionConfigRequest(function_name="thumb", recursive_loop="Sometimes")
        )
    assert broken.value.reason == "VALIDATION"
    assert "Member must satisfy enum value set: [Terminate, Allow]" in broken.value.message


def test_a_call_without_the_token_is_refused(aws: AwsSystem, rpc: SimpleNamespace) -> None:
    with pytest.raises(EmberdError) as refused:
        rpc.GetAccountSettings(pb.GetAccountSettingsRequest(), metadata=())
    assert refused.value.reason == "UNAUTHENTICATED"
    assert aws.doors.asked == []


def test_every_call_passes_the_second_door(aws: AwsSystem, rpc: SimpleNamespace) -> None:
    settings = rpc.GetAccountSettings(pb.GetAccountSettingsRequest())
    assert settings.account_limit.concurrent_executions == 1000
    assert aws.doors.asked == [("lambda", "GetAccountSettings")]


def test_every_built_operation_has_exactly_one_rpc() -> None:
    by_hand = [
        method.name
        for module in (functions_pb2, layers_pb2, invocation_pb2)
        for service in module.DESCRIPTOR.services_by_name.values()
        for method in service.methods
    ]
    # GetFunction and Invoke answer for these under gRPC.
    elsewhere = {"GetFunctionConfiguration", "InvokeAsync", "InvokeWithResponseStream"}
    generated = [method.name for method in SERVICE.methods]
    assert not set(by_hand) & set(generated)
    missing = set(OPERATIONS) - set(by_hand) - set(generated) - elsewhere
    assert not missing, "run scripts/operations_proto.py and make protos"


@pytest.mark.parametrize("name", [method.name for method in SERVICE.methods])
def test_every_member_survives_the_way_into_a_message_and_back(name: str) -> None:
    operation = load_model("lambda").operation(name)
    for shape, suffix in ((operation.input, "Request"), (operation.output, "Response")):
        message = getattr(pb, f"{name}{suffix}")()
        if shape is None:
            assert not message.DESCRIPTOR.fields
            continue
        whole = _sample(shape)
        fill(message, whole, shape)
        assert members_of(type(message).FromString(message.SerializeToString()), shape) == whole


def _sample(shape: Shape) -> dict[str, object]:
    """Every member with some value of its type."""
    return {name: _value(member.shape) for name, member in shape.members.items()}


def _value(shape: Shape) -> object:
    match shape.kind:
        case "structure":
            return _sample(shape)
        case "list":
            return [_value(shape.element.shape)]
        case "map":
            return {"key": _value(shape.value.shape)}
        case "timestamp":
            return datetime(2026, 11, 25, 12, 30, tzinfo=UTC)
        case "blob":
            return b"\x00\xff"
        case "boolean":
            return False
        case "double" | "float":
            return 0.25
        case "integer" | "long":
            return 7
    return "text"


def test_a_field_is_named_by_its_member() -> None:
    request = load_model("lambda").operation("PutFunctionEventInvokeConfig").input
    age = request.members["MaximumEventAgeInSeconds"]
    assert (field_name(age), is_duration(age)) == ("maximum_event_age", True)
    url = load_model("lambda").operation("AddPermission").input.members["FunctionUrlAuthType"]
    assert (field_name(url), is_duration(url)) == ("function_url_auth_type", False)
