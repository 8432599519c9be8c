"""Resource policies over boto3, in the words recorded from AWS."""

from __future__ import annotations

import json

import pytest

from tests.fakes.refusals import content, refusal

ARN = "arn:aws:lambda:us-east-1:000000000000:function:thumb"
BUCKET = "arn:aws:s3:::test-bucket"
S3 = {"StatementId": "s3", "Action": "lambda:InvokeFunction", "Principal": "s3.amazonaws.com"}
NOT_THERE = ("ResourceNotFoundException", 404, "The resource you requested does not exist.")
STALE = (
    "PreconditionFailedException",
    412,
    "The Revision Id provided does not match the latest Revision Id. Call the GetPolicy API to "
    "retrieve the latest Revision Id",
)


@pytest.fixture(autouse=True)
def function(aws):
    return aws.create_function("thumb", publish=True)


def add(client, **parameters):
    return client.add_permission(**{"FunctionName": "thumb", **S3, **parameters})


def policy(client, **parameters):
    return json.loads(client.get_policy(FunctionName="thumb", **parameters)["Policy"])


@pytest.mark.parametrize(
    ("parameters", "principal", "condition"),
    [
        ({"Principal": "*"}, "*", None),
        ({"Principal": "lambda.amazonaws.com"}, {"Service": "lambda.amazonaws.com"}, None),
        ({"Principal": "111111111111"}, {"AWS": "arn:aws:iam::111111111111:root"}, None),
        (
            {"Principal": "arn:aws:iam::111111111111:user/me"},
            {"AWS": "arn:aws:iam::111111111111:user/me"},
            None,
        ),
        (
            {"SourceArn": BUCKET},
            {"Service": "s3.amazonaws.com"},
            {"ArnLike": {"AWS:SourceArn": BUCKET}},
        ),
        (
            {"EventSourceToken": "amzn1.ask.skill.x", "Principal": "*"},
            "*",
            {"StringEquals": {"lambda:EventSourceToken": "amzn1.ask.skill.x"}},
        ),
        (
            {"InvokedViaFunctionUrl": True, "Principal": "*"},
            "*",
            {"Bool": {"lambda:InvokedViaFunctionUrl": "true"}},
        ),
        (
            {
                "Action": "lambda:InvokeFunctionUrl",
                "Principal": "*",
                "SourceArn": BUCKET,
                "SourceAccount": "000000000000",
                "PrincipalOrgID": "o-1234567890",
                "FunctionUrlAuthType": "NONE",
            },
            "*",
            {
                "StringEquals": {
                    "lambda:FunctionUrlAuthType": "NONE",
                    "aws:PrincipalOrgID": "o-1234567890",
                    "AWS:SourceAccount": "000000000000",
                },
                "ArnLike": {"AWS:SourceArn": BUCKET},
            },
        ),
    ],
)
def test_parameters_become_a_statement(client, parameters, principal, condition):
    answer = add(client, **parameters)
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 201
    statement = {
        "Sid": "s3",
        "Effect": "Allow",
        "Principal": principal,
        "Action": parameters.get("Action", "lambda:InvokeFunction"),
        "Resource": ARN,
    }
    if condition:
        statement["Condition"] = condition
    assert json.loads(answer["Statement"]) == statement
    assert policy(client) == {"Version": "2012-10-17", "Id": "default", "Statement": [statement]}


def test_each_version_and_alias_has_a_policy_of_its_own(client):
    client.create_alias(FunctionName="thumb", Name="live", FunctionVersion="1")
    add(client)
    assert refusal(client.get_policy, FunctionName="thumb", Qualifier="1") == NOT_THERE
    add(client, FunctionName="thumb:1", Qualifier="1")
    add(client, FunctionName="thumb:live")
    resources = [
        policy(client, **qualified)["Statement"][0]["Resource"]
        for qualified in ({}, {"Qualifier": "1"}, {"Qualifier": "live"})
    ]
    assert resources == [ARN, f"{ARN}:1", f"{ARN}:live"]
    client.delete_alias(FunctionName="thumb", Name="live")
    assert refusal(client.get_policy, FunctionName="thumb", Qualifier="live") == NOT_THERE


def test_a_policy_has_the_revision_id_of_what_it_belongs_to(aws, client):
    before = aws.registry.get("thumb", "").version.lambda_revision_id
    add(client, RevisionId=before)
    after = client.get_policy(FunctionName="thumb")["RevisionId"]
    assert before != after == aws.registry.get("thumb", "").version.lambda_revision_id
    assert refusal(add, client=client, StatementId="s4", RevisionId=before) == STALE
    remove = {"FunctionName": "thumb", "StatementId": "s3"}
    assert refusal(client.remove_permission, **remove, RevisionId=before) == STALE
    client.remove_permission(**remove, RevisionId=after)
    assert after != aws.registry.get("thumb", "").version.lambda_revision_id

    alias = client.create_alias(FunctionName="thumb", Name="live", FunctionVersion="1")
    add(client, Qualifier="live", RevisionId=alias["RevisionId"])
    changed = client.get_alias(FunctionName="thumb", Name="live")["RevisionId"]
    assert client.get_policy(FunctionName="thumb", Qualifier="live")["RevisionId"] == changed
    assert changed != alias["RevisionId"]


def test_a_permission_keeps_the_functions_sandboxes(aws, client):
    before = aws.registry.resolve("thumb", "", 0.0).revision
    add(client)
    assert aws.registry.resolve("thumb", "", 0.0).revision == before


