"""Versions and aliases over boto3: what AWS answers, and its words for what it refuses."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from tests.fakes.archives import package

ARN = "arn:aws:lambda:us-east-1:000000000000:function:thumb"
INVALID = ("InvalidParameterValueException", 400)
VALIDATION = ("ValidationException", 400)
NOT_FOUND = ("ResourceNotFoundException", 404)
WEIGHTS = "routingConfig.additionalVersionWeights"


def plain(answer):
    """An answer without the circumstances of its call."""
    return {key: value for key, value in answer.items() if key != "ResponseMetadata"}


def refusal(call, **request):
    """Code, status and message of a refusal."""
    with pytest.raises(ClientError) as refused:
        call(**request)
    answer = refused.value.response
    error = answer["Error"]
    return error["Code"], answer["ResponseMetadata"]["HTTPStatusCode"], error["Message"]


def wait(client, **which):
    """Until a function's update is prepared."""
    client.get_waiter("function_updated_v2").wait(
        FunctionName="thumb", WaiterConfig={"Delay": 0.01, "MaxAttempts": 500}, **which
    )


@pytest.fixture
def versions(aws, client):
    """A function with versions 1 and 2."""
    aws.create_function("thumb", publish=True)
    client.update_function_code(FunctionName="thumb", ZipFile=package(b"two = 2\n"), Publish=True)
    wait(client)
    return client


def routed(**weights):
    return {"AdditionalVersionWeights": {key.lstrip("v"): value for key, value in weights.items()}}


def alias(client, name="live", version="1", **more):
    return plain(
        client.create_alias(FunctionName="thumb", Name=name, FunctionVersion=version, **more)
    )


def test_a_version_is_pending_first_and_keeps_what_latest_said(aws, client):
    aws.create_function("thumb", timeout_s=9)
    answer = client.publish_version(FunctionName="thumb", Description="first")
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 201
    assert (answer["Version"], answer["FunctionArn"]) == ("1", f"{ARN}:1")
    assert (answer["State"], answer["StateReasonCode"]) == ("Pending", "Creating")
    assert "LastUpdateStatus" not in answer
    client.get_waiter("published_version_active").wait(
        FunctionName="thumb", Qualifier="1", WaiterConfig={"Delay": 0.01, "MaxAttempts": 500}
    )
    client.update_function_configuration(FunctionName="thumb", Timeout=10)
    found = client.get_function_configuration(FunctionName="thumb", Qualifier="1")
    assert (found["Timeout"], found["Description"]) == (9, "first")
    assert (found["State"], found["LastUpdateStatus"]) == ("Active", "Successful")


def test_publishing_without_a_change_answers_the_last_version(versions):
    wait(versions, Qualifier="2")
    found = plain(versions.get_function_configuration(FunctionName="thumb", Qualifier="2"))
    assert plain(versions.publish_version(FunctionName="thumb", Description="again")) == found


def test_versions_are_listed_from_latest_on_in_pages(versions):
    pages = versions.get_paginator("list_versions_by_function").paginate(
        FunctionName="thumb", PaginationConfig={"PageSize": 2}
    )
    listed = [[each["FunctionArn"] for each in page["Versions"]] for page in pages]
    assert listed == [[f"{ARN}:$LATEST", f"{ARN}:1"], [f"{ARN}:2"]]


def test_a_version_is_deleted_unless_an_alias_leads_to_it(versions):
    alias(versions, version="1")
    code, status, message = refusal(versions.delete_function, FunctionName="thumb", Qualifier="1")
    assert (code, status) == ("ResourceConflictException", 409)
    assert "[live]" in message
    gone = versions.delete_function(FunctionName="thumb:2")
    assert gone["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert refusal(versions.get_function, FunctionName="thumb", Qualifier="2") == (
        *NOT_FOUND,
        f"Function not found: {ARN}:2",
    )
    assert versions.publish_version(FunctionName="thumb")["Version"] == "3"


def test_an_alias_lives_as_on_lambda(versions):
    made = alias(versions, Description="words", RoutingConfig=routed(v2=0.25))
    assert made == {
        "AliasArn": f"{ARN}:live",
        "Name": "live",
        "FunctionVersion": "1",
        "Description": "words",
        "RoutingConfig": {"AdditionalVersionWeights": {"2": 0.25}},
        "RevisionId": made["RevisionId"],
    }
    assert plain(versions.get_alias(FunctionName="thumb", Name="live")) == made
    moved = plain(
        versions.update_alias(
            FunctionName="thumb",
            Name="live",
            FunctionVersion="2",
            RoutingConfig=routed(),
            RevisionId=made["RevisionId"],
        )
    )
    assert (moved["FunctionVersion"], moved["Description"]) == ("2", "words")
    assert "RoutingConfig" not in moved
    assert moved["RevisionId"] != made["RevisionId"]
    found = versions.get_function_configuration(FunctionName="thumb", Qualifier="live")
    assert (found["FunctionArn"], found["Version"]) == (f"{ARN}:live", "2")
    assert versions.list_aliases(FunctionName="thumb")["Aliases"] == [moved]
    assert versions.list_aliases(FunctionName="thumb", FunctionVersion="1")["Aliases"] == []
    for _ in range(2):
        gone = versions.delete_alias(FunctionName="thumb", Name="live")
        assert gone["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert refusal(versions.get_function, FunctionName="thumb", Qualifier="live") == (
        *NOT_FOUND,
        f"Function not found: {ARN}:live",
    )


