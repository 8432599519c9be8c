"""Reserved and provisioned concurrency over boto3, in the words recorded from AWS."""

from __future__ import annotations

import pytest

from tests.fakes.refusals import content, refusal

ARN = "arn:aws:lambda:us-east-1:000000000000:function:thumb"
INVALID, MISSING = "InvalidParameterValueException", "ResourceNotFoundException"


@pytest.fixture(autouse=True)
def function(aws):
    return aws.create_function("thumb", publish=True)


def reserve(client, number, name="thumb"):
    return client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=number)


def provide(client, number, qualifier="1", name="thumb"):
    return client.put_provisioned_concurrency_config(
        FunctionName=name, Qualifier=qualifier, ProvisionedConcurrentExecutions=number
    )


def test_a_reservation_is_made_changed_and_given_up(client):
    def reserved():
        return content(client.get_function_concurrency(FunctionName="thumb"))

    assert reserved() == {}
    assert content(reserve(client, 0)) == {"ReservedConcurrentExecutions": 0}
    assert reserved() == {"ReservedConcurrentExecutions": 0}
    reserve(client, 900)
    assert reserved() == {"ReservedConcurrentExecutions": 900}
    gone = client.delete_function_concurrency(FunctionName="thumb")
    assert gone["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert reserved() == {}


def test_100_executions_stay_unreserved(aws, client):
    aws.create_function("other")
    too_much = (
        INVALID,
        400,
        "Specified ReservedConcurrentExecutions for function decreases account's "
        "UnreservedConcurrentExecution below its minimum value of [100].",
    )
    assert refusal(reserve, client=client, number=1001) == too_much
    assert refusal(reserve, client=client, number=901) == too_much
    reserve(client, 500, "other")
    assert refusal(reserve, client=client, number=401) == too_much
    reserve(client, 400)
    reserve(client, 400)


def test_only_a_function_as_a_whole_has_a_reservation(client):
    nope = ARN.replace("thumb", "nope")
    assert refusal(reserve, client=client, number=1, name="nope") == (
        MISSING,
        404,
        f"Function not found: {nope}:$LATEST",
    )
    for reference in (f"{ARN}:$LATEST", "thumb:1"):
        assert refusal(reserve, client=client, number=1, name=reference) == (
            INVALID,
            400,
            "This operation is permitted on Lambda functions only. Aliases and versions do not "
            "support this operation. Please specify either a function name or an unqualified "
            "function ARN.",
        )


def test_a_reservation_throttles_in_lambdas_words(client):
    reserve(client, 0)
    with pytest.raises(client.exceptions.TooManyRequestsException) as refused:
        client.invoke(FunctionName="thumb")
    response = refused.value.response
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 429
    assert response["Reason"] == "ReservedFunctionConcurrentInvocationLimitExceeded"
    client.delete_function_concurrency(FunctionName="thumb")
    assert client.invoke(FunctionName="thumb", Payload=b"1")["Payload"].read() == b"1"


def test_the_account_says_what_is_left_unreserved(aws, client):
    def limits():
        limit = client.get_account_settings()["AccountLimit"]
        return limit["ConcurrentExecutions"], limit["UnreservedConcurrentExecutions"]

    assert limits() == (1000, 1000)
    provide(client, 5)
    assert limits() == (1000, 995)
    reserve(client, 100)
    assert limits() == (1000, 900)
    found = client.get_function(FunctionName="thumb")["Concurrency"]
    assert found == {"ReservedConcurrentExecutions": 100}
    client.delete_function(FunctionName="thumb")
    assert limits() == (1000, 1000)


def test_what_is_provisioned_is_not_for_other_versions(client):
    client.create_alias(FunctionName="thumb", Name="live", FunctionVersion="1")
    reserve(client, 1)
    provide(client, 1, "live")
    assert client.invoke(FunctionName="thumb:live")["StatusCode"] == 200
    for reference in ("thumb", "thumb:1"):
        assert refusal(client.invoke, FunctionName=reference)[1] == 429


def test_provisioned_concurrency_is_wanted_first(client):
    put = provide(client, 2)
    assert put["ResponseMetadata"]["HTTPStatusCode"] == 202
    modified = put["LastModified"]
    assert content(put) == {
        "RequestedProvisionedConcurrentExecutions": 2,
        "AllocatedProvisionedConcurrentExecutions": 0,
        "AvailableProvisionedConcurrentExecutions": 0,
        "Status": "IN_PROGRESS",
        "LastModified": modified,
    }
    (listed,) = client.list_provisioned_concurrency_configs(FunctionName="thumb")[
        "ProvisionedConcurrencyConfigs"
    ]
    assert (listed["FunctionArn"], listed["LastModified"]) == (f"{ARN}:1", modified)


def test_provisioned_concurrency_is_deleted_more_than_once(client):
    provide(client, 1)
    for _ in range(2):
        gone = client.delete_provisioned_concurrency_config(FunctionName="thumb", Qualifier="1")
        assert gone["ResponseMetadata"]["HTTPStatusCode"] == 204
    get = client.get_provisioned_concurrency_config
    assert refusal(get, FunctionName="thumb", Qualifier="1") == (
        "ProvisionedConcurrencyConfigNotFoundException",
        404,
        "No Provisioned Concurrency Config found for this function",
    )
    listed = client.list_provisioned_concurrency_configs(FunctionName="thumb")
    assert content(listed) == {"ProvisionedConcurrencyConfigs": []}


def test_provisioned_concurrency_needs_a_published_version(client):
    assert refusal(provide, client=client, number=1, qualifier="$LATEST") == (
        INVALID,
        400,
        "Provisioned Concurrency Configs cannot be applied to unpublished function versions.",
    )
    for call in (
        client.get_provisioned_concurrency_config,
        client.delete_provisioned_concurrency_config,
    ):
        assert refusal(call, FunctionName="thumb", Qualifier="$LATEST") == (
            INVALID,
            400,
            "The function resource provided must be an alias or a published version.",
        )


@pytest.mark.parametrize(
    ("name", "qualifier", "words"),
    [
        ("nope", "noalias", "Cannot find alias arn: {}:noalias"),
        ("nope", "1", "Function not found: {}:1"),
        ("thumb", "noalias", "Cannot find alias arn: {}:noalias"),
        ("thumb", "10", "Function not found: {}:10"),
    ],
)
def test_provisioned_concurrency_of_nothing_is_not_found(client, name, qualifier, words):
    told = (MISSING, 404, words.format(ARN.replace("thumb", name)))
    assert refusal(provide, client=client, number=1, qualifier=qualifier, name=name) == told
    for call in (
        client.get_provisioned_concurrency_config,
        client.delete_provisioned_concurrency_config,
    ):
        assert refusal(call, FunctionName=name, Qualifier=qualifier) == told


def test_none_is_no_provisioned_concurrency(client):
    assert refusal(provide, client=client, number=0) == (
        "ValidationException",
        400,
        "1 validation error detected: Value '0' at 'provisionedConcurrentExecutions' failed to "
        "satisfy constraint: Member must have value greater than or equal to 1",
    )


def test_no_version_is_provided_for_twice(client):
    client.create_alias(FunctionName="thumb", Name="live", FunctionVersion="1")
    provide(client, 1)
    assert refusal(provide, client=client, number=1, qualifier="live") == (
        "ResourceConflictException",
        409,
        "Alias can't be used for Provisioned Concurrency configuration on an already Provisioned "
        "version",
    )
    client.delete_provisioned_concurrency_config(FunctionName="thumb", Qualifier="1")
    provide(client, 1, "live")
    assert refusal(provide, client=client, number=1) == (
        "ResourceConflictException",
        409,
        "Version is pointed by a Provisioned Concurrency alias",
    )
    client.delete_alias(FunctionName="thumb", Name="live")
    get = client.get_provisioned_concurrency_config
    told = (MISSING, 404, f"Cannot find alias arn: {ARN}:live")
    assert refusal(get, FunctionName="thumb", Qualifier="live") == told
    listed = client.list_provisioned_concurrency_configs(FunctionName="thumb")
    assert content(listed) == {"ProvisionedConcurrencyConfigs": []}
    provide(client, 1)


def test_provisioned_concurrency_lies_within_the_reservation(client):
    reserve(client, 1)
    assert refusal(provide, client=client, number=2) == (
        INVALID,
        400,
        "Requested Provisioned Concurrency should not be greater than the "
        "reservedConcurrentExecution for function",
    )
    reserve(client, 2)
    provide(client, 2)
    assert refusal(reserve, client=client, number=1) == (
        INVALID,
        400,
        " ReservedConcurrentExecutions  1 should not be lower than function's total provisioned "
        "concurrency [2].",
    )


def test_provisioned_concurrency_leaves_100_executions_unreserved(client):
    assert refusal(provide, client=client, number=1001) == (
        INVALID,
        400,
        "Specified ConcurrentExecutions for function is greater than account's unreserved "
        "concurrency [1000].",
    )
    too_much = (
        INVALID,
        400,
        "Specified ConcurrentExecutions for function decreases account's "
        "UnreservedConcurrentExecution below its minimum value of [100].",
    )
    assert refusal(provide, client=client, number=1000) == too_much
    provide(client, 900)
    provide(client, 900)
    assert refusal(provide, client=client, number=901) == too_much
