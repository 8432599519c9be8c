"""Answers as the runtime sees them on the wire."""

from __future__ import annotations

import pytest

from sandbox.runtimeapi import RuntimeEvent, answers
from sandbox.runtimeapi.events import accepted_error_type
from sandbox.runtimeapi.state import Delivery


def lines_of(event: RuntimeEvent) -> list[str]:
    head = answers.next_head(Delivery(event=event, invocation_id="i-1"))
    assert head.endswith(b"\r\n\r\n")
    return head.decode().split("\r\n")[:-2]


def test_an_event_without_extras_sends_no_empty_headers():
    event = RuntimeEvent(
        request_id="r-1", payload=b"{}", deadline_ms=17, invoked_function_arn="arn:f"
    )
    assert lines_of(event) == [
        "HTTP/1.1 200 OK",
        "Content-Type: application/json",
        "Lambda-Runtime-Aws-Request-Id: r-1",
        "Lambda-Runtime-Deadline-Ms: 17",
        "Lambda-Runtime-Invoked-Function-Arn: arn:f",
        "Lambda-Runtime-Invocation-Id: i-1",
        "Content-Length: 2",
    ]


def test_every_extra_has_its_header():
    event = RuntimeEvent(
        request_id="r-1",
        payload=b"",
        deadline_ms=17,
        invoked_function_arn="arn:f",
        trace_header="Root=1-2;Sampled=1",
        client_context='{"custom":{}}',
        cognito_identity='{"cognitoIdentityId":"a"}',
        tenant_id="blue",
        traceparent="00-1-2-01",
    )
    assert set(lines_of(event)) >= {
        "Lambda-Runtime-Trace-Id: Root=1-2;Sampled=1",
        'Lambda-Runtime-Client-Context: {"custom":{}}',
        'Lambda-Runtime-Cognito-Identity: {"cognitoIdentityId":"a"}',
        "Lambda-Runtime-Aws-Tenant-Id: blue",
        "Traceparent: 00-1-2-01",
    }


def test_a_client_context_over_several_lines_cannot_add_a_header():
    event = RuntimeEvent(
        request_id="r-1",
        payload=b"",
        deadline_ms=17,
        invoked_function_arn="arn:f",
        client_context='{\r\n"Lambda-Runtime-Aws-Request-Id": "other"}',
    )
    lines = lines_of(event)
    assert 'Lambda-Runtime-Client-Context: {  "Lambda-Runtime-Aws-Request-Id": "other"}' in lines
    assert [line for line in lines if line.startswith("Lambda-Runtime-Aws")] == [
        "Lambda-Runtime-Aws-Request-Id: r-1"
    ]


def test_an_error_escapes_what_html_would_read():
    assert answers.error(404, "NotFound", "<a> & b").endswith(
        b'{"errorMessage":"\\u003ca\\u003e \\u0026 b","errorType":"NotFound"}'
    )


def test_the_size_limit_is_named_in_lambdas_words():
    assert answers.TOO_LARGE.startswith(b"HTTP/1.1 413 ")
    assert b"Exceeded maximum allowed payload size (6291556 bytes)." in answers.TOO_LARGE


@pytest.mark.parametrize(
    ("header", "recorded"),
    [
        ("Runtime.MarshalError", "Runtime.MarshalError"),
        ("Function.OutOfStock", "Function.OutOfStock"),
        ("ValueError", "Function.Unknown"),
        ("Runtime.lower", "Function.Unknown"),
        ("Sandbox.Timedout", "Function.Unknown"),
        ("Runtime.Evil\n", "Function.Unknown"),
        ("", "Function.Unknown"),
    ],
)
def test_a_runtime_cannot_invent_error_types(header: str, recorded: str):
    assert accepted_error_type(header, "Function.Unknown") == recorded
