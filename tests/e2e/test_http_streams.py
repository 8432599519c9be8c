"""Streaming as AWS's own tools and a browser meet it, on real sandboxes."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tests.e2e.system import Emberd


@pytest.fixture(scope="module")
def streams(emberd: Emberd, functions: Path) -> str:
    """A function that streams what its event says."""
    emberd.deploy(functions / "streams", "streams", timeout=3)
    return "streams"


@pytest.fixture(scope="module")
def pages(emberd: Emberd, functions: Path) -> str:
    """A function that streams a page and then hangs when its path says so."""
    emberd.deploy(functions / "pages", "pages", timeout=3)
    return "pages"


@contextmanager
def visit(url: str, path: str, **headers: str) -> Iterator[http.client.HTTPResponse]:
    """Open a function URL without asking a name server for *.localhost."""
    connection = http.client.HTTPConnection("127.0.0.1", urlsplit(url).port, timeout=30)
    try:
        connection.request("GET", path, headers={"Host": urlsplit(url).netloc, **headers})
        yield connection.getresponse()
    finally:
        connection.close()


def test_boto3_reads_the_first_chunk_while_the_function_still_runs(client, streams):
    event = json.dumps({"say": ["one"], "then": "hang"})
    events = iter(
        client.invoke_with_response_stream(FunctionName=streams, Payload=event)["EventStream"]
    )
    assert next(events) == {"PayloadChunk": {"Payload": b"one"}}
    # It hangs until its time is up: the first chunk was read before there was an end.
    [last] = events
    assert last["InvokeComplete"]["ErrorCode"] == "Sandbox.Timedout"


def test_boto3_gets_a_streamed_answer_whole_from_invoke(client, streams):
    answer = client.invoke(FunctionName=streams, Payload=json.dumps({"say": ["[1,", "2]"]}))
    assert json.load(answer["Payload"]) == [1, 2]


def test_a_function_url_shows_the_page_while_the_function_still_runs(client, pages):
    made = client.create_function_url_config(
        FunctionName=pages, AuthType="NONE", InvokeMode="RESPONSE_STREAM"
    )
    url = made["FunctionUrl"]
    with visit(url, "/") as closed:
        assert closed.status == 403
        assert json.load(closed)["Message"].startswith("Forbidden.")
    client.add_permission(
        FunctionName=pages,
        StatementId="public",
        Action="lambda:InvokeFunctionUrl",
        Principal="*",
        FunctionUrlAuthType="NONE",
    )
    with visit(url, "/hello?x=1") as answer:
        assert (answer.status, answer.headers["Content-Type"]) == (206, "text/event-stream")
        assert answer.headers["Set-Cookie"] == "a=b"
        assert answer.read() == b"GET /hello x=1\n"
    with visit(url, "/hang") as answer:
        first = answer.read(len(b"GET /hang \n"))
        # What comes next is no more than that the answer has no end: its time is up.
        with pytest.raises(http.client.IncompleteRead):
            answer.read()
    assert first == b"GET /hang \n"
    client.delete_function_url_config(FunctionName=pages)
    with visit(url, "/") as gone:
        assert (gone.status, json.load(gone)) == (403, {"Message": None})


def test_a_function_url_for_callers_who_sign_lets_them_in_and_nobody_else(emberd, client, pages):
    made = client.create_function_url_config(FunctionName=pages, AuthType="AWS_IAM")
    url = made["FunctionUrl"]
    with visit(url, "/") as closed:
        assert closed.status == 403
    exports = emberd.environment
    request = AWSRequest("GET", url + "signed", headers={"Host": urlsplit(url).netloc})
    keys = Credentials(exports["AWS_ACCESS_KEY_ID"], exports["AWS_SECRET_ACCESS_KEY"])
    SigV4Auth(keys, "lambda", exports["AWS_REGION"]).add_auth(request)
    signed = {name: value for name, value in request.headers.items() if name != "Host"}
    with visit(url, "/signed", **signed) as answer:
        assert (answer.status, answer.read()) == (206, b"GET /signed \n")
