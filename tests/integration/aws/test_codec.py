"""The codec as a client meets it: aliases over boto3, and requests that are none."""

from __future__ import annotations

import asyncio
import http.client
import json
import socket
import threading
from urllib.parse import urlsplit

import pytest
import urllib3
from botocore.exceptions import ClientError

from controlplane.api.aws.operations import OPERATIONS
from emberd.wire.errors import CapacityError


@pytest.fixture
def function(aws):
    """A function with one version."""
    return aws.create_function("thumb", publish=True)


def request(aws, method, path, body=b"", headers=None):
    """One raw request; its status, headers and JSON."""
    connection = http.client.HTTPConnection(urlsplit(aws.endpoint).netloc, timeout=10)
    try:
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        content = answer.read()
        return answer.status, answer.headers, json.loads(content) if content else None
    finally:
        connection.close()


def test_an_alias_is_made_found_and_deleted(client, function):
    made = client.create_alias(FunctionName="thumb", Name="live", FunctionVersion="1")
    assert made["ResponseMetadata"]["HTTPStatusCode"] == 201
    assert made["AliasArn"].endswith(":function:thumb:live")
    found = client.get_alias(FunctionName=made["AliasArn"].rpartition(":")[0], Name="live")
    assert {k: v for k, v in found.items() if k != "ResponseMetadata"} == {
        k: v for k, v in made.items() if k != "ResponseMetadata"
    }
    gone = client.delete_alias(FunctionName="thumb", Name="live")
    assert gone["ResponseMetadata"]["HTTPStatusCode"] == 204


def test_an_error_has_the_models_name_status_and_key_of_the_message(aws, client):
    with pytest.raises(ClientError) as refused:
        client.get_alias(FunctionName="nope", Name="live")
    assert refused.value.response["Error"]["Code"] == "ResourceNotFoundException"
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 404
    status, headers, body = request(aws, "GET", "/2015-03-31/functions/nope/aliases/live")
    assert (status, headers["x-amzn-ErrorType"]) == (404, "ResourceNotFoundException")
    assert body.keys() == {"Type", "Message"}
    assert len(headers["x-amzn-RequestId"]) == 36


def test_an_operation_that_is_not_built_says_so(aws):
    status, headers, body = request(aws, "GET", "/2025-11-30/capacity-providers/")
    assert (status, headers["x-amzn-ErrorType"]) == (501, "NotImplementedException")
    assert body["message"].startswith("ListCapacityProviders is not built")


@pytest.mark.parametrize("method", ["GET", "HEAD", "PATCH", "OPTIONS", "TRACE"])
def test_what_is_no_operation_is_a_404(aws, method):
    status, headers, _ = request(aws, method, "/nothing/here")
    assert (status, headers["x-amzn-ErrorType"]) == (404, "UnknownOperationException")


def test_health_needs_no_credential(aws):
    status, _, body = request(aws, "GET", "/health")
    assert (status, body) == (200, {"status": "ok", "hosts": 1})


def test_a_body_beyond_the_limit_is_refused_by_its_length(aws, function):
    headers = {"Content-Length": str(70_167_212)}
    status, answer, body = request(aws, "POST", "/2015-03-31/functions", b"{", headers)
    assert (status, answer["x-amzn-ErrorType"]) == (413, "RequestEntityTooLargeException")
    assert body["message"] == (
        "Request must be smaller than 70167211 bytes for the CreateFunction operation"
    )


def test_a_failure_of_ours_shows_nothing_of_itself(aws, client, monkeypatch):
    async def broken(services, call, request):
        await asyncio.sleep(0)
        raise KeyError("a secret")

    monkeypatch.setitem(OPERATIONS, "GetAlias", broken)
    with pytest.raises(ClientError) as failed:
        client.get_alias(FunctionName="thumb", Name="live")
    assert failed.value.response["Error"]["Code"] == "ServiceException"
    assert "secret" not in str(failed.value)


def test_a_streamed_answer_is_read_while_it_is_written(aws, client, monkeypatch):
    release = threading.Event()

    async def streaming(services, call, request):
        async def events():
            yield {"PayloadChunk": {"Payload": b"first"}}
            await asyncio.to_thread(release.wait, 30)
            yield {"PayloadChunk": {"Payload": b"second"}}
            yield {"InvokeComplete": {"LogResult": "bG9n"}}

        return {"StatusCode": 200, "ExecutedVersion": "1", "EventStream": events()}

    monkeypatch.setitem(OPERATIONS, "InvokeWithResponseStream", streaming)
    answer = client.invoke_with_response_stream(FunctionName="thumb", Payload=b"{}")
    assert answer["ExecutedVersion"] == "1"
    stream = iter(answer["EventStream"])
    assert next(stream) == {"PayloadChunk": {"Payload": b"first"}}
    release.set()
    assert list(stream) == [
        {"PayloadChunk": {"Payload": b"second"}},
        {"InvokeComplete": {"LogResult": "bG9n"}},
    ]


def test_an_error_before_the_first_piece_is_an_ordinary_error(client, monkeypatch):
    async def streaming(services, call, request):
        async def events():
            raise CapacityError("Rate Exceeded.", reason="TOO_MANY_REQUESTS")
            yield

        return {"StatusCode": 200, "EventStream": events()}

    monkeypatch.setitem(OPERATIONS, "InvokeWithResponseStream", streaming)
    with pytest.raises(ClientError) as refused:
        client.invoke_with_response_stream(FunctionName="thumb")
    assert refused.value.response["Error"]["Code"] == "TooManyRequestsException"


def test_a_failure_in_the_middle_breaks_the_answer_off(client, monkeypatch):
    async def streaming(services, call, request):
        async def events():
            yield {"PayloadChunk": {"Payload": b"first"}}
            raise KeyError("a secret")

        return {"StatusCode": 200, "EventStream": events()}

    monkeypatch.setitem(OPERATIONS, "InvokeWithResponseStream", streaming)
    stream = iter(client.invoke_with_response_stream(FunctionName="thumb")["EventStream"])
    assert next(stream) == {"PayloadChunk": {"Payload": b"first"}}
    with pytest.raises(urllib3.exceptions.HTTPError):
        next(stream)


def test_a_client_that_waits_for_leave_to_send_gets_it(aws):
    with socket.create_connection(urlsplit(aws.endpoint).netloc.split(":"), timeout=10) as raw:
        raw.sendall(
            b"POST /2015-03-31/functions HTTP/1.1\r\nHost: here\r\nContent-Length: 2\r\n"
            b"Expect: 100-continue\r\n\r\n"
        )
        assert raw.recv(100).startswith(b"HTTP/1.1 100 Continue\r\n\r\n")
        raw.sendall(b"{}")
        assert raw.recv(1000).startswith(b"HTTP/1.1 400 ")


def test_a_whole_url_on_the_request_line_is_a_path(aws):
    status, headers, _ = request(aws, "GET", f"{aws.endpoint}/2015-03-31/functions/nope")
    assert (status, headers["x-amzn-ErrorType"]) == (404, "ResourceNotFoundException")
