"""Keys as an operator makes them, and what --no-auth opens, on the whole system."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.e2e.system import Emberd

POLICY = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "lambda:GetFunction*", "Resource": "*"}],
}


def client(emberd: Emberd, key: dict[str, str]) -> Any:
    return boto3.client(
        "lambda",
        endpoint_url=emberd.environment["AWS_ENDPOINT_URL"],
        region_name=emberd.environment["AWS_REGION"],
        aws_access_key_id=key["AccessKeyId"],
        aws_secret_access_key=key["SecretAccessKey"],
    )


def code(call: Any, **arguments: Any) -> str:
    with pytest.raises(ClientError) as refused:
        call(**arguments)
    return str(refused.value.response["Error"]["Code"])


def made(emberd: Emberd, *options: str | Path) -> dict[str, str]:
    shown = json.loads(emberd.ok("keys", "create", "--output", "json", *options))
    key: dict[str, str] = shown["AccessKey"]
    return key


def test_a_users_key_may_what_its_policy_says_until_it_is_deleted(
    emberd: Emberd, functions: Path, tmp_path: Path
) -> None:
    emberd.deploy(functions / "echo", "echo", timeout=30)
    policy = tmp_path / "policy.json"
    policy.write_text(json.dumps(POLICY))
    key = made(emberd, "--user", "ci", "--policy", policy)
    user = client(emberd, key)
    assert user.get_function(FunctionName="echo")["Configuration"]["FunctionName"] == "echo"
    assert code(user.invoke, FunctionName="echo") == "AccessDeniedException"
    listed = emberd.ok("keys", "list", "--output", "json")
    assert key["AccessKeyId"].encode() in listed
    assert key["SecretAccessKey"].encode() not in listed
    emberd.ok("keys", "delete", key["AccessKeyId"])
    assert code(user.get_function, FunctionName="echo") == "UnrecognizedClientException"


def test_keys_survive_a_restart_and_no_log_has_their_secrets(folder: Path) -> None:
    emberd = Emberd(folder, "--no-host")
    try:
        emberd.begin_and_listen()
        key = made(emberd)
        assert client(emberd, key).list_functions()["Functions"] == []
        said = emberd.log()
        assert emberd.stop() == 0
        emberd.begin_and_listen()
        assert client(emberd, key).list_functions()["Functions"] == []
        said += emberd.log()
        assert key["SecretAccessKey"] not in said
        assert emberd.environment["AWS_SECRET_ACCESS_KEY"] not in said
    finally:
        emberd.close()


def test_no_auth_lets_this_machine_in_and_no_browser(folder: Path) -> None:
    emberd = Emberd(folder, "--no-host", "--no-auth")
    try:
        emberd.begin_and_listen()
        assert "WARNING: --no-auth" in emberd.log()
        url = emberd.environment["AWS_ENDPOINT_URL"] + "/2015-03-31/functions"
        with urllib.request.urlopen(url, timeout=10) as answer:
            assert json.load(answer)["Functions"] == []
        page = urllib.request.Request(url, headers={"Origin": "http://evil.example"})
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(page, timeout=10)
        assert refused.value.code == 403
        refused.value.close()
    finally:
        emberd.close()
