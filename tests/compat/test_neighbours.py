"""boto3 with the small services beside Lambda: who am I, roles, logs."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from tests.compat.functions import Workshop
from tests.compat.watching import client_for, refusal

TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "lambda.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    ],
}
BASIC = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"

CALLS_BACK = """
import json
import boto3
from botocore.exceptions import ClientError

def handler(event, context):
    client = boto3.client("lambda")
    try:
        answer = client.invoke(FunctionName=event["target"], Payload=b'"from inside"')
    except ClientError as error:
        return {"refused": error.response["Error"]["Code"],
                "said": error.response["Error"]["Message"]}
    who = boto3.client("sts").get_caller_identity()["Arn"]
    return {"answer": json.load(answer["Payload"]), "who": who}
"""


@pytest.mark.shows("Neighbours", "STS GetCallerIdentity")
def test_the_caller_is_the_root_of_the_account(sts: Any) -> None:
    told = sts.get_caller_identity()
    assert told["Account"] == "000000000000"
    assert told["Arn"] == "arn:aws:iam::000000000000:root"


@pytest.mark.shows("Neighbours", "IAM roles: created, read, given policies, deleted")
def test_a_role_lives_from_creation_to_deletion(iam: Any, name: str) -> None:
    made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]
    assert made["Arn"] == f"arn:aws:iam::000000000000:role/{name}"
    assert iam.get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"] == TRUST
    iam.attach_role_policy(RoleName=name, PolicyArn=BASIC)
    attached = iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]
    assert [each["PolicyArn"] for each in attached] == [BASIC]
    policy = {"Version": "2012-10-17", "Statement": []}
    statement = {"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": "*"}
    policy["Statement"] = [statement]
    iam.put_role_policy(RoleName=name, PolicyName="call", PolicyDocument=json.dumps(policy))
    assert iam.list_role_policies(RoleName=name)["PolicyNames"] == ["call"]
    got = iam.get_role_policy(RoleName=name, PolicyName="call")
    assert got["PolicyDocument"] == policy
    assert iam.list_instance_profiles_for_role(RoleName=name)["InstanceProfiles"] == []
    assert refusal(iam.delete_role, RoleName=name)[0] == "DeleteConflict"
    iam.delete_role_policy(RoleName=name, PolicyName="call")
    iam.detach_role_policy(RoleName=name, PolicyArn=BASIC)
    iam.delete_role(RoleName=name)
    kind, status, _ = refusal(iam.get_role, RoleName=name)
    assert (kind, status) == ("NoSuchEntity", 404)


@pytest.mark.shows("Neighbours", "a function calls another as its role, as far as its role may")
def test_a_function_invokes_another_only_if_its_role_may(
    workshop: Workshop, iam: Any, name: str
) -> None:
    client, role = workshop.client, name[:50]
    caller, target = f"{name[:50]}-caller", f"{name[:50]}-target"
    made = iam.create_role(RoleName=role, AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]
    workshop.active(target)
    workshop.active(caller, CALLS_BACK, Role=made["Arn"], Timeout=30, MemorySize=512)
    event = json.dumps({"target": target}).encode()

    def said() -> Any:
        answer = client.invoke(FunctionName=caller, Payload=event)
        assert "FunctionError" not in answer, answer["Payload"].read()
        return json.loads(answer["Payload"].read())

    refused = said()
    assert refused["refused"] == "AccessDeniedException"
    assert refused["said"].startswith(
        f"User: arn:aws:sts::000000000000:assumed-role/{role}/{caller} is not authorized to "
        "perform: lambda:InvokeFunction on resource: "
    )
    policy = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": "*"}],
    }
    iam.put_role_policy(RoleName=role, PolicyName="call", PolicyDocument=json.dumps(policy))
    assert said() == {
        "answer": "from inside",
        "who": f"arn:aws:sts::000000000000:assumed-role/{role}/{caller}",
    }
    iam.delete_role_policy(RoleName=role, PolicyName="call")
    iam.delete_role(RoleName=role)


@pytest.mark.shows("Neighbours", "CloudWatch Logs: groups, streams, events, filters")
def test_what_a_function_logs_is_read_as_from_cloudwatch(
    workshop: Workshop, logs: Any, name: str
) -> None:
    workshop.active(name, "def handler(event, context):\n    print('line', event)\n")
    for number in range(3):
        workshop.client.invoke(FunctionName=name, Payload=str(number).encode())
    group = f"/aws/lambda/{name}"
    found = matching(logs, group, "line", count=3)
    assert [each["message"] for each in found] == ["line 0\n", "line 1\n", "line 2\n"]
    streams = logs.describe_log_streams(logGroupName=group)["logStreams"]
    assert {each["logStreamName"] for each in streams} == {each["logStreamName"] for each in found}
    events = logs.get_log_events(
        logGroupName=group, logStreamName=streams[0]["logStreamName"], startFromHead=True
    )["events"]
    assert events[0]["message"].startswith("INIT_START Runtime Version: python:3.")
    assert events[1]["message"].startswith("START RequestId: ")
    newest = logs.filter_log_events(logGroupName=group, startTime=found[-1]["timestamp"] + 1)
    assert "line 0\n" not in [each["message"] for each in newest["events"]]
    kind, _, _ = refusal(logs.get_log_events, logGroupName="/none", logStreamName="none")
    assert kind == "ResourceNotFoundException"


def matching(logs: Any, group: str, pattern: str, *, count: int, patience_s: float = 30) -> Any:
    """Wait until so many events match, for logs arrive after the answer."""
    until = time.monotonic() + patience_s
    while True:
        pages = logs.get_paginator("filter_log_events").paginate(
            logGroupName=group, filterPattern=pattern
        )
        try:
            found = [each for page in pages for each in page["events"]]
        except logs.exceptions.ResourceNotFoundException:
            found = []  # the group comes with its first line
        if len(found) >= count:
            return found
        assert time.monotonic() < until, found
        time.sleep(0.05)


@pytest.mark.shows(
    "Who are you", "a wrong secret, an unknown key, no signature: 403 in AWS's words"
)
def test_a_stranger_is_refused(environment: dict[str, str]) -> None:
    def error(**changes: str) -> tuple[str, int, str]:
        stranger = client_for("lambda", {**environment, **changes})
        return refusal(stranger.list_functions)

    kind, status, message = error(AWS_SECRET_ACCESS_KEY="not the secret")
    assert (kind, status) == ("InvalidSignatureException", 403)
    assert message == (
        "The request signature we calculated does not match the signature you provided. Check "
        "your AWS Secret Access Key and signing method. Consult the service documentation for "
        "details."
    )
    assert error(AWS_ACCESS_KEY_ID="AKIDNOBODY0000000000") == (
        "UnrecognizedClientException",
        403,
        "The security token included in the request is invalid.",
    )
