"""Answers of the Runtime API as bytes. Pure."""

from __future__ import annotations

import json

from sandbox.runtimeapi.events import PAYLOAD_LIMIT_BYTES
from sandbox.runtimeapi.state import CallRefusedError, Delivery

_REASONS = {
    200: "OK",
    202: "Accepted",
    400: "Bad Request",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    408: "Request Timeout",
    413: "Request Entity Too Large",
    431: "Request Header Fields Too Large",
}

_FORBIDDEN_IN_HEADERS = str.maketrans({"\r": " ", "\n": " ", "\0": " "})
"""A client context may be JSON over several lines; between tokens a blank means the same."""

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


def plain(status: int, body: bytes, content_type: str = "application/json") -> bytes:
    """A whole answer."""
    head = (
        f"HTTP/1.1 {status} {_REASONS[status]}\r\n"
        f"Content-Type: {content_type}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode("ascii") + body


def error(status: int, error_type: str, message: str) -> bytes:
    """An error answer in Lambda's shape, characters that mean something to HTML escaped."""
    body = json.dumps({"errorMessage": message, "errorType": error_type}, separators=(",", ":"))
    for mark in "<>&":
        body = body.replace(mark, f"\\u{ord(mark):04x}")
    return plain(status, body.encode("ascii"))


def refusal(refused: CallRefusedError) -> bytes:
    """What a call gets that is not allowed."""
    return error(refused.status, refused.error_type, refused.message)


def too_large(limit_bytes: int) -> bytes:
    """What an answer over the limit gets."""
    message = f"Exceeded maximum allowed payload size ({limit_bytes} bytes)."
    return error(413, "RequestEntityTooLarge", message)


ACCEPTED = plain(202, b'{"status":"OK"}')
PONG = plain(200, b"pong", "text/plain; charset=utf-8")
TOO_LARGE = too_large(PAYLOAD_LIMIT_BYTES)
INVALID_MODE = error(400, "InvalidFunctionResponseMode", "Invalid function response mode")
TRUNCATED = error(400, "TruncatedHTTPRequest", "HTTP request detected as truncated")
RESTORE_UNKNOWN = error(404, "NotFound", "restore is only there for functions with SnapStart")


def next_head(delivery: Delivery) -> bytes:
    """The head of the answer to /next; the payload follows it."""
    event = delivery.event
    headers = (
        ("Lambda-Runtime-Aws-Request-Id", event.request_id),
        ("Lambda-Runtime-Deadline-Ms", str(event.deadline_ms)),
        ("Lambda-Runtime-Invoked-Function-Arn", event.invoked_function_arn),
        ("Lambda-Runtime-Trace-Id", event.trace_header),
        ("Lambda-Runtime-Client-Context", event.client_context),
        ("Lambda-Runtime-Cognito-Identity", event.cognito_identity),
        ("Lambda-Runtime-Aws-Tenant-Id", event.tenant_id),
        ("Lambda-Runtime-Invocation-Id", delivery.invocation_id),
        ("Traceparent", event.traceparent),
        ("Tracestate", event.tracestate),
    )
    lines = "".join([f"{name}: {_one_line(value)}\r\n" for name, value in headers if value])
    return (
        f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n{lines}"
        f"Content-Length: {len(event.payload)}\r\n\r\n"
    ).encode()


def _one_line(value: str) -> str:
    # Looking is far cheaper than translating, and what needs it is rare.
    return value if value.isprintable() else value.translate(_FORBIDDEN_IN_HEADERS)
