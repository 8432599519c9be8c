"""Function URLs through plain HTTP clients: http.client, curl, and a signed request."""

from __future__ import annotations

import base64
import http.client
import json
import subprocess
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tests.compat.functions import Workshop
from tests.e2e.system import Emberd

ECHO = """
def handler(event, context):
    return event
"""

ANSWERS = {
    "teapot": {
        "statusCode": 418,
        "headers": {"X-Kind": "teapot"},
        "cookies": ["a=1; HttpOnly", "b=2"],
        "body": "short and stout",
    },
    "binary": {
        "statusCode": 200,
        "headers": {"Content-Type": "application/octet-stream"},
        "body": "AAEC/w==",
        "isBase64Encoded": True,
    },
    "plain": {"hello": "world"},
    "text": "hello",
    "list": ["hello", 3, True],
    "number": 3.1,
}

SPEAKING = f"""
ANSWERS = {ANSWERS!r}

def handler(event, context):
    return ANSWERS[event["queryStringParameters"]["kind"]]
"""

STREAMING = """
import time

def handler(event, context):
    yield "first;"
    time.sleep(2)
    yield "last"
"""


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer read to its end."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str:
        """A header that is there once."""
        (found,) = (value for key, value in self.headers if key.lower() == name.lower())
        return found


def fetch(
    url: str,
    method: str = "GET",
    *,
    path: str = "/",
    body: bytes | None = None,
    headers: dict[str, str] | None = None,
) -> Answer:
    """One request to a function's URL. Its name needs no resolver: all of them are this machine."""
    place = urlsplit(url)
    connection = http.client.HTTPConnection("127.0.0.1", place.port, timeout=60)
    try:
        connection.request(method, path, body, {"Host": place.netloc, **(headers or {})})
        answer = connection.getresponse()
        return Answer(answer.status, answer.getheaders(), answer.read())
    finally:
        connection.close()


def open_to_everyone(workshop: Workshop, name: str, source: str, **config: Any) -> str:
    """A function whose URL everyone may call; returns the URL."""
    client = workshop.client
    workshop.active(name, source, Timeout=20)
    url: str = client.create_function_url_config(FunctionName=name, AuthType="NONE", **config)[
        "FunctionUrl"
    ]
    client.add_permission(
        FunctionName=name,
        StatementId="url",
        Action="lambda:InvokeFunctionUrl",
        Principal="*",
        FunctionUrlAuthType="NONE",
    )
    client.add_permission(
        FunctionName=name,
        StatementId="invoke",
        Action="lambda:InvokeFunction",
        Principal="*",
        InvokedViaFunctionUrl=True,
    )
    return url


@pytest.mark.shows("Function URLs", "the event is payload format 2.0")
def test_a_request_becomes_an_event_of_format_2(workshop: Workshop, name: str) -> None:
    url = open_to_everyone(workshop, name, ECHO)
    host = urlsplit(url).netloc
    answer = fetch(
        url,
        "POST",
        path="/pa2%Fth/1?x=1&x=2&y=%20z",
        body=b'{"a": 1}',
        headers={"Content-Type": "application/json", "Cookie": "c1=v1; c2=v2", "X-Own": "mine"},
    )
    assert answer.status == 200
    event = json.loads(answer.body)
    assert event["version"] == "2.0"
    assert event["routeKey"] == "$default"
    assert event["rawPath"] == "/pa2%Fth/1"
    assert event["rawQueryString"] == "x=1&x=2&y=%20z"
    assert event["queryStringParameters"] == {"x": "1,2", "y": " z"}
    assert event["cookies"] == ["c1=v1", "c2=v2"]
    assert (event["body"], event["isBase64Encoded"]) == ('{"a": 1}', False)
    assert event["headers"]["x-own"] == "mine"
    assert event["headers"]["host"] == host
    context = event["requestContext"]
    assert context["http"]["method"] == "POST"
    assert context["http"]["path"] == "/pa2%Fth/1"
    assert context["http"]["sourceIp"] == "127.0.0.1"
    assert context["domainName"] == host.partition(":")[0]
    assert context["stage"] == "$default"
    assert answer.header("x-amzn-RequestId") == context["requestId"]


@pytest.mark.shows("Function URLs", "a binary body arrives as base64")
def test_bytes_arrive_as_base64(workshop: Workshop, name: str) -> None:
    url = open_to_everyone(workshop, name, ECHO)
    answer = fetch(
        url, "PUT", body=b"\x00\xff", headers={"Content-Type": "application/octet-stream"}
    )
    event = json.loads(answer.body)
    assert event["isBase64Encoded"] is True
    assert base64.b64decode(event["body"]) == b"\x00\xff"


