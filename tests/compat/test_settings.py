"""boto3: what hangs on a function beside its code: concurrency, policies, tags, URLs, and more."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from tests.compat.functions import Workshop
from tests.compat.test_functions import arn_of, plain
from tests.compat.watching import refusal

QUEUE = "arn:aws:sqs:us-east-1:000000000000:failed"
PROFILE = "arn:aws:signer:us-east-1:000000000000:/signing-profiles/compat/abcdefghij"


def status_of(answer: dict[str, Any]) -> int:
    """The HTTP status of an answer."""
    return answer["ResponseMetadata"]["HTTPStatusCode"]


def published(workshop: Workshop, name: str) -> Any:
    """A client, with a function of this name, its version 1 and an alias `live` of that."""
    workshop.active(name, Publish=True)
    workshop.client.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    return workshop.client


@pytest.mark.shows("Concurrency", "reserved concurrency: put, get, in GetFunction, delete")
def test_reserved_concurrency_is_kept_until_deleted(workshop: Workshop, name: str) -> None:
    client = workshop.client
    workshop.active(name)
    before = client.get_account_settings()["AccountLimit"]["UnreservedConcurrentExecutions"]
    put = client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=5)
    assert plain(put) == {"ReservedConcurrentExecutions": 5}
    assert plain(client.get_function_concurrency(FunctionName=name)) == plain(put)
    assert client.get_function(FunctionName=name)["Concurrency"] == plain(put)
    after = client.get_account_settings()["AccountLimit"]["UnreservedConcurrentExecutions"]
    assert after == before - 5
    assert status_of(client.delete_function_concurrency(FunctionName=name)) == 204
    assert plain(client.get_function_concurrency(FunctionName=name)) == {}


@pytest.mark.shows("Concurrency", "provisioned concurrency: put, get, list, delete, conflicts")
def test_provisioned_concurrency_goes_through_its_states(workshop: Workshop, name: str) -> None:
    client = published(workshop, name)
    live = {"FunctionName": name, "Qualifier": "live"}
    put = client.put_provisioned_concurrency_config(**live, ProvisionedConcurrentExecutions=1)
    assert status_of(put) == 202
    assert put["Status"] == "IN_PROGRESS"
    assert put["RequestedProvisionedConcurrentExecutions"] == 1
    assert put["AllocatedProvisionedConcurrentExecutions"] == 0
    assert put["AvailableProvisionedConcurrentExecutions"] == 0
    conflict = refusal(
        client.put_provisioned_concurrency_config,
        FunctionName=name,
        Qualifier="1",
        ProvisionedConcurrentExecutions=1,
    )
    assert conflict == (
        "ResourceConflictException",
        409,
        "Version is pointed by a Provisioned Concurrency alias",
    )
    listed = client.list_provisioned_concurrency_configs(FunctionName=name)
    assert [each["FunctionArn"] for each in listed["ProvisionedConcurrencyConfigs"]] == [
        f"{arn_of(name)}:live"
    ]
    settled = provisioned(client, live)
    assert settled["Status"] == "READY", settled
    assert settled["AvailableProvisionedConcurrentExecutions"] == 1
    assert status_of(client.delete_provisioned_concurrency_config(**live)) == 204
    assert refusal(client.get_provisioned_concurrency_config, **live) == (
        "ProvisionedConcurrencyConfigNotFoundException",
        404,
        "No Provisioned Concurrency Config found for this function",
    )


def provisioned(client: Any, target: dict[str, str], patience_s: float = 30) -> dict[str, Any]:
    """Wait until provisioning is over, either way."""
    until = time.monotonic() + patience_s
    while True:
        found: dict[str, Any] = client.get_provisioned_concurrency_config(**target)
        if found["Status"] != "IN_PROGRESS":
            return found
        assert time.monotonic() < until, found
        time.sleep(0.05)


@pytest.mark.shows("Permissions", "AddPermission maps its parameters as recorded")
@pytest.mark.parametrize(
    ("given", "principal", "condition"),
    [
        ({"Principal": "*"}, "*", None),
        ({"Principal": "s3.amazonaws.com"}, {"Service": "s3.amazonaws.com"}, None),
        (
            {"Principal": "123456789012"},
            {"AWS": "arn:aws:iam::123456789012:root"},
            None,
        ),
        (
            {
                "Principal": "s3.amazonaws.com",
                "SourceArn": "arn:aws:s3:::bucket",
                "SourceAccount": "123456789012",
            },
            {"Service": "s3.amazonaws.com"},
            {
                "StringEquals": {"AWS:SourceAccount": "123456789012"},
                "ArnLike": {"AWS:SourceArn": "arn:aws:s3:::bucket"},
            },
        ),
        (
            {"Principal": "*", "PrincipalOrgID": "o-1234567890"},
            "*",
            {"StringEquals": {"aws:PrincipalOrgID": "o-1234567890"}},
        ),
    ],
    ids=["everyone", "a service", "an account", "a source", "an organisation"],
)
def test_a_permission_becomes_a_statement(
    workshop: Workshop, name: str, given: dict[str, str], principal: object, condition: object
) -> None:
    workshop.active(name)
    added = workshop.client.add_permission(
        FunctionName=name, StatementId="s1", Action="lambda:InvokeFunction", **given
    )
    statement = {
        "Sid": "s1",
        "Effect": "Allow",
        "Principal": principal,
        "Action": "lambda:InvokeFunction",
        "Resource": arn_of(name),
        **({"Condition": condition} if condition else {}),
    }
    assert json.loads(added["Statement"]) == statement
    policy = workshop.client.get_policy(FunctionName=name)
    assert json.loads(policy["Policy"]) == {
        "Version": "2012-10-17",
        "Id": "default",
        "Statement": [statement],
    }


@pytest.mark.shows("Permissions", "of a qualifier, with revision ids, removed one by one")
def test_a_permission_belongs_to_its_qualifier_until_removed(workshop: Workshop, name: str) -> None:
    client = published(workshop, name)
    live = {"FunctionName": name, "Qualifier": "live"}
    statement = {"Action": "lambda:InvokeFunction", "Principal": "*"}
    client.add_permission(**live, StatementId="one", **statement)
    client.add_permission(**live, StatementId="two", **statement)
    first = client.get_policy(**live)
    assert json.loads(first["Policy"])["Statement"][0]["Resource"] == f"{arn_of(name)}:live"
    assert refusal(client.get_policy, FunctionName=name)[:2] == ("ResourceNotFoundException", 404)
    stale = "00000000-0000-4000-8000-000000000000"
    assert refusal(client.remove_permission, **live, StatementId="one", RevisionId=stale) == (
        "PreconditionFailedException",
        412,
        "The Revision Id provided does not match the latest Revision Id. "
        "Call the GetPolicy API to retrieve the latest Revision Id",
    )
    removed = client.remove_permission(**live, StatementId="one", RevisionId=first["RevisionId"])
    assert status_of(removed) == 204
    left = json.loads(client.get_policy(**live)["Policy"])["Statement"]
    assert [each["Sid"] for each in left] == ["two"]
    client.remove_permission(**live, StatementId="two")
    assert refusal(client.get_policy, **live) == (
        "ResourceNotFoundException",
        404,
        "The resource you requested does not exist.",
    )


@pytest.mark.shows("Permissions", "PutResourcePolicy, GetResourcePolicy, DeleteResourcePolicy")
def test_a_whole_policy_is_put_read_and_deleted(workshop: Workshop, name: str) -> None:
    client = workshop.client
    workshop.active(name)
    document = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "all",
                "Effect": "Allow",
                "Principal": {"AWS": "arn:aws:iam::123456789012:root"},
                "Action": "lambda:InvokeFunction",
                "Resource": arn_of(name),
            }
        ],
    }
    put = client.put_resource_policy(ResourceArn=arn_of(name), Policy=json.dumps(document))
    assert json.loads(put["Policy"])["Statement"] == document["Statement"]
    got = client.get_resource_policy(ResourceArn=arn_of(name))
    assert got["RevisionId"] == put["RevisionId"]
    listed = json.loads(client.get_policy(FunctionName=name)["Policy"])
    assert listed["Statement"] == document["Statement"]
    assert status_of(client.delete_resource_policy(ResourceArn=arn_of(name))) == 204
    kind, status, _ = refusal(client.get_resource_policy, ResourceArn=arn_of(name))
    assert (kind, status) == ("ResourceNotFoundException", 404)


@pytest.mark.shows("Tags", "of a function: with creation, added, removed, listed")
def test_tags_are_added_and_removed(workshop: Workshop, name: str) -> None:
    client = workshop.client
    workshop.active(name, Tags={"a": "1"})
    assert status_of(client.tag_resource(Resource=arn_of(name), Tags={"b": "2", "a": "3"})) == 204
    assert client.list_tags(Resource=arn_of(name))["Tags"] == {"a": "3", "b": "2"}
    untagged = client.untag_resource(Resource=arn_of(name), TagKeys=["a", "never"])
    assert status_of(untagged) == 204
    assert client.get_function(FunctionName=name)["Tags"] == {"b": "2"}


@pytest.mark.shows("Function URLs", "configuration: created, read, changed, listed, deleted")
def test_a_function_url_lives_from_creation_to_deletion(workshop: Workshop, name: str) -> None:
    client = published(workshop, name)
    live = {"FunctionName": name, "Qualifier": "live"}
    cors = {"AllowOrigins": ["*"], "AllowMethods": ["GET"], "MaxAge": 60}
    created = client.create_function_url_config(**live, AuthType="NONE", Cors=cors)
    assert status_of(created) == 201
    assert "InvokeMode" not in created
    assert created["FunctionArn"] == f"{arn_of(name)}:live"
    assert created["Cors"] == cors
    got = client.get_function_url_config(**live)
    assert got["InvokeMode"] == "BUFFERED"
    assert got["FunctionUrl"] == created["FunctionUrl"]
    changed = client.update_function_url_config(
        **live, AuthType="AWS_IAM", InvokeMode="RESPONSE_STREAM"
    )
    assert (changed["AuthType"], changed["InvokeMode"]) == ("AWS_IAM", "RESPONSE_STREAM")
    listed = client.list_function_url_configs(FunctionName=name)["FunctionUrlConfigs"]
    assert [each["FunctionUrl"] for each in listed] == [created["FunctionUrl"]]
    assert status_of(client.delete_function_url_config(**live)) == 204
    assert refusal(client.get_function_url_config, **live) == (
        "ResourceNotFoundException",
        404,
        "The resource you requested does not exist.",
    )


@pytest.mark.shows(
    "Event-invoke configuration",
    "stored, changed member by member, listed",
    differs="without effect until asynchronous invocation comes",
)
def test_an_event_invoke_configuration_is_stored(workshop: Workshop, name: str) -> None:
    client = published(workshop, name)
    failure = {"OnFailure": {"Destination": QUEUE}}
    put = client.put_function_event_invoke_config(
        FunctionName=name, MaximumRetryAttempts=1, DestinationConfig=failure
    )
    assert put["FunctionArn"] == f"{arn_of(name)}:$LATEST"
    assert put["DestinationConfig"]["OnFailure"] == failure["OnFailure"]
    changed = client.update_function_event_invoke_config(
        FunctionName=name, MaximumEventAgeInSeconds=120
    )
    assert (changed["MaximumRetryAttempts"], changed["MaximumEventAgeInSeconds"]) == (1, 120)
    client.put_function_event_invoke_config(
        FunctionName=name, Qualifier="live", MaximumRetryAttempts=0
    )
    got = client.get_function_event_invoke_config(FunctionName=name)
    assert plain(got) == plain(changed)
    listed = client.list_function_event_invoke_configs(FunctionName=name)
    assert {each["FunctionArn"] for each in listed["FunctionEventInvokeConfigs"]} == {
        f"{arn_of(name)}:$LATEST",
        f"{arn_of(name)}:live",
    }
    assert status_of(client.delete_function_event_invoke_config(FunctionName=name)) == 204
    assert refusal(client.get_function_event_invoke_config, FunctionName=name) == (
        "ResourceNotFoundException",
        404,
        f"The function {arn_of(name)}:$LATEST doesn't have an EventInvokeConfig",
    )


@pytest.mark.shows(
    "Code signing",
    "configurations, and those of a function",
    differs="no signature is checked: every package counts as unsigned",
)
def test_code_signing_is_configured_and_bound_to_a_function(workshop: Workshop, name: str) -> None:
    client = workshop.client
    workshop.active(name)
    publishers = {"SigningProfileVersionArns": [PROFILE]}
    made = client.create_code_signing_config(Description="x", AllowedPublishers=publishers)
    arn = made["CodeSigningConfig"]["CodeSigningConfigArn"]
    assert arn.startswith("arn:aws:lambda:us-east-1:000000000000:code-signing-config:csc-")
    policies = {"UntrustedArtifactOnDeployment": "Enforce"}
    client.update_code_signing_config(CodeSigningConfigArn=arn, CodeSigningPolicies=policies)
    got = client.get_code_signing_config(CodeSigningConfigArn=arn)["CodeSigningConfig"]
    assert got["CodeSigningPolicies"] == policies
    assert got["AllowedPublishers"] == publishers
    listed = client.list_code_signing_configs()["CodeSigningConfigs"]
    assert arn in [each["CodeSigningConfigArn"] for each in listed]
    # Terraform asks for it after every creation: that there is none is no error.
    assert plain(client.get_function_code_signing_config(FunctionName=name)) == {}
    bound = client.put_function_code_signing_config(FunctionName=name, CodeSigningConfigArn=arn)
    assert plain(bound) == {"CodeSigningConfigArn": arn, "FunctionName": name}
    assert plain(client.get_function_code_signing_config(FunctionName=name)) == plain(bound)
    users = client.list_functions_by_code_signing_config(CodeSigningConfigArn=arn)
    assert users["FunctionArns"] == [arn_of(name)]
    assert refusal(client.delete_code_signing_config, CodeSigningConfigArn=arn)[:2] == (
        "ResourceConflictException",
        409,
    )
    assert status_of(client.delete_function_code_signing_config(FunctionName=name)) == 204
    assert status_of(client.delete_code_signing_config(CodeSigningConfigArn=arn)) == 204


@pytest.mark.shows(
    "Runtime management",
    "Auto, FunctionUpdate, Manual with a runtime's ARN",
    differs="kept and shown; a host's own runtime is what runs",
)
def test_runtime_updates_are_managed_as_asked(workshop: Workshop, name: str) -> None:
    client = workshop.client
    workshop.active(name)
    got = client.get_runtime_management_config(FunctionName=name)
    assert got["UpdateRuntimeOn"] == "Auto"
    put = client.put_runtime_management_config(FunctionName=name, UpdateRuntimeOn="FunctionUpdate")
    assert put["UpdateRuntimeOn"] == "FunctionUpdate"
    pinned = client.get_function_configuration(FunctionName=name)["RuntimeVersionConfig"]
    client.put_runtime_management_config(
        FunctionName=name,
        UpdateRuntimeOn="Manual",
        RuntimeVersionArn=pinned["RuntimeVersionArn"],
    )
    got = client.get_runtime_management_config(FunctionName=name)
    assert got["UpdateRuntimeOn"] == "Manual"
    assert got["RuntimeVersionArn"] == pinned["RuntimeVersionArn"]


@pytest.mark.shows(
    "Recursion",
    "configuration, Terminate unless told otherwise",
    differs="kept and shown; no loop is looked for yet",
)
def test_recursion_is_terminated_unless_allowed(workshop: Workshop, name: str) -> None:
    client = workshop.client
    workshop.active(name)
    assert client.get_function_recursion_config(FunctionName=name)["RecursiveLoop"] == "Terminate"
    put = client.put_function_recursion_config(FunctionName=name, RecursiveLoop="Allow")
    assert put["RecursiveLoop"] == "Allow"
    assert client.get_function_recursion_config(FunctionName=name)["RecursiveLoop"] == "Allow"
