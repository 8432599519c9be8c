"""Functions call emberd back from inside their sandboxes, as the role that they run with."""

from __future__ import annotations

import json
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.system import Emberd, eventually

WITHIN_S = 5.0
ROLE = "arn:aws:iam::000000000000:role/caller-role"
FUNCTION = "arn:aws:lambda:us-east-1:000000000000:function"
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
INVOKE_ECHO = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": f"{FUNCTION}:echo"},
        {"Effect": "Allow", "Action": ["logs:*"], "Resource": "*"},
    ],
}


@pytest.fixture(scope="module")
def caller(emberd: Emberd, functions: Path) -> str:
    with closing(emberd.client("iam")) as iam:
        iam.create_role(RoleName="caller-role", AssumeRolePolicyDocument=json.dumps(TRUST))
        iam.put_role_policy(
            RoleName="caller-role", PolicyName="echo", PolicyDocument=json.dumps(INVOKE_ECHO)
        )
    emberd.deploy(functions / "echo", "echo", timeout=30)
    emberd.deploy(functions / "echo", "secret", timeout=30)
    emberd.deploy(functions / "caller", "caller", timeout=60, memory=512, role=ROLE)
    return "caller"


def call(emberd: Emberd, service: str, operation: str, **parameters: object) -> Any:
    """What AWS's SDK gets inside the function."""
    event = {"do": "call", "service": service, "operation": operation, "parameters": parameters}
    return emberd.answer("caller", event)


def test_a_function_reaches_emberds_own_api(emberd: Emberd, caller: str) -> None:
    answer = emberd.answer(caller, {"do": "get", "path": "/health"})
    assert answer == {"status": 200, "body": {"status": "ok", "hosts": 1}}


def test_a_function_invokes_another_that_its_role_allows(emberd: Emberd, caller: str) -> None:
    answer = call(emberd, "lambda", "invoke", FunctionName="echo", Payload='{"from": "inside"}')
    assert answer["StatusCode"] == 200
    assert answer["Payload"] == {"from": "inside"}


def test_a_function_is_denied_what_its_role_does_not_allow(emberd: Emberd, caller: str) -> None:
    answer = call(emberd, "lambda", "invoke", FunctionName="secret")
    assert answer == {
        "Code": "AccessDeniedException",
        "Message": (
            "User: arn:aws:sts::000000000000:assumed-role/caller-role/caller is not authorized to "
            f"perform: lambda:InvokeFunction on resource: {FUNCTION}:secret because no "
            "identity-based policy allows the lambda:InvokeFunction action"
        ),
    }


def test_a_function_whose_role_nobody_made_may_invoke_nobody(
    emberd: Emberd, functions: Path, caller: str
) -> None:
    emberd.deploy(functions / "caller", "stranger", timeout=60, memory=512)
    event = {
        "do": "call",
        "service": "lambda",
        "operation": "invoke",
        "parameters": {"FunctionName": "echo"},
    }
    answer = emberd.answer("stranger", event)
    assert isinstance(answer, dict)
    assert answer["Code"] == "AccessDeniedException"


def test_a_function_is_its_role_in_a_session_of_its_own_name(emberd: Emberd, caller: str) -> None:
    answer = call(emberd, "sts", "get_caller_identity")
    assert answer["Arn"] == "arn:aws:sts::000000000000:assumed-role/caller-role/caller"
    assert answer["Account"] == "000000000000"


def test_a_function_finds_its_own_log(emberd: Emberd, caller: str) -> None:
    emberd.answer(caller, {"do": "who"})
    page = call(emberd, "logs", "describe_log_groups", logGroupNamePrefix="/aws/lambda/caller")
    assert [each["logGroupName"] for each in page["logGroups"]] == ["/aws/lambda/caller"]


def test_a_log_is_read_with_awss_tools(emberd: Emberd, caller: str) -> None:
    emberd.answer("echo", {"marked": "line"})

    def lines() -> list[str]:
        found = logs.filter_log_events(logGroupName="/aws/lambda/echo", filterPattern="REPORT")
        return [each["message"] for each in found["events"]]

    with closing(emberd.client("logs")) as logs:
        eventually(lines, WITHIN_S)
        assert all("Billed Duration" in line for line in lines())


def test_another_role_makes_another_sandbox(emberd: Emberd, caller: str) -> None:
    before = emberd.answer(caller, {"do": "who"})
    assert emberd.answer(caller, {"do": "who"}) == before
    emberd.deploy(
        Path(__file__).parents[1] / "functions" / "e2e" / "caller",
        "caller",
        timeout=60,
        memory=512,
        role=f"{ROLE}-2",
    )
    assert emberd.answer(caller, {"do": "who"}) != before
    assert "no identity-based policy" in call(emberd, "lambda", "list_functions")["Message"]


def test_credentials_are_in_no_log_and_no_command_line(emberd: Emberd, caller: str) -> None:
    assert str(emberd.answer(caller, {"do": "who"})).startswith("ASIA")
    key_id = str(emberd.answer(caller, {"do": "who"}))
    assert key_id not in emberd.log()
    assert not any(key_id in each.command for each in emberd.tree())


def test_a_flood_from_one_sandbox_keeps_nobody_else_from_calling(
    emberd: Emberd, functions: Path, caller: str, client: Any
) -> None:
    emberd.deploy(functions / "caller", "flooder", timeout=30)
    told = emberd.answer("flooder", {"do": "flood", "connections": 1_000})
    assert isinstance(told, int)
    assert told > 0
    begun = time.monotonic()
    answer = emberd.answer(caller, {"do": "get", "path": "/health"})
    assert answer == {"status": 200, "body": {"status": "ok", "hosts": 1}}
    large = json.dumps("x" * 1_000_000)
    outside = client.invoke(FunctionName="echo", Payload=large)
    assert outside["Payload"].read().decode() == large
    assert time.monotonic() - begun < WITHIN_S
