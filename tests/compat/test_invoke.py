"""boto3: Invoke and its kin against real sandboxes."""

from __future__ import annotations

import base64
import json
import re
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.compat.contract import UUID
from tests.compat.functions import Workshop
from tests.compat.test_functions import arn_of
from tests.compat.watching import Watch, refusal

CONTEXT = """
def handler(event, context):
    print("seen in the log")
    client = context.client_context
    return {
        "request_id": context.aws_request_id,
        "arn": context.invoked_function_arn,
        "version": context.function_version,
        "custom": client.custom if client else None,
    }
"""

FAILING = """
import sys, time
class OutOfStock(Exception):
    pass
def handler(event, context):
    if event == "exit":
        sys.exit(1)
    if event == "hang":
        time.sleep(60)
    if event == "large":
        return "x" * (7 << 20)
    raise OutOfStock("no more umbrellas")
"""

STREAMING = """
def handler(event, context):
    for number in range(event["chunks"]):
        yield f"chunk {number};"
    if event.get("fail"):
        raise RuntimeError("in the middle")
"""


@pytest.mark.shows("Invoke", "RequestResponse: payload, executed version, request id, log tail")
def test_an_invocation_answers_with_payload_version_and_log(
    workshop: Workshop, watch: Watch, name: str
) -> None:
    workshop.active(name, CONTEXT)
    context = base64.b64encode(b'{"custom": {"key": "value"}}').decode()
    answer = workshop.client.invoke(
        FunctionName=name, Payload=b"{}", LogType="Tail", ClientContext=context
    )
    request_id = answer["ResponseMetadata"]["RequestId"]
    assert UUID.fullmatch(request_id)
    assert (answer["StatusCode"], answer["ExecutedVersion"]) == (200, "$LATEST")
    assert "FunctionError" not in answer
    assert json.loads(answer["Payload"].read()) == {
        "request_id": request_id,
        "arn": arn_of(name),
        "version": "$LATEST",
        "custom": {"key": "value"},
    }
    log = base64.b64decode(answer["LogResult"]).decode()
    assert log.startswith(f"START RequestId: {request_id} Version: $LATEST\n")
    assert "seen in the log\n" in log
    assert re.search(rf"REPORT RequestId: {request_id}\tDuration: [\d.]+ ms\tBilled", log)
    assert watch.headers["Content-Type"] == "application/json"


@pytest.mark.shows("Invoke", "DryRun answers 204 and runs nothing")
def test_a_dry_run_answers_204(workshop: Workshop, name: str) -> None:
    workshop.active(name, FAILING)
    answer = workshop.client.invoke(FunctionName=name, InvocationType="DryRun")
    assert answer["StatusCode"] == 204
    assert answer["Payload"].read() == b""
    assert refusal(workshop.client.invoke, FunctionName=f"{name}-not", InvocationType="DryRun") == (
        "ResourceNotFoundException",
        404,
        f"Function not found: {arn_of(name)}-not",
    )


@pytest.mark.shows("Invoke", "an empty payload arrives as {}, a missing answer as null")
def test_no_payload_is_an_empty_object(workshop: Workshop, name: str) -> None:
    workshop.active(name, "def handler(event, context):\n    return event or None\n")
    echo = workshop.client.invoke(FunctionName=name)
    assert echo["Payload"].read() == b"null"
    again = workshop.client.invoke(FunctionName=name, Payload=b'{"a": [1, 2.5, "\\u00e9"]}')
    assert json.loads(again["Payload"].read()) == {"a": [1, 2.5, "é"]}


@pytest.mark.shows("Invoke", "a failing handler: 200, FunctionError Unhandled, Lambda's payload")
def test_an_exception_is_an_answer(workshop: Workshop, name: str) -> None:
    workshop.active(name, FAILING)
    answer = workshop.client.invoke(FunctionName=name, Payload=b'"raise"')
    assert (answer["StatusCode"], answer["FunctionError"]) == (200, "Unhandled")
    payload = json.loads(answer["Payload"].read())
    assert payload["errorMessage"] == "no more umbrellas"
    assert payload["errorType"] == "OutOfStock"
    assert payload["requestId"] == answer["ResponseMetadata"]["RequestId"]
    assert 'File "/var/task/app.py", line 12, in handler' in payload["stackTrace"][0]