def test_an_alias_shares_its_traffic(aws, versions):
    wait(versions, Qualifier="2")
    alias(versions, RoutingConfig=routed(v2=0.5))
    for draw, version in ((0.49, "2"), (0.51, "1")):
        aws.draw = draw
        answer = versions.invoke(FunctionName="thumb", Qualifier="live")
        assert answer["ExecutedVersion"] == version


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (
            {"Name": "2024"},
            (
                *VALIDATION,
                "1 validation error detected: Value '2024' at 'name' failed to satisfy "
                "constraint: Member must satisfy regular expression pattern: "
                "(?!^[0-9]+$)([a-zA-Z0-9-_]+)",
            ),
        ),
        (
            {"FunctionVersion": "$LATEST", "RoutingConfig": routed(v1=0.5)},
            (*INVALID, "$LATEST is not supported for an alias pointing to more than 1 version"),
        ),
        (
            {"RoutingConfig": routed(v1=0.5)},
            (
                *INVALID,
                "Invalid function version 1. Function version 1 is already included in routing "
                "configuration.",
            ),
        ),
        (
            {"RoutingConfig": routed(v1=0.5, v2=0.5)},
            (*INVALID, "Number of items in AdditionalVersionWeights cannot be greater than 1"),
        ),
        (
            {"RoutingConfig": {"AdditionalVersionWeights": {"$LATEST": 0.5}}},
            (
                *VALIDATION,
                f"1 validation error detected: Value '{{$LATEST=0.5}}' at '{WEIGHTS}' failed to "
                "satisfy constraint: Map keys must satisfy constraint: [Member must have length "
                "less than or equal to 1024, Member must have length greater than or equal to 1, "
                "Member must satisfy regular expression pattern: [0-9]+]",
            ),
        ),
        *(
            (
                {"RoutingConfig": routed(v2=weight)},
                (
                    *VALIDATION,
                    f"1 validation error detected: Value '{{2={weight}}}' at '{WEIGHTS}' failed "
                    "to satisfy constraint: Map value must satisfy constraint: [Member must have "
                    "value less than or equal to 1.0, Member must have value greater than or "
                    "equal to 0.0, Member must not be null]",
                ),
            )
            for weight in (-1.0, 2.0)
        ),
        (
            {"FunctionVersion": "7"},
            (*NOT_FOUND, f"Function not found: {ARN}:7"),
        ),
        (
            {"RoutingConfig": routed(v7=0.5)},
            (*NOT_FOUND, f"Function not found: {ARN}:7"),
        ),
        (
            {"FunctionName": "thumb-unknown"},
            (*NOT_FOUND, f"Function not found: {ARN}-unknown:1"),
        ),
    ],
)
def test_an_alias_is_refused_in_awss_words(versions, request_, expected):
    basic = {"FunctionName": "thumb", "Name": "live", "FunctionVersion": "1"}
    assert refusal(versions.create_alias, **(basic | request_)) == expected
    assert versions.list_aliases(FunctionName="thumb")["Aliases"] == []


def test_what_is_no_alias_is_not_found_in_words_of_each_operation(versions):
    assert refusal(versions.get_alias, FunctionName="thumb", Name="non-existent") == (
        *NOT_FOUND,
        f"Cannot find alias arn: {ARN}:non-existent",
    )
    assert refusal(versions.update_alias, FunctionName="thumb", Name="non-existent") == (
        *NOT_FOUND,
        f"Alias not found: {ARN}:non-existent",
    )
    made = alias(versions, name="custom")
    assert refusal(alias, client=versions, name="custom") == (
        "ResourceConflictException",
        409,
        f"Alias already exists: {made['AliasArn']}",
    )


def test_a_stale_alias_is_a_failed_precondition(versions):
    stale = alias(versions)["RevisionId"]
    move = {"FunctionName": "thumb", "Name": "live", "FunctionVersion": "2"}
    versions.update_alias(**move)
    assert refusal(versions.update_alias, **move, RevisionId=stale) == (
        "PreconditionFailedException",
        412,
        "The Revision Id provided does not match the latest Revision Id. Call the "
        "GetFunction/GetAlias API to retrieve the latest Revision Id",
    )
