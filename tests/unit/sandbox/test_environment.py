"""The variables a function sees."""

from __future__ import annotations

from sandbox.environment import log_stream, variables
from sandbox.work import Revision


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


def test_a_log_stream_is_named_as_lambda_names_it():
    assert log_stream(make_revision(), "2026/11/24", "ab" * 16) == (
        "2026/11/24/[$LATEST]" + "ab" * 16
    )