@pytest.mark.shows("Invoke", "exit and time-out in Lambda's words")
def test_exit_and_time_out_are_answers_too(workshop: Workshop, name: str) -> None:
    workshop.active(name, FAILING, Timeout=1)
    left = workshop.client.invoke(FunctionName=name, Payload=b'"exit"')
    request_id = left["ResponseMetadata"]["RequestId"]
    assert json.loads(left["Payload"].read()) == {
        "errorType": "Runtime.ExitError",
        "errorMessage": f"RequestId: {request_id} Error: Runtime exited with error: exit status 1",
    }
    late = workshop.client.invoke(FunctionName=name, Payload=b'"hang"')
    request_id = late["ResponseMetadata"]["RequestId"]
    said = json.loads(late["Payload"].read())
    assert late["FunctionError"] == "Unhandled"
    assert said["errorType"] == "Sandbox.Timedout"
    assert (
        said["errorMessage"] == f"RequestId: {request_id} Error: Task timed out after 1.00 seconds"
    )


@pytest.mark.shows("Invoke", "a version, an alias, $LATEST by name, ARN or Qualifier")
def test_a_qualifier_chooses_what_runs(workshop: Workshop, name: str) -> None:
    client = workshop.client
    workshop.active(name, CONTEXT, Publish=True)
    client.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    for target, executed in (
        ({"FunctionName": name, "Qualifier": "1"}, "1"),
        ({"FunctionName": f"{name}:live"}, "1"),
        ({"FunctionName": f"{arn_of(name)}:live", "Qualifier": "live"}, "1"),
        ({"FunctionName": f"000000000000:function:{name}"}, "$LATEST"),
    ):
        assert client.invoke(**target)["ExecutedVersion"] == executed
    said = json.loads(client.invoke(FunctionName=name, Qualifier="live")["Payload"].read())
    assert said["arn"] == f"{arn_of(name)}:live"
    assert refusal(client.invoke, FunctionName=f"{name}:1", Qualifier="live") == (
        "InvalidParameterValueException",
        400,
        "The derived qualifier from the function name does not match the specified qualifier.",
    )


@pytest.mark.shows("Invoke", "6 MB at most, in both directions")
def test_six_megabytes_travel_and_more_does_not(workshop: Workshop, name: str) -> None:
    workshop.active(name)
    event = b'"' + b"x" * (6291456 - 2) + b'"'
    assert workshop.client.invoke(FunctionName=name, Payload=event)["Payload"].read() == event
    kind, status, message = refusal(
        workshop.client.invoke, FunctionName=name, Payload=event[:-1] + b'x"'
    )
    assert (kind, status) == ("RequestTooLargeException", 413)
    assert "6291456 bytes" in message


@pytest.mark.shows("Invoke", "an answer over 6 MB is Function.ResponseSizeTooLarge")
def test_an_answer_that_is_too_large_is_an_error(workshop: Workshop, name: str) -> None:
    workshop.active(name, FAILING, Timeout=20, MemorySize=512)
    answer = workshop.client.invoke(FunctionName=name, Payload=b'"large"')
    assert answer["FunctionError"] == "Unhandled"
    said = json.loads(answer["Payload"].read())
    assert said["errorType"] == "Function.ResponseSizeTooLarge"
    assert "exceeded maximum allowed payload size (6291556 bytes)" in said["errorMessage"]


@pytest.mark.shows("Invoke", "many at once")
def test_invocations_at_once_are_all_answered(workshop: Workshop, name: str) -> None:
    workshop.active(name)
    with ThreadPoolExecutor(8) as pool:
        calls = [
            pool.submit(workshop.client.invoke, FunctionName=name, Payload=str(number).encode())
            for number in range(40)
        ]
        answers = [call.result()["Payload"].read() for call in calls]
    assert answers == [str(number).encode() for number in range(40)]


@pytest.mark.shows("Invoke", "reserved concurrency 0 throttles with its reason")
def test_a_reservation_of_nothing_throttles_everything(
    workshop: Workshop, watch: Watch, name: str
) -> None:
    client = workshop.client
    workshop.active(name)
    client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    throttled = refusal(client.invoke, FunctionName=name)
    assert throttled == ("TooManyRequestsException", 429, "Rate Exceeded.")
    assert watch.body is not None
    assert json.loads(watch.body) == {
        "Reason": "ReservedFunctionConcurrentInvocationLimitExceeded",
        "Type": "User",
        "message": "Rate Exceeded.",
    }
    assert watch.headers["Retry-After"].isdigit()
    client.delete_function_concurrency(FunctionName=name)
    assert client.invoke(FunctionName=name)["StatusCode"] == 200


