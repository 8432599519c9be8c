"""A caller's trace goes on into the function, and its answer names it; over every HTTP front."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest

from controlplane.model.trace import parse_traceparent, parse_xray_header
from tests.fakes.aws_system import AwsSystem, attempt_result

TRACE = "5759e988bd862e3fe1be46a994272793"
SPAN = "53995c3f42cd8ad8"
OURS = f"{0xDEF:016x}"
TRACEPARENT = f"00-{TRACE}-{SPAN}-01"
XRAY = f"Root=1-{TRACE[:8]}-{TRACE[8:]};Parent={SPAN};Sampled=1"


def with_headers(client, headers: Mapping[str, str]) -> None:
    """Have a boto3 client send these too."""

    def add(request, **_) -> None:
        for name, value in headers.items():
            request.headers[name] = value

    client.meta.events.register("before-sign.lambda", add)


def told(headers: Mapping[str, str]) -> tuple[str, str]:
    """Trace and span of an answer, which both of its headers must agree on."""
    xray = parse_xray_header(headers["X-Amzn-Trace-Id"])
    assert xray is not None
    assert xray == parse_traceparent(headers["traceresponse"])
    return xray.trace_id, xray.span_id


@pytest.mark.parametrize(
    ("headers", "tracestate"),
    [
        ({"X-Amzn-Trace-Id": XRAY}, ""),
        ({"traceparent": TRACEPARENT}, ""),
        ({"traceparent": TRACEPARENT, "tracestate": "a=1, b=2"}, "a=1,b=2"),
        ({"tracestate": "a=1", "X-Amzn-Trace-Id": XRAY}, ""),
    ],
)
@pytest.mark.parametrize("operation", ["invoke", "invoke_with_response_stream"])
def test_an_invocation_joins_its_callers_trace(aws, client, operation, headers, tracestate):
    aws.create_function("echo")
    with_headers(client, headers)
    answer = getattr(client, operation)(FunctionName="echo")
    list(answer.get("EventStream", ()))
    got = answer["ResponseMetadata"]["HTTPHeaders"]
    assert got["x-amzn-trace-id"] == XRAY.replace(SPAN, OURS)
    assert got["traceresponse"] == TRACEPARENT.replace(SPAN, OURS)
    placement = aws.host.seen[0]
    assert placement.trace_header == got["x-amzn-trace-id"]
    assert placement.tracestate == tracestate
    assert placement.request.trace.parent_span_id == SPAN


def test_a_refused_invocation_names_its_trace_too(aws, client):
    with pytest.raises(client.exceptions.ResourceNotFoundException) as refused:
        client.invoke(FunctionName="nobody")
    assert "x-amzn-trace-id" in refused.value.response["ResponseMetadata"]["HTTPHeaders"]


def test_other_operations_name_no_trace(client):
    headers = client.list_functions()["ResponseMetadata"]["HTTPHeaders"]
    assert "x-amzn-trace-id" not in headers


@contextmanager
def visited(
    aws: AwsSystem, mode: str, headers: Mapping[str, str]
) -> Iterator[http.client.HTTPResponse]:
    aws.create_function("web")
    view = aws.run(
        aws.registry.settings.urls.create("web", "", auth_type="NONE", invoke_mode=mode, cors=None)
    )
    connection = http.client.HTTPConnection(urlsplit(aws.endpoint).netloc, timeout=10)
    try:
        host = f"{view.config.url_id}.lambda-url.us-east-1.localhost"
        connection.request("GET", "/a?x=1", None, {"Host": host, **headers})
        yield connection.getresponse()
    finally:
        connection.close()


@pytest.mark.parametrize("mode", ["BUFFERED", "RESPONSE_STREAM"])
@pytest.mark.parametrize("headers", [{"X-Amzn-Trace-Id": XRAY}, {"traceparent": TRACEPARENT}])
def test_a_function_url_joins_its_callers_trace(aws, mode, headers):
    aws.host.answer = lambda _: attempt_result(b'"ok"')
    with visited(aws, mode, headers) as answer:
        assert (answer.status, answer.read()) == (200, b'"ok"' if mode != "BUFFERED" else b"ok")
        assert told(answer.headers) == (TRACE, OURS)
    request = aws.host.seen[0].request
    assert request.said == {
        "faas.trigger": "http",
        "http.request.method": "GET",
        "url.path": "/a",
        "url.scheme": "http",
    }
    event = json.loads(request.payload)
    assert event["headers"]["x-amzn-trace-id"] == XRAY.replace(SPAN, OURS)
    assert event["headers"]["traceparent"] == TRACEPARENT.replace(SPAN, OURS)


def test_a_function_url_without_a_caller_begins_a_trace(aws):
    aws.host.answer = lambda _: attempt_result(b'"ok"')
    with visited(aws, "BUFFERED", {"X-Amzn-Trace-Id": "nonsense\xff"}) as answer:
        answer.read()
        assert told(answer.headers) == ("00000001" + f"{0xABC:024x}", OURS)
    assert aws.host.seen[0].request.trace.parent_span_id == ""