@pytest.mark.shows("Function URLs", "answers: status, headers, cookies, base64, bare values")
def test_what_a_handler_returns_becomes_the_answer(workshop: Workshop, name: str) -> None:
    url = open_to_everyone(workshop, name, SPEAKING)
    teapot = fetch(url, path="/?kind=teapot")
    assert (teapot.status, teapot.body) == (418, b"short and stout")
    assert teapot.header("X-Kind") == "teapot"
    cookies = [value for key, value in teapot.headers if key.lower() == "set-cookie"]
    assert cookies == ["a=1; HttpOnly", "b=2"]
    binary = fetch(url, path="/?kind=binary")
    assert binary.body == b"\x00\x01\x02\xff"
    assert binary.header("Content-Type") == "application/octet-stream"
    for kind, body in {
        "plain": b'{"hello":"world"}',
        "text": b"hello",
        "list": b'["hello",3,true]',
        "number": b"3.1",
    }.items():
        answer = fetch(url, path=f"/?kind={kind}")
        assert (answer.status, answer.body) == (200, body)
        assert answer.header("Content-Type") == "application/json"
    failed = fetch(url, path="/?kind=unheard")
    assert (failed.status, failed.body) == (502, b"Internal Server Error")


@pytest.mark.shows("Function URLs", "closed without permission, and when nobody has that name")
def test_a_url_is_closed_until_a_policy_opens_it(workshop: Workshop, name: str) -> None:
    workshop.active(name)
    made = workshop.client.create_function_url_config(FunctionName=name, AuthType="NONE")
    closed = fetch(made["FunctionUrl"])
    assert closed.status == 403
    assert json.loads(closed.body)["Message"].startswith("Forbidden")
    assert closed.header("x-amzn-ErrorType") == "AccessDeniedException"
    identity = urlsplit(made["FunctionUrl"]).netloc.partition(".")[0]
    unknown = fetch(made["FunctionUrl"].replace(identity, "a" * len(identity)))
    assert (unknown.status, json.loads(unknown.body)) == (403, {"Message": None})


@pytest.mark.shows("Function URLs", "AuthType AWS_IAM: a signed request passes, others do not")
def test_a_signed_request_passes(
    workshop: Workshop, environment: dict[str, str], name: str
) -> None:
    workshop.active(name)
    made = workshop.client.create_function_url_config(FunctionName=name, AuthType="AWS_IAM")
    url = made["FunctionUrl"]
    assert fetch(url).status == 403
    keys = Credentials(environment["AWS_ACCESS_KEY_ID"], environment["AWS_SECRET_ACCESS_KEY"])
    request = AWSRequest("POST", url, data=b"{}", headers={"Content-Type": "application/json"})
    SigV4Auth(keys, "lambda", environment["AWS_REGION"]).add_auth(request)
    answer = fetch(url, "POST", body=b"{}", headers=dict(request.headers))
    assert answer.status == 200
    context = json.loads(answer.body)["requestContext"]
    assert context["authorizer"]["iam"]["userArn"] == "arn:aws:iam::000000000000:root"
    forged = {**dict(request.headers), "X-Amz-Date": "20200101T000000Z"}
    assert fetch(url, "POST", body=b"{}", headers=forged).status == 403


@pytest.mark.shows("Function URLs", "CORS is answered by the service, not by the function")
def test_a_preflight_is_answered_without_the_function(workshop: Workshop, name: str) -> None:
    cors = {
        "AllowOrigins": ["https://app.example"],
        "AllowMethods": ["GET"],
        "AllowHeaders": ["x-own"],
        "MaxAge": 60,
        "AllowCredentials": True,
    }
    url = open_to_everyone(workshop, name, SPEAKING, Cors=cors)
    origin = {"Origin": "https://app.example"}
    preflight = fetch(url, "OPTIONS", headers={**origin, "Access-Control-Request-Method": "GET"})
    assert preflight.status == 200
    assert preflight.header("Access-Control-Allow-Origin") == "https://app.example"
    assert preflight.header("Access-Control-Allow-Methods") == "GET"
    assert preflight.header("Access-Control-Max-Age") == "60"
    answer = fetch(url, path="/?kind=text", headers=origin)
    assert answer.header("Access-Control-Allow-Origin") == "https://app.example"
    assert answer.header("Access-Control-Allow-Credentials") == "true"
    stranger = fetch(url, path="/?kind=text", headers={"Origin": "https://other.example"})
    names = [key.lower() for key, _ in stranger.headers]
    assert "access-control-allow-origin" not in names


@pytest.mark.shows("Function URLs", "RESPONSE_STREAM: the first byte is out while the handler runs")
def test_the_first_byte_is_out_while_the_handler_runs(
    workshop: Workshop, emberd: Emberd, name: str
) -> None:
    url = open_to_everyone(workshop, name, STREAMING, InvokeMode="RESPONSE_STREAM")
    place = urlsplit(url)
    connection = http.client.HTTPConnection("127.0.0.1", place.port, timeout=60)
    try:
        connection.request("GET", "/", headers={"Host": place.netloc})
        answer = connection.getresponse()
        assert answer.status == 200
        first = answer.read(len("first;"))
        emberd.wait_until_running(1)  # so it has not ended yet
        rest = answer.read()
    finally:
        connection.close()
    assert (first, rest) == (b"first;", b"last")


@pytest.mark.shows("Clients", "curl: a function's URL as it is printed")
def test_curl_reaches_the_url_as_printed(workshop: Workshop, name: str) -> None:
    url = open_to_everyone(workshop, name, SPEAKING)
    # curl itself knows that every name below .localhost is this machine.
    done = subprocess.run(
        ["curl", "--silent", "--show-error", "--fail", f"{url}?kind=plain"],
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, b'{"hello":"world"}'), done.stderr
