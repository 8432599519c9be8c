"""Runtime management, recursion and scaling over boto3."""

from __future__ import annotations

import pytest

from tests.fakes.refusals import content, refusal

ARN = "arn:aws:lambda:us-east-1:000000000000:function:thumb"
RUNTIME = "arn:aws:lambda:us-east-1::runtime:abc"
NO_FUNCTION = (
    "ResourceNotFoundException",
    404,
    f"Function not found: {ARN.replace('thumb', 'nope')}",
)


@pytest.fixture(autouse=True)
def function(aws):
    return aws.create_function("thumb", publish=True)


def test_each_version_has_runtime_management_of_its_own(client):
    def kept(**qualified):
        return content(client.get_runtime_management_config(FunctionName="thumb", **qualified))

    auto = {"UpdateRuntimeOn": "Auto", "FunctionArn": f"{ARN}:$LATEST"}
    assert kept() == auto
    put = client.put_runtime_management_config(
        FunctionName="thumb", Qualifier="1", UpdateRuntimeOn="Manual", RuntimeVersionArn=RUNTIME
    )
    assert content(put) == {
        "UpdateRuntimeOn": "Manual",
        "FunctionArn": f"{ARN}:1",
        "RuntimeVersionArn": RUNTIME,
    }
    assert kept(Qualifier="1") == content(put)
    assert kept() == auto
    client.put_runtime_management_config(FunctionName="thumb:1", UpdateRuntimeOn="FunctionUpdate")
    assert kept(Qualifier="1")["UpdateRuntimeOn"] == "FunctionUpdate"


def test_a_runtime_version_goes_with_manual_and_with_nothing_else(client):
    for parameters in (
        {"UpdateRuntimeOn": "Manual"},
        {"UpdateRuntimeOn": "Auto", "RuntimeVersionArn": RUNTIME},
    ):
        code, status, message = refusal(
            client.put_runtime_management_config, FunctionName="thumb", **parameters
        )
        assert (code, status) == ("InvalidParameterValueException", 400)
        assert message.startswith("RuntimeVersionArn is ")


def test_a_function_ends_loops_unless_told_otherwise(client):
    get = client.get_function_recursion_config
    assert content(get(FunctionName="thumb")) == {"RecursiveLoop": "Terminate"}
    put = client.put_function_recursion_config(FunctionName="thumb", RecursiveLoop="Allow")
    assert content(put) == content(get(FunctionName="thumb")) == {"RecursiveLoop": "Allow"}
    assert refusal(
        client.put_function_recursion_config, FunctionName="thumb", RecursiveLoop="InvalidValue"
    ) == (
        "ValidationException",
        400,
        "1 validation error detected: Value 'InvalidValue' at 'recursiveLoop' failed to satisfy "
        "constraint: Member must satisfy enum value set: [Terminate, Allow]",
    )


def test_nothing_is_known_of_a_function_that_does_not_exist(client):
    assert refusal(client.get_function_recursion_config, FunctionName="nope") == NO_FUNCTION
    assert refusal(client.get_runtime_management_config, FunctionName="nope") == NO_FUNCTION
    put = client.put_function_recursion_config
    assert refusal(put, FunctionName="nope", RecursiveLoop="Allow") == NO_FUNCTION


def test_scaling_belongs_to_capacity_providers(client):
    for call in (client.get_function_scaling_config, client.put_function_scaling_config):
        code, status, message = refusal(call, FunctionName="thumb", Qualifier="1")
        assert (code, status) == ("InvalidParameterValueException", 400)
        assert "which emberd does not have" in message