def test_permissions_go_one_by_one_and_then_the_policy_is_gone(client):
    add(client)
    add(client, StatementId="sqs", Principal="sqs.amazonaws.com")
    assert [each["Sid"] for each in policy(client)["Statement"]] == ["s3", "sqs"]
    gone = client.remove_permission(FunctionName="thumb", StatementId="sqs")
    assert gone["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert [each["Sid"] for each in policy(client)["Statement"]] == ["s3"]
    client.remove_permission(FunctionName="thumb", StatementId="s3")
    assert refusal(client.get_policy, FunctionName="thumb") == NOT_THERE


def test_refusals_of_a_permission_are_lambdas(client):
    def added(**parameters):
        return refusal(add, client=client, **parameters)

    invalid, missing = "InvalidParameterValueException", "ResourceNotFoundException"
    assert added(FunctionName="thumb:$LATEST") == (
        invalid,
        400,
        "We currently do not support adding policies for $LATEST.",
    )
    assert added(FunctionName="thumb:live", Qualifier="42") == (
        invalid,
        400,
        "The derived qualifier from the function name does not match the specified qualifier.",
    )
    assert added(Principal="invalid.nonaws.com") == (
        invalid,
        400,
        "The provided principal was invalid. Please check the principal and try again.",
    )
    assert added(FunctionUrlAuthType="NONE") == (
        invalid,
        400,
        "FunctionUrlAuthType is only supported for lambda:InvokeFunctionUrl action",
    )
    nope = ARN.replace("thumb", "nope")
    assert added(FunctionName="nope") == (missing, 404, f"Function not found: {nope}")
    assert added(Qualifier="live") == (missing, 404, f"Cannot find alias arn: {ARN}:live")
    assert added(Qualifier="42") == (missing, 404, f"Function not found: {ARN}:42")
    odd = "valid-with-$-but-doesnotexist"
    assert added(Qualifier=odd) == (missing, 404, f"Function not found: {ARN}:{odd}")
    assert added(StatementId="example.com") == (
        "ValidationException",
        400,
        "1 validation error detected: Value 'example.com' at 'statementId' failed to satisfy "
        "constraint: Member must satisfy regular expression pattern: ([a-zA-Z0-9-_]+)",
    )
    add(client)
    assert added() == (
        "ResourceConflictException",
        409,
        "The statement id (s3) provided already exists. Please provide a new statement id, or "
        "remove the existing statement.",
    )


def test_refusals_of_a_removal_and_of_a_look_are_lambdas(client):
    missing, nope = "ResourceNotFoundException", ARN.replace("thumb", "nope")
    remove = client.remove_permission
    assert refusal(remove, FunctionName="nope", StatementId="s3") == (
        missing,
        404,
        f"No policy found for: {nope}",
    )
    assert refusal(remove, FunctionName="thumb", StatementId="s3") == (
        missing,
        404,
        "No policy is associated with the given resource.",
    )
    assert refusal(remove, FunctionName="thumb", StatementId="s3", Qualifier="live") == (
        missing,
        404,
        f"Cannot find alias arn: {ARN}:live",
    )
    add(client)
    assert refusal(remove, FunctionName="thumb", StatementId="doesnotexist") == (
        missing,
        404,
        "Statement doesnotexist is not found in resource policy.",
    )
    assert refusal(client.get_policy, FunctionName="nope") == (
        missing,
        404,
        f"Function not found: {nope}",
    )
    assert refusal(client.get_policy, FunctionName="thumb", Qualifier="77") == NOT_THERE


def test_a_policy_ends_at_20_kilobytes(client):
    last = ("", 0, "")
    for number in range(100):
        try:
            add(client, StatementId=f"s{number}", SourceArn=BUCKET + "x" * 1000)
        except client.exceptions.PolicyLengthExceededException:
            last = refusal(
                add, client=client, StatementId=f"s{number}", SourceArn=BUCKET + "x" * 1000
            )
            break
    code, status, message = last
    assert (code, status) == ("PolicyLengthExceededException", 400)
    assert message.endswith("is bigger than the limit (20480).")
    assert len(client.get_policy(FunctionName="thumb")["Policy"]) <= 20_480


WHOLE = {
    "Version": "2012-10-17",
    "Statement": {
        "Effect": "Allow",
        "Principal": {"AWS": "111111111111"},
        "Action": "lambda:*",
        "Resource": ARN,
    },
}


def test_a_whole_policy_replaces_what_was_there(client):
    add(client)
    put = client.put_resource_policy(ResourceArn=ARN, Policy=json.dumps(WHOLE))
    assert json.loads(put["Policy"]) == WHOLE
    assert content(client.get_resource_policy(ResourceArn=ARN)) == content(put)
    add(client)
    assert [each.get("Sid") for each in policy(client)["Statement"]] == [None, "s3"]
    other = "00000000-0000-0000-0000-000000000000"
    delete = client.delete_resource_policy
    assert refusal(delete, ResourceArn=ARN, RevisionId=other) == STALE
    delete(ResourceArn=ARN)
    assert refusal(client.get_resource_policy, ResourceArn=ARN) == NOT_THERE
    assert refusal(delete, ResourceArn=ARN) == NOT_THERE


@pytest.mark.parametrize(
    "document",
    [
        "no json",
        "[" * 5000,
        "[]",
        "{}",
        '{"Statement": []}',
        '{"Statement": [1]}',
        '{"Statement": [{"Effect": "Perhaps", "Principal": "*", "Action": "*"}]}',
        '{"Statement": [{"Effect": "Allow", "Action": "*"}]}',
        '{"Statement": [{"Effect": "Allow", "Principal": "*"}]}',
    ],
)
def test_what_is_no_policy_is_refused(client, document):
    code, status, message = refusal(client.put_resource_policy, ResourceArn=ARN, Policy=document)
    assert (code, status) == ("InvalidParameterValueException", 400)
    assert message.startswith("The provided policy document is invalid: ")