@pytest.mark.shows("Invoke", "InvokeWithResponseStream: chunks, then InvokeComplete")
def test_a_generator_streams_its_answer(workshop: Workshop, name: str) -> None:
    workshop.active(name, STREAMING)
    answer = workshop.client.invoke_with_response_stream(
        FunctionName=name, Payload=b'{"chunks": 3}', LogType="Tail"
    )
    assert answer["StatusCode"] == 200
    assert answer["ExecutedVersion"] == "$LATEST"
    events = list(answer["EventStream"])
    chunks = [each["PayloadChunk"]["Payload"] for each in events[:-1]]
    assert b"".join(chunks) == b"chunk 0;chunk 1;chunk 2;"
    complete = events[-1]["InvokeComplete"]
    assert "ErrorCode" not in complete
    assert "REPORT RequestId" in base64.b64decode(complete["LogResult"]).decode()


@pytest.mark.shows("Invoke", "InvokeWithResponseStream: a failure in the middle of a stream")
def test_a_failure_in_the_middle_comes_with_the_end(workshop: Workshop, name: str) -> None:
    workshop.active(name, STREAMING)
    answer = workshop.client.invoke_with_response_stream(
        FunctionName=name, Payload=b'{"chunks": 2, "fail": true}'
    )
    events = list(answer["EventStream"])
    sent = b"".join(each["PayloadChunk"]["Payload"] for each in events[:-1])
    assert sent == b"chunk 0;chunk 1;"
    complete = events[-1]["InvokeComplete"]
    assert complete["ErrorCode"]
    assert "in the middle" in complete["ErrorDetails"]


@pytest.mark.shows("Invoke", "InvokeWithResponseStream of a handler that does not stream")
def test_a_buffered_answer_is_streamed_as_it_is(workshop: Workshop, name: str) -> None:
    workshop.active(name)
    answer = workshop.client.invoke_with_response_stream(FunctionName=name, Payload=b'{"a":1}')
    events = list(answer["EventStream"])
    sent = b"".join(each["PayloadChunk"]["Payload"] for each in events[:-1])
    assert json.loads(sent) == {"a": 1}
    assert "InvokeComplete" in events[-1]


@pytest.mark.shows(
    "Invoke", "InvocationType Event, InvokeAsync", absent="asynchronous invocation is to come"
)
def test_an_asynchronous_invocation_is_refused_clearly(workshop: Workshop, name: str) -> None:
    workshop.active(name)
    kind, status, message = refusal(
        workshop.client.invoke, FunctionName=name, InvocationType="Event", Payload=b"{}"
    )
    assert (kind, status) == ("NotImplementedException", 501)
    assert "is not built yet" in message
    kind, status, message = refusal(
        workshop.client.invoke_async, FunctionName=name, InvokeArgs=b"{}"
    )
    assert (kind, status) == ("NotImplementedException", 501)
    assert "is not built yet" in message


@pytest.mark.shows("Invoke", "payloads that are no JSON are refused in Lambda's words")
@pytest.mark.parametrize(
    ("payload", "said"),
    [
        (
            b"\x99",
            "Unexpected character ((CTRL-CHAR, code 153)): expected a valid value (JSON String, "
            "Number, Array, Object or token 'null', 'true' or 'false')\n at [Source: REDACTED "
            "(`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); line: 1, column: 1]",
        ),
        (
            b'"\x87"',
            "Invalid UTF-8 start byte 0x87\n at [Source: REDACTED "
            "(`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); line: 1, column: 3]",
        ),
    ],
    ids=["no value", "no UTF-8"],
)
def test_a_payload_that_is_no_json_is_refused(
    workshop: Workshop, name: str, payload: bytes, said: str
) -> None:
    workshop.active(name)
    prefix = "Could not parse request body into json: Could not parse payload into json: "
    assert refusal(workshop.client.invoke, FunctionName=name, Payload=payload) == (
        "InvalidRequestContentException",
        400,
        prefix + said,
    )
