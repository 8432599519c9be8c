"""Requests as events of payload format 2.0."""

from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.api.urls.addresses import address_of, is_function_url
from controlplane.api.urls.events import Circumstances, UrlRequest, event_of
from controlplane.model.principal import Principal, PrincipalKind
from controlplane.model.trace import TraceContext

NOBODY = Principal(kind=PrincipalKind.ANONYMOUS, account_id="", arn="", user_id="")
ROLE = Principal(
    kind=PrincipalKind.ROLE,
    account_id="111122223333",
    arn="arn:aws:sts::111122223333:assumed-role/r/s",
    user_id="AROA:s",
    access_key_id="ASIA1",
)
TRACE = TraceContext(
    trace_id="5e6722a7" + "c" * 24, parent_span_id="", span_id="b" * 16, sampled=True
)
ID = "a1b2c3"
HOST = f"{ID}.lambda-url.us-east-1.localhost:4600"


def event(
    target: str = "/",
    headers: tuple[tuple[str, str], ...] = (),
    body: bytes = b"",
    principal: Principal = NOBODY,
    method: str = "POST",
) -> dict[str, object]:
    request = UrlRequest(
        method=method,
        address=address_of(HOST, target),
        headers=(("Host", HOST), *headers),
        body=body,
        source_ip="127.0.0.1",
        protocol="HTTP/1.1",
        port=4600,
    )
    circumstances = Circumstances(
        request_id="r-1",
        principal=principal,
        domain=f"{ID}.lambda-url.us-east-1.localhost",
        trace=TRACE,
        now_ns=1_583_348_638_390_000_000,
    )
    return json.loads(event_of(request, circumstances))


@pytest.mark.parametrize(
    ("host", "target", "expected"),
    [
        (HOST, "/a/b?x=1", (ID, "/a/b", "x=1")),
        (HOST.upper(), "/", (ID, "/", "")),
        (f"{ID}.lambda-url.eu-west-1.example.com", "/", (ID, "/", "")),
        ("127.0.0.1:4600", f"/emberd/urls/{ID}/a%2Fb?x", (ID, "/a%2Fb", "x")),
        ("127.0.0.1", f"/emberd/urls/{ID}", (ID, "/", "")),
        (HOST, f"http://{HOST}/a?b", (ID, "/a", "b")),
        ("evil/.lambda-url.x", "/", ("", "/", "")),
    ],
)
def test_a_url_is_known_by_its_host_or_by_its_path(host, target, expected):
    found = address_of(host, target)
    assert (found.url_id, found.raw_path, found.raw_query) == expected
    assert is_function_url(host.lower(), target)


def test_calls_of_lambdas_api_are_for_no_function_url():
    assert not is_function_url("127.0.0.1:4600", "/2015-03-31/functions/emberd/urls/invocations")


def test_a_bare_request_leaves_out_what_it_does_not_have():
    got = event(method="GET")
    assert got["version"] == "2.0"
    assert (got["routeKey"], got["rawPath"], got["rawQueryString"]) == ("$default", "/", "")
    assert not {"body", "cookies", "queryStringParameters"} & got.keys()
    assert got["isBase64Encoded"] is False
    assert got["requestContext"] == {
        "accountId": "anonymous",
        "apiId": ID,
        "domainName": f"{ID}.lambda-url.us-east-1.localhost",
        "domainPrefix": ID,
        "http": {
            "method": "GET",
            "path": "/",
            "protocol": "HTTP/1.1",
            "sourceIp": "127.0.0.1",
            "userAgent": "",
        },
        "requestId": "r-1",
        "routeKey": "$default",
        "stage": "$default",
        "time": "04/Mar/2020:19:03:58 +0000",
        "timeEpoch": 1583348638390,
    }


def test_path_and_query_stay_as_they_were_written_and_parameters_are_read():
    got = event("/pa2%Fth/1?a=1&a=2&b=x%20y&c")
    assert (got["rawPath"], got["rawQueryString"]) == ("/pa2%Fth/1", "a=1&a=2&b=x%20y&c")
    assert got["requestContext"]["http"]["path"] == "/pa2%Fth/1"
    assert got["queryStringParameters"] == {"a": "1,2", "b": "x y", "c": ""}


def test_headers_are_lower_case_joined_and_without_those_of_the_connection():
    got = event(
        headers=(
            ("X-One", "1"),
            ("x-one", "2"),
            ("Connection", "close"),
            ("User-Agent", "test/1"),
            ("X-Forwarded-For", "6.6.6.6"),
            ("Authorization", "Bearer mine"),
        )
    )
    headers = got["headers"]
    assert headers["x-one"] == "1,2"
    assert "connection" not in headers
    assert headers["x-forwarded-for"] == "127.0.0.1"
    assert (headers["x-forwarded-port"], headers["x-forwarded-proto"]) == ("4600", "http")
    assert headers["x-amzn-trace-id"] == f"Root=1-5e6722a7-{'c' * 24};Parent={'b' * 16};Sampled=1"
    assert headers["traceparent"] == f"00-5e6722a7{'c' * 24}-{'b' * 16}-01"
    assert headers["authorization"] == "Bearer mine"
    assert got["requestContext"]["http"]["userAgent"] == "test/1"


def test_cookies_stand_apart():
    got = event(headers=(("Cookie", "a=1; b=2"), ("Cookie", "c=3")))
    assert got["cookies"] == ["a=1", "b=2", "c=3"]
    assert "cookie" not in got["headers"]


@pytest.mark.parametrize(
    ("content_type", "body", "encoded"),
    [
        ("application/json", b'{"a":1}', False),
        ("text/plain; charset=utf-8", "é".encode(), False),
        ("application/vnd.api+json", b"{}", False),
        ("image/svg+xml", b"<svg/>", False),
        ("text/plain", b"\xff\xfe", True),
        ("application/octet-stream", b"abc", True),
        ("multipart/form-data; boundary=x", b"--x--", True),
        ("application/x-www-form-urlencoded", b"a=1", True),
        ("", b"abc", True),
    ],
)
def test_text_arrives_as_text_and_everything_else_in_base64(content_type, body, encoded):
    got = event(headers=(("Content-Type", content_type),), body=body)
    assert got["isBase64Encoded"] is encoded
    text = base64.b64encode(body).decode() if encoded else body.decode()
    assert got["body"] == text


def test_a_signed_request_says_who_signed_it_and_not_with_what():
    got = event(
        headers=(("Authorization", "AWS4-HMAC-SHA256 x"), ("X-Amz-Security-Token", "secret")),
        principal=ROLE,
    )
    context = got["requestContext"]
    assert context["accountId"] == "111122223333"
    assert context["authorizer"]["iam"] == {
        "accessKey": "ASIA1",
        "accountId": "111122223333",
        "callerId": "AROA:s",
        "cognitoIdentity": None,
        "principalOrgId": None,
        "userArn": "arn:aws:sts::111122223333:assumed-role/r/s",
        "userId": "AROA:s",
    }
    assert not {"authorization", "x-amz-security-token"} & got["headers"].keys()


@given(
    st.text(max_size=40).map(lambda text: "/" + text),
    st.lists(st.tuples(st.text(min_size=1, max_size=10), st.text(max_size=20)), max_size=4),
    st.binary(max_size=40),
)
def test_any_request_is_an_event_in_json(target, headers, body):
    got = event(target, tuple(headers), body)
    assert got["version"] == "2.0"
    assert ("body" in got) == bool(body)


def test_a_header_that_is_no_text_does_not_spoil_the_event():
    assert event(headers=(("X", "a\udcffb"),))["headers"]["x"] == "a?b"
