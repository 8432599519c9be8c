"""What holds for our Python runtime and for AWS's own, on every Python of this host."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path

import pytest

from sandbox.runtimeapi import (
    PAYLOAD_LIMIT_BYTES,
    OversizedResponse,
    Response,
)
from tests.integration.python_runtime.process import (
    BOTH,
    ONE_OF_EACH,
    Function,
    Start,
)


@BOTH
async def test_an_event_is_answered_and_globals_stay_warm(start: Start, kind: str):
    function = await start(kind, "counter.handler")
    assert await function.initialised() is None
    first = await function.invoke()
    await function.settled()
    second = await function.invoke()
    assert (first["calls"], second["calls"]) == (1, 2)
    assert first["pid"] == second["pid"]


@BOTH
async def test_six_megabytes_go_in_and_come_out(start: Start, kind: str):
    function = await start(kind, "echo.handler")
    text = "é" * (3 * 1024 * 1024 - 20)
    assert await function.invoke({"text": text}) == {"text": text}


@BOTH
async def test_an_answer_over_the_limit_is_reported_as_such(start: Start, kind: str):
    function = await start(kind, "sized.handler")
    assert await function.send(b'{"characters": 6291555}') == OversizedResponse(
        limit_bytes=PAYLOAD_LIMIT_BYTES
    )


@BOTH
async def test_the_context_tells_all_about_the_invocation(start: Start, kind: str):
    function = await start(kind, "describe.handler")
    told = await function.invoke(
        trace_header="Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1",
        client_context='{"custom": {"a": "é"}, "env": {"locale": "de"}, '
        '"client": {"app_title": "Shop"}}',
        cognito_identity='{"cognitoIdentityId": "id-1", "cognitoIdentityPoolId": "pool-1"}',
        tenant_id="blue",
    )
    assert 50_000 < told.pop("remaining_ms") <= 60_000
    assert told.pop("repr").startswith("LambdaContext([aws_request_id=req-1,log_group_name=")
    assert told == {
        "aws_request_id": "req-1",
        "log_group_name": "/aws/lambda/shop",
        "log_stream_name": "2026/01/01/[$LATEST]abc",
        "function_name": "shop",
        "memory_limit_in_mb": "128",
        "function_version": "$LATEST",
        "invoked_function_arn": "arn:aws:lambda:us-east-1:000000000000:function:shop",
        "tenant_id": "blue",
        "identity_id": "id-1",
        "identity_pool_id": "pool-1",
        "client": {"custom": {"a": "é"}, "env": {"locale": "de"}, "app_title": "Shop"},
        "trace_id": "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1",
    }


@BOTH
async def test_what_came_with_one_event_is_gone_with_the_next(start: Start, kind: str):
    function = await start(kind, "describe.handler")
    await function.invoke(trace_header="Root=1-2", client_context="{}", tenant_id="blue")
    await function.settled()
    told = await function.invoke()
    names = ("trace_id", "client", "tenant_id", "identity_id")
    assert {name: told[name] for name in names} == dict.fromkeys(names)


@BOTH
async def test_a_client_context_that_is_no_json_fails_the_event(start: Start, kind: str):
    function = await start(kind, "echo.handler")
    error = await function.fail(client_context="{oops")
    assert error["errorType"] == "Runtime.LambdaContextUnmarshalError"
    assert error["errorMessage"].startswith("Unable to parse Client Context JSON: ")


@BOTH
async def test_a_raised_exception_is_lambdas_payload_to_the_letter(start: Start, kind: str):
    function = await start(kind, "failing.raises")
    answer = await function.send(b'{"item": "lamp \\u00e9"}')
    file = function_file(function, "failing.py")
    assert answer.payload.decode() == (
        '{"errorMessage": "lamp é", "errorType": "OutOfStock", "requestId": "req-1", '
        f'"stackTrace": ["  File \\"{file}\\", line 11, in raises\\n'
        '    raise OutOfStock(event[\\"item\\"])\\n"]}'
    )
    await function.settled()
    assert function.output() == (
        "[ERROR] OutOfStock: lamp é\rTraceback (most recent call last):\r"
        f'\u00a0\u00a0File "{file}", line 11, in raises\r'
        '\u00a0\u00a0\u00a0\u00a0raise OutOfStock(event["item"])\n'
    )


def function_file(function: Function, name: str) -> Path:
    return function._log.parent / "task" / name


@BOTH
async def test_a_deep_trace_has_a_frame_for_every_call(start: Start, kind: str):
    function = await start(kind, "failing.raises_deep")
    error = await function.fail()
    assert [re.search(r"in (\w+)", entry)[1] for entry in error["stackTrace"]] == [
        "raises_deep",
        *["_deeper"] * 4,
    ]


@BOTH
async def test_the_sandbox_goes_on_after_a_failed_event(start: Start, kind: str):
    function = await start(kind, "failing.raises")
    for number in (1, 2):
        error = await function.fail({"item": "x"})
        assert error["requestId"] == f"req-{number}"
        await function.settled()


@BOTH
async def test_a_result_that_is_no_json_is_a_marshal_error(start: Start, kind: str):
    function = await start(kind, "failing.returns_a_set")
    assert await function.fail() == {
        "errorMessage": "Unable to marshal response: Object of type set is not JSON serializable",
        "errorType": "Runtime.MarshalError",
        "requestId": "req-1",
        "stackTrace": [],
    }


@BOTH
async def test_an_event_that_is_no_json_is_an_unmarshal_error(start: Start, kind: str):
    function = await start(kind, "echo.handler")
    answer = await function.send(b"{nope")
    error = json.loads(answer.payload)
    assert (error["errorType"], error["stackTrace"]) == ("Runtime.UnmarshalError", [])
    assert error["errorMessage"].startswith("Unable to unmarshal input: ")


@ONE_OF_EACH
@pytest.mark.parametrize(("status", "expected"), [(None, 0), (0, 0), (7, 7), ("why", 1)])
async def test_leaving_in_the_handler_ends_the_process(
    start: Start, kind: str, status: object, expected: int
):
    function = await start(kind, "failing.leaves")
    await function.initialised()
    function.deliver(json.dumps({"status": status}).encode())
    assert await function.exit_status() == expected


@BOTH
async def test_leaving_at_import_ends_the_process_without_an_init_error(start: Start, kind: str):
    function = await start(kind, "quits.handler", {"quits.py": "import sys; sys.exit(3)"})
    assert await function.exit_status() == 3
    posted = asyncio.ensure_future(function.api.initialised())
    await asyncio.wait({posted}, timeout=0.02)
    assert not posted.done()
    posted.cancel()


INIT_FAILURES = [
    ("handler", {}, "Runtime.MalformedHandlerName", "Bad handler 'handler': not enough values to "),
    ("sys.exit", {}, "Runtime.BuiltInModuleConflict", "Cannot use built-in module sys as a "),
    ("gone.handler", {}, "Runtime.ImportModuleError", "Unable to import module 'gone': No module "),
    (
        "dir/gone.handler",
        {},
        "Runtime.ImportModuleError",
        "Unable to import module 'dir/gone': No module named 'dir'",
    ),
    ("echo.gone", {}, "Runtime.HandlerNotFound", "Handler 'gone' missing on module 'echo'"),
    (
        "broken.handler",
        {"broken.py": "def handler(:\n"},
        "Runtime.UserCodeSyntaxError",
        "Syntax error in module 'broken': invalid syntax (broken.py, line 1)",
    ),
]


@BOTH
@pytest.mark.parametrize(("handler", "files", "error_type", "message"), INIT_FAILURES)
async def test_a_function_that_cannot_be_loaded_posts_lambdas_init_error(
    start: Start, kind: str, handler: str, files: dict[str, str], error_type: str, message: str
):
    function = await start(kind, handler, files)
    posted = await function.initialised()
    assert posted.error_type == error_type
    error = json.loads(posted.payload)
    assert list(error) == ["errorMessage", "errorType", "requestId", "stackTrace"]
    assert (error["errorType"], error["requestId"]) == (error_type, "")
    assert error["errorMessage"].startswith(message)
    assert bool(error["stackTrace"]) == (error_type == "Runtime.UserCodeSyntaxError")
    assert await function.exit_status() == 1
    assert "LAMBDA_WARNING: Unhandled exception. " in function.output()
    assert f"[ERROR] {error_type}: {message}" in function.output()


@BOTH
async def test_an_exception_at_import_has_the_imports_frames_and_no_request_id(
    start: Start, kind: str
):
    function = await start(kind, "bad.handler", {"bad.py": "raise RuntimeError('no luck')"})
    posted = await function.initialised()
    error = json.loads(posted.payload)
    assert (error["errorMessage"], error["errorType"]) == ("no luck", "RuntimeError")
    assert error["requestId"] == ""
    assert posted.error_type == "Runtime.Unknown"
    frames = [
        re.search(r'File "(.*?)".* in (.*?)\n', entry).groups() for entry in error["stackTrace"]
    ]
    assert frames[0][0].endswith("/importlib/__init__.py")
    assert frames[0][1] == "import_module"
    assert frames[1][0] == "<frozen importlib._bootstrap>"
    assert frames[-1] == (str(function_file(function, "bad.py")), "<module>")


@BOTH
async def test_a_handler_in_a_folder_may_be_written_with_slashes(start: Start, kind: str):
    files = {"shop/orders.py": "def place(event, context): return __name__"}
    function = await start(kind, "shop/orders.place", files)
    assert await function.invoke() == "shop.orders"


@BOTH
async def test_what_is_printed_keeps_its_order_and_leaves_before_the_answer(
    start: Start, kind: str
):
    function = await start(kind, "talking.prints")
    await function.invoke()
    await function.settled()
    assert function.output() == "one\ntwo\nthree and four\nno line end"


@BOTH
async def test_log_records_are_lines_with_level_time_and_request(start: Start, kind: str):
    function = await start(kind, "talking.logs")
    await function.invoke()
    await function.settled()
    warning, error, *_trace = function.output().split("\n")
    assert re.fullmatch(
        r"\[WARNING\]\t\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\treq-1\ta warning", warning
    )
    assert error.startswith("[ERROR]\t")
    assert error.endswith("\treq-1\tit went wrong")
    assert "KeyError: 'gone'" in function.output()


@ONE_OF_EACH
@pytest.mark.parametrize(
    ("level", "levels"),
    [
        ("TRACE", ["DEBUG", "INFO", "WARNING", "ERROR"]),
        ("DEBUG", ["DEBUG", "INFO", "WARNING", "ERROR"]),
        ("INFO", ["INFO", "WARNING", "ERROR"]),
        ("WARN", ["WARNING", "ERROR"]),
        ("ERROR", ["ERROR"]),
        ("FATAL", []),
    ],
)
async def test_the_level_decides_which_json_records_are_written(
    start: Start, kind: str, level: str, levels: list[str]
):
    environment = {"AWS_LAMBDA_LOG_FORMAT": "JSON", "AWS_LAMBDA_LOG_LEVEL": level}
    function = await start(kind, "talking.logs", environment=environment)
    await function.invoke()
    await function.settled()
    records = [json.loads(line) for line in function.output().splitlines()]
    assert [record["level"] for record in records] == levels


@BOTH
async def test_a_json_record_has_lambdas_fields(start: Start, kind: str):
    environment = {"AWS_LAMBDA_LOG_FORMAT": "JSON", "AWS_LAMBDA_LOG_LEVEL": "INFO"}
    function = await start(kind, "talking.logs", environment=environment)
    await function.invoke(tenant_id="blue")
    await function.settled()
    info, warning, error = (json.loads(line) for line in function.output().splitlines())
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", info.pop("timestamp"))
    assert info == {
        "level": "INFO",
        "message": "an info line for Ada",
        "logger": "shop",
        "requestId": "req-1",
        "tenantId": "blue",
    }
    assert warning["order"] == 7
    file = function_file(function, "talking.py")
    assert (error["errorType"], error["errorMessage"]) == ("KeyError", "'gone'")
    assert error["location"] == f"{file}:logs:23"
    assert error["stackTrace"] == [
        f'  File "{file}", line 21, in logs\n    raise KeyError("gone")\n'
    ]


@BOTH
async def test_an_unhandled_error_is_one_json_record_in_a_json_log(start: Start, kind: str):
    environment = {"AWS_LAMBDA_LOG_FORMAT": "JSON", "AWS_LAMBDA_LOG_LEVEL": "INFO"}
    function = await start(kind, "failing.raises", environment=environment)
    payload = await function.fail({"item": "lamp"})
    await function.settled()
    record = json.loads(function.output())
    assert record.pop("timestamp").endswith("Z")
    assert record == {"level": "ERROR", **payload}


@BOTH
@pytest.mark.parametrize(
    ("environment", "expected"),
    [("AWS_Lambda_python3.12", '"é"'), ("AWS_Lambda_python3.11", '"\\u00e9"')],
)
async def test_the_runtime_decides_how_non_ascii_is_written(
    start: Start, kind: str, environment: str, expected: str
):
    function = await start(kind, "echo.handler", environment={"AWS_EXECUTION_ENV": environment})
    answer = await function.send('"é"'.encode())
    assert (answer.payload.decode(), answer.content_type) == (expected, "application/json")


@BOTH
async def test_a_result_of_bytes_leaves_raw(start: Start, kind: str):
    files = {"raw.py": "def handler(event, context): return bytes([0, 255])"}
    function = await start(kind, "raw.handler", files)
    assert await function.send(b"{}") == Response(
        payload=b"\x00\xff", content_type="application/unknown"
    )
