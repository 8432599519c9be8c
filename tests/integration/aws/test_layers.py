"""Layers over boto3: what AWS answers, and every refusal in its words."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import urllib.request

import pytest
from botocore.exceptions import ClientError

from tests.fakes.archives import FILE, archive, package
from tests.fakes.aws_system import ROLE

ZIP = archive(("python/tool.py", b"x = 1\n", FILE))
ARN = "arn:aws:lambda:us-east-1:000000000000:layer:tools"
REGION = r"(eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}"
VERSION_ARN = (
    rf"(arn:(aws[a-zA-Z-]*)?:lambda:{REGION}:\d{{12}}:layer:[a-zA-Z0-9-_]+:[0-9]+)|"
    r"(arn:[a-zA-Z0-9-]+:lambda:::awslayer:[a-zA-Z0-9-_]+)"
)
MISSING = ("ResourceNotFoundException", 404, "The resource you requested does not exist.")


def plain(answer):
    """An answer without the circumstances of its call."""
    return {key: value for key, value in answer.items() if key != "ResponseMetadata"}


def status(answer):
    return answer["ResponseMetadata"]["HTTPStatusCode"]


def refusal(call, **request):
    """Code, status and message of a refusal."""
    with pytest.raises(ClientError) as refused:
        call(**request)
    answer = refused.value.response
    return answer["Error"]["Code"], status(answer), answer["Error"]["Message"]


def publish(client, name="tools", content=ZIP, **said):
    return client.publish_layer_version(LayerName=name, Content={"ZipFile": content}, **said)


def create(client, *layer_arns, name="thumb", content=None):
    return client.create_function(
        FunctionName=name,
        Runtime="python3.12",
        Role=ROLE,
        Handler="app.handler",
        Code={"ZipFile": content or package()},
        Layers=list(layer_arns),
    )


def test_a_published_version_answers_what_lambda_answers(client):
    made = publish(
        client,
        Description="numbers",
        LicenseInfo="MIT",
        CompatibleRuntimes=["python3.12", "python3.11"],
        CompatibleArchitectures=["x86_64"],
    )
    assert status(made) == 201
    made = plain(made)
    content = made.pop("Content")
    location = content.pop("Location")
    assert content == {
        "CodeSha256": base64.b64encode(hashlib.sha256(ZIP).digest()).decode(),
        "CodeSize": len(ZIP),
    }
    assert urllib.request.urlopen(location).read() == ZIP
    assert re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+0000", made.pop("CreatedDate"))
    assert made == {
        "LayerArn": ARN,
        "LayerVersionArn": f"{ARN}:1",
        "Version": 1,
        "Description": "numbers",
        "LicenseInfo": "MIT",
        "CompatibleRuntimes": ["python3.12", "python3.11"],
        "CompatibleArchitectures": ["x86_64"],
    }


def test_what_was_not_said_is_not_answered(client):
    assert set(plain(publish(client))) == {
        "Content",
        "CreatedDate",
        "Description",
        "LayerArn",
        "LayerVersionArn",
        "Version",
    }


def test_a_version_is_found_by_number_name_and_arn(client):
    publish(client)
    second = plain(publish(client, ARN))
    second.pop("Content")
    for found in (
        client.get_layer_version(LayerName="tools", VersionNumber=2),
        client.get_layer_version(LayerName=ARN, VersionNumber=2),
        client.get_layer_version_by_arn(Arn=f"{ARN}:2"),
    ):
        assert {key: found[key] for key in second} == second


def test_lists_page_and_filter(client):
    publish(client, CompatibleRuntimes=["python3.12"], CompatibleArchitectures=["arm64"])
    publish(client, CompatibleRuntimes=["python3.11"])
    publish(client, "another")
    layers = client.get_paginator("list_layers").paginate(PaginationConfig={"PageSize": 1})
    found = [each for page in layers for each in page["Layers"]]
    assert [(each["LayerName"], each["LatestMatchingVersion"]["Version"]) for each in found] == [
        ("another", 1),
        ("tools", 2),
    ]
    assert found[1]["LayerArn"] == ARN
    assert "Content" not in found[1]["LatestMatchingVersion"]
    matching = client.list_layers(CompatibleRuntime="python3.12", CompatibleArchitecture="arm64")
    assert [each["LatestMatchingVersion"]["Version"] for each in matching["Layers"]] == [1]
    versions = client.get_paginator("list_layer_versions").paginate(
        LayerName="tools", PaginationConfig={"PageSize": 1}
    )
    numbers = [each["Version"] for page in versions for each in page["LayerVersions"]]
    assert numbers == [2, 1]
    assert client.list_layer_versions(LayerName="unknown")["LayerVersions"] == []


def test_a_deleted_version_is_gone_and_its_number_used(client):
    publish(client)
    assert status(client.delete_layer_version(LayerName="tools", VersionNumber=1)) == 204
    assert status(client.delete_layer_version(LayerName="tools", VersionNumber=1)) == 204
    assert refusal(client.get_layer_version, LayerName="tools", VersionNumber=1) == MISSING
    assert publish(client)["Version"] == 2


def test_a_policy_is_made_read_and_taken_back(client):
    publish(client)
    version = {"LayerName": "tools", "VersionNumber": 1}
    made = client.add_layer_version_permission(
        **version,
        StatementId="s1",
        Action="lambda:GetLayerVersion",
        Principal="*",
        OrganizationId="o-1234567890",
    )
    statement = {
        "Sid": "s1",
        "Effect": "Allow",
        "Principal": "*",
        "Action": "lambda:GetLayerVersion",
        "Resource": f"{ARN}:1",
        "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-1234567890"}},
    }
    assert status(made) == 201
    assert json.loads(made["Statement"]) == statement
    policy = client.get_layer_version_policy(**version)
    assert json.loads(policy["Policy"]) == {
        "Version": "2012-10-17",
        "Id": "default",
        "Statement": [statement],
    }
    assert policy["RevisionId"] == made["RevisionId"]
    gone = client.remove_layer_version_permission(
        **version, StatementId="s1", RevisionId=policy["RevisionId"]
    )
    assert status(gone) == 204
    assert refusal(client.get_layer_version_policy, **version) == (
        "ResourceNotFoundException",
        404,
        "No policy is associated with the given resource.",
    )


def test_a_function_shows_its_layers_and_keeps_a_deleted_one(client):
    first = publish(client, "one")["LayerVersionArn"]
    second = publish(client, "two")["LayerVersionArn"]
    expected = [{"Arn": arn, "CodeSize": len(ZIP)} for arn in (second, first)]
    assert create(client, second, first)["Layers"] == expected
    client.get_waiter("function_active_v2").wait(
        FunctionName="thumb", WaiterConfig={"Delay": 0.01, "MaxAttempts": 500}
    )
    client.delete_layer_version(LayerName="one", VersionNumber=1)
    assert client.get_function_configuration(FunctionName="thumb")["Layers"] == expected
    changed = client.update_function_configuration(FunctionName="thumb", Layers=[second])
    assert changed["Layers"] == expected[:1]
    client.get_waiter("function_updated_v2").wait(
        FunctionName="thumb", WaiterConfig={"Delay": 0.01, "MaxAttempts": 500}
    )
    assert "Layers" not in client.update_function_configuration(FunctionName="thumb", Layers=[])


def refused_layers(client, *arns):
    return refusal(lambda: create(client, *arns))


def test_layers_that_a_function_cannot_have_are_refused_as_recorded(client):
    first = publish(client)["LayerVersionArn"]
    second = publish(client)["LayerVersionArn"]
    six = [publish(client, f"l{number}")["LayerVersionArn"] for number in range(6)]
    elsewhere = ARN.replace("us-east-1", "eu-west-1") + ":1"
    code = "InvalidParameterValueException"
    for arns, message in (
        (
            (first, second),
            "Two different versions of the same layer are not allowed to be referenced in the "
            f"same function. {first} and {second} are versions of the same layer.",
        ),
        (
            (first, first),
            "Two different versions of the same layer are not allowed to be referenced in the "
            f"same function. {first} and {first} are versions of the same layer.",
        ),
        ((f"{ARN}:9",), f"Layer version {ARN}:9 does not exist."),
        (
            (f"{ARN[:-5]}doesnotexist:1",),
            f"Layer version {ARN[:-5]}doesnotexist:1 does not exist.",
        ),
        (
            (elsewhere,),
            "Layers are not in the same region as the function. Layers are expected to be in "
            "region us-east-1.",
        ),
        (six, "Cannot reference more than 5 layers."),
    ):
        assert refused_layers(client, *arns) == (code, 400, message)


def test_a_layer_without_a_version_is_refused_by_the_models_pattern(client):
    assert refused_layers(client, ARN) == (
        "ValidationException",
        400,
        f"1 validation error detected: Value '[{ARN}]' at 'layers' failed to satisfy constraint: "
        "Member must satisfy constraint: [Member must have length less than or equal to 2048, "
        "Member must have length greater than or equal to 1, Member must satisfy regular "
        rf"expression pattern: {VERSION_ARN}, Member must not be null]",
    )


def test_what_layers_refuse_is_said_as_recorded(client):
    publish(client)
    zero = ("InvalidParameterValueException", 400, "Layer Version Cannot be less than 1")
    for call in (client.get_layer_version, client.delete_layer_version):
        assert refusal(call, LayerName="tools", VersionNumber=0) == zero
    assert refusal(client.get_layer_version, LayerName="tools", VersionNumber=2) == MISSING
    assert refusal(client.get_layer_version_by_arn, Arn=f"{ARN}:2") == MISSING
    assert refusal(client.get_layer_version_by_arn, Arn=ARN) == (
        "ValidationException",
        400,
        f"1 validation error detected: Value '{ARN}' at 'arn' failed to satisfy constraint: Member "
        "must satisfy regular expression pattern: "
        f"{VERSION_ARN}",
    )
    assert refusal(client.list_layers, CompatibleArchitecture="archdoesnotexist") == (
        "ValidationException",
        400,
        "1 validation error detected: Value 'archdoesnotexist' at 'compatibleArchitecture' failed "
        "to satisfy constraint: Member must satisfy enum value set: [x86_64, arm64]",
    )
    assert refusal(client.list_layers, CompatibleRuntime="runtimedoesnotexist")[2].startswith(
        "1 validation error detected: Value 'runtimedoesnotexist' at 'compatibleRuntime' failed to "
        "satisfy constraint: Member must satisfy enum value set: ["
    )


@pytest.mark.parametrize(
    ("runtimes", "architectures"),
    [
        (["invalidruntime"], ["invalidarch"]),
        (["invalidruntime", "invalidruntime2", "nodejs20.x"], ["invalidarch", "x86_64"]),
    ],
)
def test_runtimes_and_architectures_that_nobody_knows_are_refused_as_recorded(
    client, runtimes, architectures
):
    message = refusal(
        lambda: publish(client, CompatibleRuntimes=runtimes, CompatibleArchitectures=architectures)
    )[2]
    first, second = message.split("; ")
    assert first.startswith(
        f"2 validation errors detected: Value '[{', '.join(runtimes)}]' at 'compatibleRuntimes' "
        "failed to satisfy constraint: Member must satisfy"
    )
    assert second.startswith(
        f"Value '[{', '.join(architectures)}]' at 'compatibleArchitectures' failed to satisfy "
        "constraint: Member must satisfy constraint: [Member must satisfy enum value set: "
        "[x86_64, ar"
    )


def test_what_policies_of_layers_refuse_is_said_as_recorded(client):
    publish(client)
    version = {"LayerName": "tools", "VersionNumber": 1}
    allow = {"StatementId": "s1", "Action": "lambda:GetLayerVersion", "Principal": "*"}
    add, get = client.add_layer_version_permission, client.get_layer_version_policy
    remove = client.remove_layer_version_permission
    assert refusal(add, **version, **(allow | {"Action": "*"})) == (
        "ValidationException",
        400,
        "1 validation error detected: Value '*' at 'action' failed to satisfy constraint: Member "
        "must satisfy regular expression pattern: lambda:GetLayerVersion",
    )
    add(**version, **allow)
    assert refusal(add, **version, **allow) == (
        "ResourceConflictException",
        409,
        "The statement id (s1) provided already exists. Please provide a new statement id, or "
        "remove the existing statement.",
    )
    stale = (
        "PreconditionFailedException",
        412,
        "The Revision Id provided does not match the latest Revision Id. Call the GetLayerPolicy "
        "API to retrieve the latest Revision Id",
    )
    other = allow | {"StatementId": "s2"}
    assert refusal(add, **version, **other, RevisionId="wrong") == stale
    assert refusal(remove, **version, StatementId="s1", RevisionId="wrong") == stale
    assert refusal(remove, **version, StatementId="doesnotexist") == (
        "ResourceNotFoundException",
        404,
        "Statement doesnotexist is not found in resource policy.",
    )
    for name, number in (("tools-doesnotexist", 1), ("tools", 2)):
        missing = (
            "ResourceNotFoundException",
            404,
            f"Layer version {ARN[:-5]}{name}:{number} does not exist.",
        )
        there = {"LayerName": name, "VersionNumber": number}
        assert refusal(get, **there) == missing
        assert refusal(add, **there, **allow) == missing
        assert refusal(remove, **there, StatementId="s1") == missing


def test_a_package_in_a_bucket_is_refused_as_recorded(client):
    content = {"S3Bucket": "nobucket", "S3Key": "layer.zip"}
    assert refusal(client.publish_layer_version, LayerName="tools", Content=content) == (
        "InvalidParameterValueException",
        400,
        "Error occurred while GetObject. S3 Error Code: NoSuchBucket. S3 Error Message: The "
        "specified bucket does not exist",
    )


def test_a_package_that_is_none_is_refused_as_recorded(client):
    assert refusal(lambda: publish(client, content=b"no zip")) == (
        "InvalidParameterValueException",
        400,
        "Could not unzip uploaded file. Please check your file, then try to upload again.",
    )
