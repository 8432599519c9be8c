"""Invoke and InvokeWithResponseStream over boto3."""

from __future__ import annotations

import asyncio
import base64
import json
import queue
import time

import pytest
from botocore.exceptions import ClientError

from controlplane.dispatch.ports import Placement
from controlplane.scheduler import RefusalReason
from emberd.wire.pipe import BytePipe
from tests.fakes.aws_system import AwsSystem, attempt_result


@pytest.fixture
def function(aws: AwsSystem):
    """A function with one version."""
    return aws.create_function("echo", publish=True)


def refusal(call, **arguments) -> tuple[int, str, str]:
    with pytest.raises(ClientError) as refused:
        call(**arguments)
    response = refused.value.response
    error = response["Error"]
    return response["ResponseMetadata"]["HTTPStatusCode"], error["Code"], error["Message"]


def test_an_answer_comes_back_with_the_version_that_ran(client, function):
    answer = client.invoke(FunctionName="echo", Payload=b'{"a": 1}')
    assert (answer["StatusCode"], answer["ExecutedVersion"]) == (200, "$LATEST")
    assert answer["Payload"].read() == b'{"a": 1}'
    assert "FunctionError" not in answer
    assert "LogResult" not in answer
    assert client.invoke(FunctionName="echo", Qualifier="1")["ExecutedVersion"] == "1"


def test_the_request_id_of_the_answer_is_the_invocations_own(aws, client, function):
    answer = client.invoke(FunctionName="echo")
    headers = answer["ResponseMetadata"]["HTTPHeaders"]
    assert headers["x-amzn-requestid"] == aws.host.seen[0].request.request_id
    assert aws.host.seen[0].request.payload == b""


def test_a_function_that_fails_is_a_200_that_says_unhandled(aws, client, function):
    aws.host.answer = lambda _: attempt_result(
        b'{"errorType":"E"}', function_error="Unhandled", log_tail=b"x" * 5000
    )
    answer = client.invoke(FunctionName="echo", LogType="Tail")
    assert (answer["StatusCode"], answer["FunctionError"]) == (200, "Unhandled")
    assert answer["Payload"].read() == b'{"errorType":"E"}'
    assert base64.b64decode(answer["LogResult"]) == b"x" * 4096


def test_a_dry_run_runs_nothing_and_still_finds_what_is_missing(aws, client, function):
    answer = client.invoke(FunctionName="echo", InvocationType="DryRun")
    assert (answer["StatusCode"], answer["Payload"].read()) == (204, b"")
    assert aws.host.seen == []
    status, code, _ = refusal(client.invoke, FunctionName="nope", InvocationType="DryRun")
    assert (status, code) == (404, "ResourceNotFoundException")


def test_an_event_invocation_says_that_it_is_not_built(aws, client, function):
    status, code, message = refusal(client.invoke, FunctionName="echo", InvocationType="Event")
    assert (status, code) == (501, "NotImplementedException")
    assert message.startswith("asynchronous invocation (InvocationType Event) is not built yet")
    assert aws.host.seen == []


def test_an_unknown_function_is_named_with_its_arn(client):
    arn = "arn:aws:lambda:us-east-1:000000000000:function:nope"
    assert refusal(client.invoke, FunctionName="nope") == (
        404,
        "ResourceNotFoundException",
        f"Function not found: {arn}",
    )
    _, _, message = refusal(client.invoke, FunctionName="nope", Qualifier="$LATEST")
    assert message == f"Function not found: {arn}:$LATEST"


@pytest.mark.parametrize(
    ("payload", "message"),
    [
        (b'"\x87"', "Invalid UTF-8 start byte 0x87\n at [Source: REDACTED"),
        (b"\x99", "Unexpected character ((CTRL-CHAR, code 153)): expected a valid value"),
    ],
)
def test_an_event_that_is_no_json_is_refused_in_recorded_words(client, function, payload, message):
    status, code, told = refusal(client.invoke, FunctionName="echo", Payload=payload)
    assert (status, code) == (400, "InvalidRequestContentException")
    start = "Could not parse request body into json: Could not parse payload into json: "
    assert told.startswith(start + message)


def test_an_event_over_six_megabytes_is_too_large(client, function):
    status, code, message = refusal(client.invoke, FunctionName="echo", Payload=b"1" * 6291457)
    assert (status, code) == (413, "RequestTooLargeException")
    assert message == "Request must be smaller than 6291456 bytes for the InvokeFunction operation"


def encoded(context: object) -> str:
    return base64.b64encode(json.dumps(context).encode()).decode()


def test_a_client_context_reaches_the_function_as_json(aws, client, function):
    client.invoke(FunctionName="echo", ClientContext=encoded({"custom": {"a": "b"}}))
    assert json.loads(aws.host.seen[0].request.client_context) == {"custom": {"a": "b"}}


@pytest.mark.parametrize(
    "context", ["no base64!", encoded([1]), base64.b64encode(b"{").decode(), encoded("x")]
)
def test_a_client_context_that_is_no_object_is_refused(client, function, context):
    assert refusal(client.invoke, FunctionName="echo", ClientContext=context) == (
        400,
        "InvalidRequestContentException",
        "Client context must be a valid Base64-encoded JSON object.",
    )


def test_a_client_context_over_3583_bytes_is_refused(client, function):
    status, code, message = refusal(
        client.invoke, FunctionName="echo", ClientContext=encoded({"a": "x" * 2700})
    )
    assert (status, code) == (400, "InvalidRequestContentException")
    assert "3583 bytes" in message


