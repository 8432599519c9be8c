"""Checks an event before anything runs: JSON, and not too large (lambda-behaviour 2.1)."""

from __future__ import annotations

import base64
import json

from emberd.wire import PAYLOAD_BYTES_MAX
from emberd.wire.errors import InvalidArgumentError

CLIENT_CONTEXT_BYTES_MAX = 3583
"""Lambda's limit for the client context, counted in its base64 form."""


def check_payload(payload: bytes) -> None:
    """Raise what Lambda raises for an event that it refuses; an empty one is taken as {}."""
    if len(payload) > PAYLOAD_BYTES_MAX:
        raise InvalidArgumentError(
            f"{len(payload)} byte payload is too large for the RequestResponse invocation type "
            f"(limit {PAYLOAD_BYTES_MAX} bytes)",
            reason="REQUEST_TOO_LARGE",
            limit=str(PAYLOAD_BYTES_MAX),
        )
    if payload:
        _check_json(
            payload, "Could not parse request body into json: Could not parse payload into json"
        )


def check_client_context(client_context: str) -> None:
    """Raise unless the client context is a JSON object within Lambda's limit."""
    if not client_context:
        return
    if len(base64.b64encode(client_context.encode())) > CLIENT_CONTEXT_BYTES_MAX:
        raise InvalidArgumentError(
            f"Client context must be no more than {CLIENT_CONTEXT_BYTES_MAX} bytes when base64 "
            "encoded.",
            reason="INVALID_REQUEST_CONTENT",
        )
    complaint = "Client context must be a valid JSON object"
    if not isinstance(_check_json(client_context.encode(), complaint), dict):
        raise InvalidArgumentError(f"{complaint}.", reason="INVALID_REQUEST_CONTENT")


def _check_json(text: bytes, complaint: str) -> object:
    try:
        value: object = _DECODER.decode(text.decode())
    except (ValueError, RecursionError) as error:
        raise InvalidArgumentError(
            f"{complaint}: {_why(error)}", reason="INVALID_REQUEST_CONTENT"
        ) from error
    return value


def _no_constant(name: str) -> None:
    raise ValueError(f"Non-standard token '{name}'")


_DECODER = json.JSONDecoder(parse_constant=_no_constant)
"""JSON as its standard has it: Python's own decoder would take NaN too."""


def _why(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg}; line: {error.lineno}, column: {error.colno}"
    if isinstance(error, UnicodeDecodeError):
        byte = error.object[error.start]
        return f"Invalid UTF-8 start byte 0x{byte:02x}; offset: {error.start}"
    return str(error) or type(error).__name__
