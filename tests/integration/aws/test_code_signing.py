"""Code-signing configurations over boto3, in the words recorded from AWS."""

from __future__ import annotations

import re

import pytest

from controlplane.registry.settings.code_signing_index import load_code_signing
from controlplane.storage.sqlite import SqliteRecords
from tests.fakes.archives import package
from tests.fakes.aws_system import ROLE
from tests.fakes.refusals import content, refusal

PLACE = "arn:aws:lambda:us-east-1:000000000000"
ARN = f"{PLACE}:function:thumb"
PROFILE = "arn:aws:signer:us-east-1:000000000000:/signing-profiles/test"
PUBLISHERS = {"SigningProfileVersionArns": [PROFILE]}
CODE = package(b"other = 1\n")
NO_CONFIG = f"{PLACE}:code-signing-config:csc-{'0' * 17}"


@pytest.fixture(autouse=True)
def function(aws):
    return aws.create_function("thumb", publish=True)


def create(client, policy="Enforce"):
    made = client.create_code_signing_config(
        Description="for tests",
        AllowedPublishers=PUBLISHERS,
        CodeSigningPolicies={"UntrustedArtifactOnDeployment": policy},
    )
    return made["CodeSigningConfig"]


def test_a_configuration_is_made_changed_and_deleted(client):
    made = create(client)
    assert re.fullmatch(r"csc-[a-z0-9]{17}", made["CodeSigningConfigId"])
    assert made == {
        "CodeSigningConfigId": made["CodeSigningConfigId"],
        "CodeSigningConfigArn": f"{PLACE}:code-signing-config:{made['CodeSigningConfigId']}",
        "Description": "for tests",
        "AllowedPublishers": PUBLISHERS,
        "CodeSigningPolicies": {"UntrustedArtifactOnDeployment": "Enforce"},
        "LastModified": made["LastModified"],
    }
    arn = made["CodeSigningConfigArn"]
    same = client.update_code_signing_config(CodeSigningConfigArn=arn)["CodeSigningConfig"]
    assert same == made
    warn = client.update_code_signing_config(
        CodeSigningConfigArn=arn, CodeSigningPolicies={"UntrustedArtifactOnDeployment": "Warn"}
    )["CodeSigningConfig"]
    assert warn["CodeSigningPolicies"] == {"UntrustedArtifactOnDeployment": "Warn"}
    assert warn["Description"] == "for tests"
    assert client.get_code_signing_config(CodeSigningConfigArn=arn)["CodeSigningConfig"] == warn
    assert client.list_code_signing_configs()["CodeSigningConfigs"] == [warn]
    gone = client.delete_code_signing_config(CodeSigningConfigArn=arn)
    assert gone["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert client.list_code_signing_configs()["CodeSigningConfigs"] == []


def test_without_a_policy_it_warns(client):
    made = client.create_code_signing_config(AllowedPublishers=PUBLISHERS)["CodeSigningConfig"]
    assert made["CodeSigningPolicies"] == {"UntrustedArtifactOnDeployment": "Warn"}


def test_a_function_has_a_configuration_until_it_is_taken_away(client):
    arn = create(client, "Warn")["CodeSigningConfigArn"]

    def users():
        return client.list_functions_by_code_signing_config(CodeSigningConfigArn=arn)[
            "FunctionArns"
        ]

    assert users() == []
    assert content(client.get_function_code_signing_config(FunctionName="thumb")) == {}
    put = client.put_function_code_signing_config(CodeSigningConfigArn=arn, FunctionName="thumb")
    assert content(put) == {"CodeSigningConfigArn": arn, "FunctionName": "thumb"}
    assert content(client.get_function_code_signing_config(FunctionName=ARN)) == content(put)
    assert users() == [ARN]
    code, status, message = refusal(client.delete_code_signing_config, CodeSigningConfigArn=arn)
    assert (code, status) == ("ResourceConflictException", 409)
    assert message.startswith(f"The code signing configuration {arn} is in use by the functions [")
    for _ in range(2):
        gone = client.delete_function_code_signing_config(FunctionName="thumb")
        assert gone["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert users() == []
    client.delete_code_signing_config(CodeSigningConfigArn=arn)


def test_what_is_not_there_is_refused_in_lambdas_words(client):
    no_config = (
        "ResourceNotFoundException",
        404,
        f"The Lambda code signing configuration {NO_CONFIG} can not be found.",
    )
    for call in (
        client.get_code_signing_config,
        client.update_code_signing_config,
        client.delete_code_signing_config,
        client.list_functions_by_code_signing_config,
    ):
        assert refusal(call, CodeSigningConfigArn=NO_CONFIG) == no_config
    put = client.put_function_code_signing_config
    for name in ("thumb", "nope"):
        assert refusal(put, CodeSigningConfigArn=NO_CONFIG, FunctionName=name) == (
            "CodeSigningConfigNotFoundException",
            404,
            "The code signing configuration cannot be found. Check that the provided "
            f"configuration is not deleted: {NO_CONFIG}.",
        )
    no_function = (
        "ResourceNotFoundException",
        404,
        f"Function not found: {PLACE}:function:nope",
    )
    arn = create(client)["CodeSigningConfigArn"]
    assert refusal(put, CodeSigningConfigArn=arn, FunctionName="nope") == no_function
    for call in (
        client.get_function_code_signing_config,
        client.delete_function_code_signing_config,
    ):
        assert refusal(call, FunctionName="nope") == no_function


def test_configurations_survive_a_restart(aws, client):
    arn = create(client)["CodeSigningConfigArn"]
    client.tag_resource(Resource=arn, Tags={"a": "b"})
    before = aws.registry.settings.code_signing.get(arn)

    async def reopened():
        records = await SqliteRecords.open(aws.folder / "registry.db")
        try:
            return (await load_code_signing(records)).get(arn)[0]
        finally:
            await records.close()

    assert aws.run(reopened()) == before


def test_enforce_lets_no_unsigned_package_pass(client):
    arn = create(client)["CodeSigningConfigArn"]
    told = (
        "CodeVerificationFailedException",
        400,
        "The code signature failed one or more of the validation checks for signature mismatch "
        "or expiry, and the code signing policy is set to ENFORCE. Lambda blocks the deployment.",
    )
    client.put_function_code_signing_config(CodeSigningConfigArn=arn, FunctionName="thumb")
    client.get_waiter("function_updated_v2").wait(FunctionName="thumb")
    assert refusal(client.update_function_code, FunctionName="thumb", ZipFile=CODE) == told
    assert refusal(make_function, client=client, CodeSigningConfigArn=arn) == told
    client.update_code_signing_config(
        CodeSigningConfigArn=arn, CodeSigningPolicies={"UntrustedArtifactOnDeployment": "Warn"}
    )
    client.update_function_code(FunctionName="thumb", ZipFile=CODE)
    make_function(client, CodeSigningConfigArn=arn)
    users = client.list_functions_by_code_signing_config(CodeSigningConfigArn=arn)
    assert users["FunctionArns"] == [f"{PLACE}:function:new", ARN]


def test_a_function_is_not_made_with_a_configuration_that_is_none(client):
    code, status, _ = refusal(make_function, client=client, CodeSigningConfigArn=NO_CONFIG)
    assert (code, status) == ("CodeSigningConfigNotFoundException", 404)


def make_function(client, **parameters):
    return client.create_function(
        FunctionName="new",
        Role=ROLE,
        Runtime="python3.12",
        Handler="app.handler",
        Code={"ZipFile": CODE},
        **parameters,
    )