def test_a_throttled_caller_gets_the_reason_and_when_to_come_back(aws, client, function):
    def refuse(placement: Placement) -> None:
        aws.call(
            aws.dispatcher.attempt_refused,
            aws.host,
            placement.request.request_id,
            RefusalReason.MEMORY,
            "the memory budget is spent",
        )

    aws.host.answer = refuse
    for call in (client.invoke, client.invoke_with_response_stream):
        with pytest.raises(ClientError) as refused:
            call(FunctionName="echo")
        response = refused.value.response
        assert response["Error"] == {
            "Code": "TooManyRequestsException",
            "Message": "Rate Exceeded.",
        }
        assert response["Reason"] == "ConcurrentInvocationLimitExceeded"
        assert response["ResponseMetadata"]["HTTPHeaders"]["retry-after"]


def test_a_tenant_or_a_durable_name_is_refused_rather_than_ignored(client, function):
    for extra in ({"TenantId": "t"}, {"DurableExecutionName": "d"}):
        status, code, _ = refusal(client.invoke, FunctionName="echo", **extra)
        assert (status, code) == (400, "InvalidParameterValueException")


def test_a_whole_answer_comes_in_chunks_closed_by_a_completion(aws, client, function):
    aws.host.answer = lambda _: attempt_result(b'"' + b"x" * 3_000_000 + b'"', log_tail=b"tail")
    answer = client.invoke_with_response_stream(FunctionName="echo", LogType="Tail")
    assert (answer["StatusCode"], answer["ExecutedVersion"]) == (200, "$LATEST")
    assert answer["ResponseStreamContentType"] == "application/vnd.amazon.eventstream"
    *chunks, last = answer["EventStream"]
    assert len(b"".join(each["PayloadChunk"]["Payload"] for each in chunks)) == 3_000_002
    assert last == {"InvokeComplete": {"LogResult": base64.b64encode(b"tail").decode()}}


def test_a_chunk_arrives_while_the_function_still_runs(aws, client, function):
    running: queue.Queue[Placement] = queue.Queue()
    pipes = []

    def begin(placement: Placement) -> None:
        pipe = aws.dispatcher.transfers.stream_began(placement.request.request_id, "text/plain")
        pipe.write(b"first")
        pipes.append(pipe)
        running.put(placement)

    aws.host.answer = begin
    events = iter(client.invoke_with_response_stream(FunctionName="echo")["EventStream"])
    assert next(events) == {"PayloadChunk": {"Payload": b"first"}}
    # Only now does the function write the rest and end.
    aws.call(pipes[0].write, b"second")
    assert next(events) == {"PayloadChunk": {"Payload": b"second"}}
    failed = attempt_result(
        b'{"errorType":"Sandbox.Timedout"}',
        function_error="Unhandled",
        error_type="Sandbox.Timedout",
    )
    aws.call(aws.host.end, running.get(timeout=5), failed)
    assert list(events) == [
        {
            "InvokeComplete": {
                "ErrorCode": "Sandbox.Timedout",
                "ErrorDetails": '{"errorType":"Sandbox.Timedout"}',
            }
        }
    ]


def test_a_handlers_error_before_the_first_byte_is_told_by_the_completion(aws, client, function):
    aws.host.answer = lambda _: attempt_result(
        b'{"errorType":"E"}', function_error="Unhandled", error_type="Function.Unknown"
    )
    [only] = client.invoke_with_response_stream(FunctionName="echo")["EventStream"]
    assert only == {
        "InvokeComplete": {"ErrorCode": "Unhandled", "ErrorDetails": '{"errorType":"E"}'}
    }


def test_a_host_that_is_lost_in_the_middle_is_told_by_the_completion(aws, client, function):
    def begin(placement: Placement) -> None:
        pipe = aws.dispatcher.transfers.stream_began(placement.request.request_id, "text/plain")
        pipe.write(b"first")

    aws.host.answer = begin
    events = iter(client.invoke_with_response_stream(FunctionName="echo")["EventStream"])
    assert next(events) == {"PayloadChunk": {"Payload": b"first"}}
    aws.call(aws.dispatcher.host_lost, aws.host)
    [last] = events
    assert last["InvokeComplete"]["ErrorCode"] == "HOST_LOST"


def test_a_streaming_dry_run_runs_nothing(aws, client, function):
    answer = client.invoke_with_response_stream(FunctionName="echo", InvocationType="DryRun")
    answer["EventStream"].close()
    assert answer["StatusCode"] == 204
    assert aws.host.seen == []


def test_a_caller_that_leaves_in_the_middle_is_no_error_of_ours(aws, client, function, caplog):
    pipes = []

    def begin(placement: Placement) -> None:
        pipe = aws.dispatcher.transfers.stream_began(placement.request.request_id, "text/plain")
        pipe.write(b"first")
        pipes.append(pipe)

    aws.host.answer = begin
    answer = client.invoke_with_response_stream(FunctionName="echo")
    assert next(iter(answer["EventStream"])) == {"PayloadChunk": {"Payload": b"first"}}
    answer["EventStream"].close()
    until_discarded(aws, pipes[0])
    assert [each for each in caplog.records if each.levelname == "ERROR"] == []


def until_discarded(aws: AwsSystem, pipe: BytePipe) -> None:
    """Write until nobody reads any more."""
    limit_s = time.monotonic() + 10
    while not pipe.is_discarded:
        assert time.monotonic() < limit_s
        aws.call(pipe.write, b"x" * 100_000)
        aws.run(asyncio.sleep(0.005))
