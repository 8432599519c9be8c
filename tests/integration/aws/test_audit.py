"""Every call over HTTP is told to the audit log, also one that is refused."""

from __future__ import annotations

import json
import urllib.error
import urllib.request

import pytest
from botocore.exceptions import ClientError

from tests.fakes.aws_system import ACCOUNT_ID, ROOT_KEY, AwsSystem


def test_who_changed_what_is_known(guarded: AwsSystem) -> None:
    guarded.create_function("hello")
    answer = guarded.client().put_function_concurrency(
        FunctionName="hello", ReservedConcurrentExecutions=3
    )
    event = guarded.audited[-1]
    assert (event.service, event.operation) == ("lambda", "PutFunctionConcurrency")
    assert (event.resource, event.error) == ("hello", "")
    assert event.principal_arn == f"arn:aws:iam::{ACCOUNT_ID}:root"
    assert event.access_key_id == ROOT_KEY.access_key_id
    assert event.request_id == answer["ResponseMetadata"]["RequestId"]
    assert event.source == "127.0.0.1"


def test_what_a_policy_forbids_is_told_with_who_tried(guarded: AwsSystem) -> None:
    guarded.create_function("hello")
    reading = {"Effect": "Allow", "Action": "lambda:ListFunctions", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [reading]})
    made = guarded.identity.keys.create(user_name="ci", policy=policy)
    client = guarded.client(credentials=guarded.run(made))
    with pytest.raises(ClientError):
        client.invoke(FunctionName="hello")
    event = guarded.audited[-1]
    assert (event.operation, event.error) == ("Invoke", "ACCESS_DENIED")
    assert event.principal_arn.endswith(":user/ci")


def test_a_caller_without_a_signature_is_told_of_as_nobody(guarded: AwsSystem) -> None:
    request = urllib.request.Request(f"{guarded.endpoint}/2015-03-31/functions")
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request, timeout=10)
    refused.value.close()
    event = guarded.audited[-1]
    assert (event.operation, event.principal_arn) == ("", "")
    assert event.error == "MISSING_AUTHENTICATION_TOKEN"
