"""Which action on which resource each operation is, for every operation of the models."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from controlplane.api.aws import resources
from controlplane.api.aws.model import load_model
from controlplane.model.ids import ArnScheme

ARNS = ArnScheme(region="us-east-1", account_id="000000000000")
LAMBDA = "arn:aws:lambda:us-east-1:000000000000"
MEMBERS = {
    "FunctionName": "hello",
    "LayerName": "shapes",
    "VersionNumber": 3,
    "Resource": f"{LAMBDA}:function:hello",
    "ResourceArn": f"{LAMBDA}:function:hello",
    "Arn": f"{LAMBDA}:layer:shapes:3",
    "CodeSigningConfigArn": f"{LAMBDA}:code-signing-config:csc-1",
    "DurableExecutionArn": f"{LAMBDA}:function:hello:1/durable-execution/a/b",
    "UUID": "u-1",
}
"""Members that name a resource, as callers write them."""

WITHOUT = frozenset({"CapacityProvider", "DurableExecutionCallback"})
"""Parts of names of operations that emberd does not have, and whose resource it need not know."""


def resource(operation: str, request: Mapping[str, object]) -> str:
    function = resources.function_of(ARNS, request)
    return resources.lambda_resource(ARNS, operation, request, function)


@pytest.mark.parametrize("operation", load_model("lambda").operation_names)
def test_every_operation_of_lambda_is_about_something_or_known_to_be_about_nothing(
    operation: str,
) -> None:
    model = load_model("lambda")
    members = model.operation(operation).input.members
    request = {name: MEMBERS[name] for name in members if name in MEMBERS}
    found = resource(operation, request)
    if operation in resources.OF_NO_RESOURCE or any(each in operation for each in WITHOUT):
        assert found == "*"
    else:
        assert found.startswith("arn:aws:lambda:us-east-1:000000000000:")


def test_every_exception_is_an_operation_of_the_model() -> None:
    known = set(load_model("lambda").operation_names)
    assert set(resources.ACTIONS) <= known
    assert known >= resources.OF_NO_RESOURCE


@pytest.mark.parametrize(
    ("operation", "action"),
    [
        ("Invoke", "lambda:InvokeFunction"),
        ("InvokeAsync", "lambda:InvokeFunction"),
        ("InvokeWithResponseStream", "lambda:InvokeFunction"),
        ("GetLayerVersionByArn", "lambda:GetLayerVersion"),
        ("CreateAlias", "lambda:CreateAlias"),
    ],
)
def test_an_action_is_called_like_its_operation_but_for_a_few(operation: str, action: str) -> None:
    assert resources.action_of("lambda", operation) == action


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        ({"FunctionName": "hello"}, "function:hello"),
        ({"FunctionName": "hello:live"}, "function:hello:live"),
        ({"FunctionName": f"{LAMBDA}:function:hello:2"}, "function:hello:2"),
        ({"FunctionName": "hello", "Qualifier": "$LATEST"}, "function:hello:$LATEST"),
        ({"LayerName": "shapes"}, "layer:shapes"),
        ({"LayerName": f"{LAMBDA}:layer:shapes", "VersionNumber": 3}, "layer:shapes:3"),
        ({"UUID": "u-1"}, "event-source-mapping:u-1"),
    ],
)
def test_a_resource_is_the_same_however_it_was_named(
    request_: Mapping[str, object], expected: str
) -> None:
    assert resource("GetAnything", request_) == f"{LAMBDA}:{expected}"


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        ({"RoleName": "r"}, "arn:aws:iam::000000000000:role/r"),
        ({"RoleName": "r", "Path": "/a/"}, "arn:aws:iam::000000000000:role/a/r"),
        ({"RoleName": "r", "PolicyArn": "arn:x"}, "arn:aws:iam::000000000000:role/r"),
        ({"PolicyArn": "arn:x"}, "arn:x"),
        ({"PolicyName": "p"}, "arn:aws:iam::000000000000:policy/p"),
        ({}, "*"),
    ],
)
def test_iam_is_about_roles_and_policies(request_: Mapping[str, object], expected: str) -> None:
    assert resources.iam_resource("000000000000", request_) == expected


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        ({"logGroupName": "/aws/lambda/f"}, "log-group:/aws/lambda/f:*"),
        (
            {"logGroupName": "/aws/lambda/f", "logStreamName": "s"},
            "log-group:/aws/lambda/f:log-stream:s",
        ),
        ({}, "log-group:*"),
    ],
)
def test_logs_are_about_groups_and_streams(request_: Mapping[str, object], expected: str) -> None:
    found = resources.logs_resource(ARNS, request_)
    assert found == f"arn:aws:logs:us-east-1:000000000000:{expected}"


def test_conditions_see_what_the_request_says() -> None:
    request = {
        "FunctionName": "hello",
        "Layers": [f"{LAMBDA}:layer:a:1", f"{LAMBDA}:layer:b:2"],
        "Tags": {"Team": "x"},
        "AuthType": "NONE",
        "Principal": "s3.amazonaws.com",
    }
    function = resources.function_of(ARNS, request)
    assert resources.condition_values(ARNS, request, function) == {
        "lambda:functionarn": (f"{LAMBDA}:function:hello",),
        "lambda:layer": (f"{LAMBDA}:layer:a:1", f"{LAMBDA}:layer:b:2"),
        "lambda:functionurlauthtype": ("NONE",),
        "lambda:principal": ("s3.amazonaws.com",),
        "aws:tagkeys": ("Team",),
        "aws:requesttag/team": ("x",),
    }
