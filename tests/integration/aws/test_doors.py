"""The real doors on the real port: who is let in, and what policies let them do."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.parse
import urllib.request
from typing import Any

import botocore.credentials
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.exceptions import ClientError

from controlplane.model.credentials import Credentials
from tests.fakes.aws_system import ACCOUNT_ID, ROLE, ROOT_KEY, AwsSystem

FUNCTION_ARN = f"arn:aws:lambda:us-east-1:{ACCOUNT_ID}:function:hello"


def allow(*actions: str, resource: str = "*", **statement: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": list(actions), "Resource": resource, **statement}


def deny(*actions: str, resource: str = "*") -> dict[str, Any]:
    return {"Effect": "Deny", "Action": list(actions), "Resource": resource}


def policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def user(system: AwsSystem, *statements: dict[str, Any]) -> Any:
    """A Lambda client of a user that may do what the statements say."""
    made = system.identity.keys.create(user_name="ci", policy=policy(*statements))
    return system.client(credentials=system.run(made))


def refusal(call: Any, **arguments: Any) -> tuple[int, str, str]:
    with pytest.raises(ClientError) as refused:
        call(**arguments)
    answer = refused.value.response
    status = answer["ResponseMetadata"]["HTTPStatusCode"]
    return status, answer["Error"]["Code"], answer["Error"]["Message"]


def test_the_root_key_may_do_everything(guarded: AwsSystem) -> None:
    guarded.create_function("hello")
    client = guarded.client()
    assert [each["FunctionName"] for each in client.list_functions()["Functions"]] == ["hello"]
    assert client.invoke(FunctionName="hello", Payload=b"1")["Payload"].read() == b"1"


def test_nobody_comes_in_without_a_signature(guarded: AwsSystem) -> None:
    request = urllib.request.Request(f"{guarded.endpoint}/2015-03-31/functions")
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request, timeout=10)
    assert refused.value.code == 403
    assert refused.value.headers["x-amzn-ErrorType"] == "MissingAuthenticationTokenException"
    assert json.loads(refused.value.read())["message"] == "Missing Authentication Token"
    refused.value.close()


def test_a_wrong_secret_is_told_from_an_unknown_key_in_awss_words_and_no_more(
    guarded: AwsSystem,
) -> None:
    wrong = Credentials(access_key_id=ROOT_KEY.access_key_id, secret_access_key="wrong")
    assert refusal(guarded.client(credentials=wrong).list_functions) == (
        403,
        "InvalidSignatureException",
        "The request signature we calculated does not match the signature you provided. Check "
        "your AWS Secret Access Key and signing method. Consult the service documentation for "
        "details.",
    )
    unknown = Credentials(access_key_id="AKIA" + "B" * 16, secret_access_key="wrong")
    assert refusal(guarded.client(credentials=unknown).list_functions) == (
        403,
        "UnrecognizedClientException",
        "The security token included in the request is invalid.",
    )


def test_a_deleted_key_opens_nothing_any_more(guarded: AwsSystem) -> None:
    key = guarded.run(guarded.identity.keys.create())
    client = guarded.client(credentials=key)
    assert client.list_functions()["Functions"] == []
    guarded.run(guarded.identity.keys.delete(key.access_key_id))
    assert refusal(client.list_functions)[1] == "UnrecognizedClientException"


def test_a_user_may_do_what_its_policy_says(guarded: AwsSystem) -> None:
    guarded.create_function("hello")
    guarded.create_function("other")
    client = user(guarded, allow("lambda:InvokeFunction", resource=FUNCTION_ARN))
    assert client.invoke(FunctionName="hello")["StatusCode"] == 200
    assert refusal(client.invoke, FunctionName="other") == (
        403,
        "AccessDeniedException",
        f"User: arn:aws:iam::{ACCOUNT_ID}:user/ci is not authorized to perform: "
        f"lambda:InvokeFunction on resource: {FUNCTION_ARN.replace('hello', 'other')} because no "
        "identity-based policy allows the lambda:InvokeFunction action",
    )
    assert "lambda:ListFunctions on resource: *" in refusal(client.list_functions)[2]


def test_an_explicit_deny_wins(guarded: AwsSystem) -> None:
    guarded.create_function("hello")
    client = user(guarded, allow("lambda:*"), deny("lambda:InvokeFunction"))
    assert client.get_function(FunctionName="hello")["Configuration"]["FunctionName"] == "hello"
    assert refusal(client.invoke, FunctionName="hello")[2].endswith(
        "with an explicit deny in an identity-based policy"
    )


def test_a_functions_own_policy_lets_a_role_in(guarded: AwsSystem) -> None:
    guarded.create_function("hello")
    session = guarded.identity.sessions.issue(ROLE, "other", time.time(), 900)
    client = guarded.client(credentials=session)
    assert refusal(client.invoke, FunctionName="hello")[1] == "AccessDeniedException"
    guarded.client().add_permission(
        FunctionName="hello", StatementId="1", Action="lambda:InvokeFunction", Principal=ROLE
    )
    assert client.invoke(FunctionName="hello")["StatusCode"] == 200
    assert refusal(client.get_function, FunctionName="hello")[1] == "AccessDeniedException"


def test_a_permission_of_an_alias_covers_calls_by_that_alias_alone(guarded: AwsSystem) -> None:
    guarded.create_function("hello", publish=True)
    root = guarded.client()
    root.create_alias(FunctionName="hello", Name="live", FunctionVersion="1")
    root.add_permission(
        FunctionName="hello",
        Qualifier="live",
        StatementId="1",
        Action="lambda:InvokeFunction",
        Principal=ROLE,
    )
    session = guarded.identity.sessions.issue(ROLE, "other", time.time(), 900)
    client = guarded.client(credentials=session)
    assert client.invoke(FunctionName="hello:live")["StatusCode"] == 200
    assert client.invoke(FunctionName="hello", Qualifier="live")["StatusCode"] == 200
    assert refusal(client.invoke, FunctionName="hello")[1] == "AccessDeniedException"
    assert refusal(client.invoke, FunctionName="hello:1")[1] == "AccessDeniedException"


def test_a_session_acts_as_its_role_as_the_role_is_now(guarded: AwsSystem) -> None:
    guarded.create_function("hello")
    roles = guarded.identity.roles
    guarded.run(roles.create("worker", TRUST, tags={}))
    arn = roles.get("worker").arn
    client = guarded.client(
        credentials=guarded.identity.sessions.issue(arn, "hello", time.time(), 900)
    )
    status, _, message = refusal(client.invoke, FunctionName="hello")
    assert status == 403
    assert message.startswith(f"User: arn:aws:sts::{ACCOUNT_ID}:assumed-role/worker/hello is not")
    guarded.run(roles.put_inline("worker", "may", policy(allow("lambda:InvokeFunction"))))
    assert client.invoke(FunctionName="hello")["StatusCode"] == 200
    guarded.run(roles.delete_inline("worker", "may"))
    assert refusal(client.invoke, FunctionName="hello")[0] == 403


def test_an_expired_session_is_told_so(guarded: AwsSystem) -> None:
    session = guarded.identity.sessions.issue(ROLE, "hello", time.time() - 900, 600)
    assert refusal(guarded.client(credentials=session).list_functions)[1:] == (
        "ExpiredTokenException",
        "The security token included in the request is expired",
    )


def test_whoever_gives_a_function_a_role_must_be_allowed_to_pass_it(guarded: AwsSystem) -> None:
    guarded.create_function("hello")
    client = user(guarded, allow("lambda:*"))
    refused = refusal(client.update_function_configuration, FunctionName="hello", Role=ROLE)
    assert f"perform: iam:PassRole on resource: {ROLE}" in refused[2]
    able = user(
        guarded,
        allow("lambda:*"),
        allow(
            "iam:PassRole",
            resource=ROLE,
            Condition={"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}},
        ),
    )
    able.update_function_configuration(FunctionName="hello", Role=ROLE)


def test_a_condition_of_a_policy_sees_what_the_request_says(guarded: AwsSystem) -> None:
    guarded.create_function("hello")
    only_signed = {"StringEquals": {"lambda:FunctionUrlAuthType": "AWS_IAM"}}
    client = user(guarded, allow("lambda:CreateFunctionUrlConfig", Condition=only_signed))
    refused = refusal(client.create_function_url_config, FunctionName="hello", AuthType="NONE")
    assert refused[1] == "AccessDeniedException"
    client.create_function_url_config(FunctionName="hello", AuthType="AWS_IAM")


def test_a_presigned_request_is_let_in(guarded: AwsSystem) -> None:
    guarded.create_function("hello")
    url = guarded.client().generate_presigned_url("get_function", {"FunctionName": "hello"})
    with urllib.request.urlopen(url, timeout=10) as answer:
        assert json.load(answer)["Configuration"]["FunctionName"] == "hello"


TRUST = policy(
    {
        "Effect": "Allow",
        "Action": "sts:AssumeRole",
        "Principal": {"Service": "lambda.amazonaws.com"},
    }
)


def url_answer(
    system: AwsSystem, made: dict[str, Any], headers: dict[str, str] | None = None
) -> int:
    """The status that a function URL answers with; its host name leads to the test's port."""
    host = urllib.parse.urlsplit(made["FunctionUrl"]).netloc
    request = urllib.request.Request(
        system.endpoint + "/", headers={"Host": host, **(headers or {})}
    )
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        error.close()
        return error.code


def test_a_url_for_everybody_still_asks_the_functions_policy(guarded: AwsSystem) -> None:
    guarded.create_function("hello")
    root = guarded.client()
    made = root.create_function_url_config(FunctionName="hello", AuthType="NONE")
    assert url_answer(guarded, made) == 403
    root.add_permission(
        FunctionName="hello",
        StatementId="1",
        Action="lambda:InvokeFunctionUrl",
        Principal="*",
        FunctionUrlAuthType="NONE",
    )
    assert url_answer(guarded, made) == 200


def test_a_url_with_iam_wants_a_signature_made_for_it(guarded: AwsSystem) -> None:
    guarded.create_function("hello")
    made = guarded.client().create_function_url_config(FunctionName="hello", AuthType="AWS_IAM")
    assert url_answer(guarded, made) == 403
    request = AWSRequest(method="GET", url=made["FunctionUrl"])
    SigV4Auth(
        botocore.credentials.Credentials(ROOT_KEY.access_key_id, ROOT_KEY.secret_access_key),
        "lambda",
        "us-east-1",
    ).add_auth(request)
    assert url_answer(guarded, made, dict(request.headers)) == 200
