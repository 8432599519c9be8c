"""IAM and STS as boto3, Terraform and chalice call them."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from controlplane.model.credentials import Credentials
from tests.fakes.aws_system import ACCOUNT_ID, ROOT_KEY, AwsSystem

BASIC = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
INVOKE = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": "*"}],
}


def trusting(principal: Any) -> str:
    statement = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": principal}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


LAMBDA = trusting({"Service": "lambda.amazonaws.com"})


@pytest.fixture
def iam(guarded: AwsSystem) -> Any:
    return guarded.client("iam")


def refusal(call: Any, **arguments: Any) -> tuple[int, str, str]:
    with pytest.raises(ClientError) as refused:
        call(**arguments)
    answer = refused.value.response
    status = answer["ResponseMetadata"]["HTTPStatusCode"]
    return status, answer["Error"]["Code"], answer["Error"]["Message"]


def test_a_role_lives_as_terraform_has_it_live(iam: Any) -> None:
    made = iam.create_role(
        RoleName="worker",
        Path="/service-role/",
        AssumeRolePolicyDocument=LAMBDA,
        Description="works",
        Tags=[{"Key": "team", "Value": "a"}],
    )["Role"]
    assert made["Arn"] == f"arn:aws:iam::{ACCOUNT_ID}:role/service-role/worker"
    assert made["RoleId"].startswith("AROA")
    role = iam.get_role(RoleName="worker")["Role"]
    assert role == made
    assert role["AssumeRolePolicyDocument"] == json.loads(LAMBDA)
    assert role["MaxSessionDuration"] == 3600
    assert datetime.now(UTC) - role["CreateDate"] < timedelta(minutes=1)
    assert iam.list_role_policies(RoleName="worker")["PolicyNames"] == []
    assert iam.list_instance_profiles_for_role(RoleName="worker")["InstanceProfiles"] == []
    iam.attach_role_policy(RoleName="worker", PolicyArn=BASIC)
    iam.attach_role_policy(RoleName="worker", PolicyArn=BASIC)
    assert iam.list_attached_role_policies(RoleName="worker")["AttachedPolicies"] == [
        {"PolicyName": "AWSLambdaBasicExecutionRole", "PolicyArn": BASIC}
    ]
    assert refusal(iam.delete_role, RoleName="worker") == (
        409,
        "DeleteConflict",
        "Cannot delete entity, must detach all policies first.",
    )
    iam.detach_role_policy(RoleName="worker", PolicyArn=BASIC)
    iam.delete_role(RoleName="worker")
    assert refusal(iam.get_role, RoleName="worker") == (
        404,
        "NoSuchEntity",
        "The role with name worker cannot be found.",
    )


def test_a_name_is_taken_once(iam: Any) -> None:
    iam.create_role(RoleName="worker", AssumeRolePolicyDocument=LAMBDA)
    again = refusal(iam.create_role, RoleName="worker", AssumeRolePolicyDocument=LAMBDA)
    assert again == (409, "EntityAlreadyExists", "Role with name worker already exists.")


def test_a_roles_own_policies_are_kept_as_they_were_written(iam: Any) -> None:
    iam.create_role(RoleName="worker", AssumeRolePolicyDocument=LAMBDA)
    iam.put_role_policy(RoleName="worker", PolicyName="may", PolicyDocument=json.dumps(INVOKE))
    assert iam.list_role_policies(RoleName="worker")["PolicyNames"] == ["may"]
    assert iam.get_role_policy(RoleName="worker", PolicyName="may")["PolicyDocument"] == INVOKE
    assert refusal(iam.delete_role, RoleName="worker")[1] == "DeleteConflict"
    iam.delete_role_policy(RoleName="worker", PolicyName="may")
    assert refusal(iam.get_role_policy, RoleName="worker", PolicyName="may")[1] == "NoSuchEntity"


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ("{", "This policy contains invalid Json"),
        ('{"Version": "2012-10-17"}', "Missing required field Statement."),
        ('{"Statement": {"Effect": "Allow", "Action": "s3:*"}}', "must contain resources"),
        (LAMBDA, "should not specify a principal"),
    ],
)
def test_what_is_no_policy_is_malformed(iam: Any, document: str, words: str) -> None:
    iam.create_role(RoleName="worker", AssumeRolePolicyDocument=LAMBDA)
    status, code, message = refusal(
        iam.put_role_policy, RoleName="worker", PolicyName="may", PolicyDocument=document
    )
    assert (status, code) == (400, "MalformedPolicyDocument")
    assert words in message


def test_a_policy_of_ones_own_is_shared_versioned_and_deleted(iam: Any) -> None:
    arn = iam.create_policy(PolicyName="shared", PolicyDocument=json.dumps(INVOKE))["Policy"]["Arn"]
    assert arn == f"arn:aws:iam::{ACCOUNT_ID}:policy/shared"
    iam.create_role(RoleName="worker", AssumeRolePolicyDocument=LAMBDA)
    iam.attach_role_policy(RoleName="worker", PolicyArn=arn)
    assert iam.get_policy(PolicyArn=arn)["Policy"]["AttachmentCount"] == 1
    assert refusal(iam.delete_policy, PolicyArn=arn)[1] == "DeleteConflict"
    narrower = {**INVOKE, "Statement": [{**INVOKE["Statement"][0], "Resource": "arn:aws:x:::*"}]}
    made = iam.create_policy_version(
        PolicyArn=arn, PolicyDocument=json.dumps(narrower), SetAsDefault=True
    )["PolicyVersion"]
    assert (made["VersionId"], made["IsDefaultVersion"]) == ("v2", True)
    listed = iam.list_policy_versions(PolicyArn=arn)["Versions"]
    assert [each["VersionId"] for each in listed] == ["v2"]
    version = iam.get_policy_version(PolicyArn=arn, VersionId="v2")["PolicyVersion"]
    assert version["Document"] == narrower
    assert refusal(iam.get_policy_version, PolicyArn=arn, VersionId="v1")[1] == "NoSuchEntity"
    iam.detach_role_policy(RoleName="worker", PolicyArn=arn)
    iam.delete_policy(PolicyArn=arn)
    assert refusal(iam.get_policy, PolicyArn=arn)[1] == "NoSuchEntity"


def test_awss_own_policies_are_known(iam: Any) -> None:
    policy = iam.get_policy(PolicyArn=BASIC)["Policy"]
    assert (policy["PolicyName"], policy["Path"]) == (
        "AWSLambdaBasicExecutionRole",
        "/service-role/",
    )
    document = iam.get_policy_version(PolicyArn=BASIC, VersionId="v1")["PolicyVersion"]["Document"]
    assert "logs:PutLogEvents" in document["Statement"][0]["Action"]


def test_one_of_awss_policies_that_means_nothing_here_allows_nothing(
    guarded: AwsSystem, iam: Any
) -> None:
    guarded.create_function("hello")
    role = iam.create_role(
        RoleName="worker", AssumeRolePolicyDocument=trusting({"AWS": ACCOUNT_ID})
    )
    iam.attach_role_policy(
        RoleName="worker", PolicyArn="arn:aws:iam::aws:policy/AmazonEC2FullAccess"
    )
    client = guarded.client(credentials=assumed(guarded, role["Role"]["Arn"]))
    assert refusal(client.invoke, FunctionName="hello")[1] == "AccessDeniedException"


def test_lists_come_in_pages(iam: Any) -> None:
    for name in ("a", "b", "c"):
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=LAMBDA)
    pages = iam.get_paginator("list_roles").paginate(PaginationConfig={"PageSize": 2})
    assert [[each["RoleName"] for each in page["Roles"]] for page in pages] == [["a", "b"], ["c"]]


def test_tags_are_set_and_removed(iam: Any) -> None:
    iam.create_role(RoleName="worker", AssumeRolePolicyDocument=LAMBDA)
    iam.tag_role(RoleName="worker", Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}])
    iam.untag_role(RoleName="worker", TagKeys=["a"])
    assert iam.list_role_tags(RoleName="worker")["Tags"] == [{"Key": "b", "Value": "2"}]


def test_roles_and_policies_survive_a_restart(tmp_path: Any) -> None:
    with AwsSystem(tmp_path, guarded=True) as system:
        iam = system.client("iam")
        before = iam.create_role(RoleName="worker", AssumeRolePolicyDocument=LAMBDA)["Role"]
        arn = iam.create_policy(PolicyName="p", PolicyDocument=json.dumps(INVOKE))["Policy"]["Arn"]
        iam.attach_role_policy(RoleName="worker", PolicyArn=arn)
        key = system.run(system.identity.keys.create())
    with AwsSystem(tmp_path, guarded=True) as system:
        iam = system.client("iam", credentials=key)
        assert iam.get_role(RoleName="worker")["Role"] == before
        assert iam.get_policy(PolicyArn=arn)["Policy"]["AttachmentCount"] == 1


def test_everybody_may_ask_who_they_are(guarded: AwsSystem) -> None:
    assert identity(guarded, ROOT_KEY)["Arn"] == f"arn:aws:iam::{ACCOUNT_ID}:root"
    policy = json.dumps({**INVOKE, "Statement": [{**INVOKE["Statement"][0], "Effect": "Deny"}]})
    key = guarded.run(guarded.identity.keys.create(user_name="ci", policy=policy))
    assert identity(guarded, key)["Arn"] == f"arn:aws:iam::{ACCOUNT_ID}:user/ci"
    assert identity(guarded, key)["Account"] == ACCOUNT_ID
    assert guarded.client("iam").get_user(UserName="ci")["User"]["UserName"] == "ci"
    assert guarded.client("iam").get_user()["User"]["Arn"].endswith(":root")


def test_a_role_is_assumed_by_whom_it_trusts_and_may_what_its_policies_say(
    guarded: AwsSystem, iam: Any
) -> None:
    guarded.create_function("hello")
    account = trusting({"AWS": f"arn:aws:iam::{ACCOUNT_ID}:root"})
    arn = iam.create_role(RoleName="worker", AssumeRolePolicyDocument=account)["Role"]["Arn"]
    credentials = assumed(guarded, arn)
    assert identity(guarded, credentials)["Arn"] == (
        f"arn:aws:sts::{ACCOUNT_ID}:assumed-role/worker/session"
    )
    client = guarded.client(credentials=credentials)
    assert refusal(client.invoke, FunctionName="hello")[1] == "AccessDeniedException"
    iam.put_role_policy(RoleName="worker", PolicyName="may", PolicyDocument=json.dumps(INVOKE))
    assert client.invoke(FunctionName="hello")["StatusCode"] == 200


def test_a_role_that_trusts_lambda_alone_is_assumed_by_nobody_else(
    guarded: AwsSystem, iam: Any
) -> None:
    arn = iam.create_role(RoleName="worker", AssumeRolePolicyDocument=LAMBDA)["Role"]["Arn"]
    status, code, message = refusal(
        guarded.client("sts").assume_role, RoleArn=arn, RoleSessionName="session"
    )
    assert (status, code) == (403, "AccessDenied")
    assert f"is not authorized to perform: sts:AssumeRole on resource: {arn}" in message


def test_a_role_that_does_not_exist_is_refused_like_one_that_trusts_nobody(
    guarded: AwsSystem,
) -> None:
    arn = f"arn:aws:iam::{ACCOUNT_ID}:role/none"
    assume = guarded.client("sts").assume_role
    assert refusal(assume, RoleArn=arn, RoleSessionName="session")[1] == "AccessDenied"


def test_a_session_lasts_no_longer_than_its_role_allows(guarded: AwsSystem, iam: Any) -> None:
    iam.create_role(RoleName="worker", AssumeRolePolicyDocument=trusting({"AWS": ACCOUNT_ID}))
    arn = f"arn:aws:iam::{ACCOUNT_ID}:role/worker"
    assume = guarded.client("sts").assume_role
    too_long = refusal(assume, RoleArn=arn, RoleSessionName="session", DurationSeconds=3601)
    assert too_long[1] == "ValidationError"
    assert "exceeds the MaxSessionDuration" in too_long[2]


def test_users_need_permission_for_iam_too(guarded: AwsSystem, iam: Any) -> None:
    iam.create_role(RoleName="worker", Path="/x/", AssumeRolePolicyDocument=LAMBDA)
    arn = f"arn:aws:iam::{ACCOUNT_ID}:role/x/worker"
    allowed = {"Effect": "Allow", "Action": "iam:GetRole", "Resource": arn}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    key = guarded.run(guarded.identity.keys.create(user_name="ci", policy=policy))
    client = guarded.client("iam", credentials=key)
    assert client.get_role(RoleName="worker")["Role"]["Arn"] == arn
    status, code, message = refusal(client.delete_role, RoleName="worker")
    assert (status, code) == (403, "AccessDenied")
    assert f"iam:DeleteRole on resource: {arn}" in message


def assumed(system: AwsSystem, role_arn: str) -> Credentials:
    answer = system.client("sts").assume_role(RoleArn=role_arn, RoleSessionName="session")
    given = answer["Credentials"]
    assert given["Expiration"] > datetime.now(UTC) + timedelta(minutes=59)
    return Credentials(
        access_key_id=given["AccessKeyId"],
        secret_access_key=given["SecretAccessKey"],
        session_token=given["SessionToken"],
    )


def identity(system: AwsSystem, credentials: Credentials) -> dict[str, str]:
    answer: dict[str, str] = system.client("sts", credentials=credentials).get_caller_identity()
    return answer
