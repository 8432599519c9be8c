"""The variables a function sees."""

from __future__ import annotations

from dataclasses import replace

import botocore.session
import pytest

from sandbox.environment import log_stream, use_before_s, variables
from sandbox.work import Credentials, Revision

KNOWN = ("lambda", "sqs", "logs", "sts")
CREDENTIALS = Credentials(
    access_key_id="ASIA1",
    secret_access_key="the secret",
    session_token="the token",
    expires_s=10_000,
)


def make_revision(**environment: str) -> Revision:
    return Revision(
        revision_id="rev-1",
        function_name="hello",
        version="$LATEST",
        function_arn="arn:aws:lambda:us-east-1:000000000000:function:hello",
        runtime_id="python3.11",
        handler="app.handler",
        artifact_id="0" * 64,
        artifact_size_bytes=1,
        memory_size_mb=128,
        ephemeral_storage_mb=512,
        timeout_s=3,
        environment=environment,
        region="us-east-1",
        account_id="000000000000",
    )


def test_a_function_sees_lambdas_variables_and_its_own():
    seen = variables(make_revision(GREETING="hi"), "stream")
    assert seen["GREETING"] == "hi"
    assert seen["AWS_LAMBDA_FUNCTION_NAME"] == "hello"
    assert seen["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"] == "128"
    assert seen["AWS_LAMBDA_RUNTIME_API"] == "169.254.100.1:9001"
    assert seen["_HANDLER"] == "app.handler"


def test_nothing_of_the_users_replaces_a_reserved_variable():
    assert variables(make_revision(_HANDLER="evil"), "stream")["_HANDLER"] == "app.handler"


def test_aws_sdks_find_emberds_own_services_and_no_others():
    seen = variables(make_revision(), "stream")
    found = {name: value for name, value in seen.items() if name.startswith("AWS_ENDPOINT_URL")}
    assert set(found.values()) == {"http://169.254.100.1:9002"}
    services = {botocore.session.get_session().get_service_model(each) for each in KNOWN}
    names = {each.service_id.hyphenize().replace("-", "_").upper() for each in services}
    assert set(found) == {f"AWS_ENDPOINT_URL_{each}" for each in names}


def test_the_users_own_endpoint_wins_over_a_preset_one():
    seen = variables(make_revision(AWS_ENDPOINT_URL_SQS="http://elsewhere"), "stream")
    assert seen["AWS_ENDPOINT_URL_SQS"] == "http://elsewhere"


def test_a_function_signs_with_its_credentials_whatever_its_own_variables_say():
    revision = make_revision(AWS_ACCESS_KEY_ID="mine", AWS_SESSION_TOKEN="mine")
    seen = variables(revision, "stream", CREDENTIALS)
    signing = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
    assert [seen[name] for name in signing] == ["ASIA1", "the secret", "the token"]


def test_a_function_without_credentials_has_no_empty_ones():
    assert not [name for name in variables(make_revision(), "stream") if "ACCESS_KEY" in name]


def test_a_sandbox_is_used_until_a_quarter_of_an_hour_before_its_credentials_could_end():
    assert use_before_s(CREDENTIALS, timeout_s=100) == 10_000 - 100 - 900


def test_secrets_are_in_no_repr():
    told = repr(CREDENTIALS) + repr(make_revision(PASSWORD="hunter2"))
    assert not any(each in told for each in ("the secret", "the token", "hunter2"))


@pytest.mark.parametrize(
    ("log_format", "level", "expected"),
    [
        ("Text", "", {}),
        ("JSON", "", {"AWS_LAMBDA_LOG_FORMAT": "JSON"}),
        ("JSON", "DEBUG", {"AWS_LAMBDA_LOG_FORMAT": "JSON", "AWS_LAMBDA_LOG_LEVEL": "DEBUG"}),
    ],
)
def test_the_runtimes_logger_is_told_format_and_level_of_a_json_log_only(
    log_format: str, level: str, expected: dict[str, str]
):
    revision = replace(make_revision(), log_format=log_format, log_level=level)
    names = ("AWS_LAMBDA_LOG_FORMAT", "AWS_LAMBDA_LOG_LEVEL")
    seen = variables(revision, "stream")
    assert {name: seen[name] for name in names if name in seen} == expected


def test_a_log_group_of_the_users_choice_is_told_to_the_function():
    assert variables(make_revision(), "s")["AWS_LAMBDA_LOG_GROUP_NAME"] == "/aws/lambda/hello"
    chosen = replace(make_revision(), log_group="/mine")
    assert variables(chosen, "s")["AWS_LAMBDA_LOG_GROUP_NAME"] == "/mine"


def test_a_log_stream_is_named_as_lambda_names_it():
    assert log_stream(make_revision(), "2026/11/24", "ab" * 16) == (
        "2026/11/24/[$LATEST]" + "ab" * 16
    )
