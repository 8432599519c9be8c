"""Checks an event before anything runs: JSON, and not too large (lambda-behaviour 2.1)."""

from __future__ import annotations

import base64

from controlplane.dispatch.jackson import NoJsonError, check_json
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
    if not payload:
        return
    try:
        check_json(payload)
    except NoJsonError as error:
        raise InvalidArgumentError(
            f"Could not parse request body into json: Could not parse payload into json: {error}",
            reason="INVALID_REQUEST_CONTENT",
        ) from error


def check_client_context(client_context: str) -> None:
    """Raise unless the client context is a JSON object within Lambda's limit."""
    if not client_context:
        return
    raw = client_context.encode(errors="replace")
    if len(base64.b64encode(raw)) > CLIENT_CONTEXT_BYTES_MAX:
        raise InvalidArgumentError(
            f"Client context must be no more than {CLIENT_CONTEXT_BYTES_MAX} bytes when base64 "
            "encoded.",
            reason="INVALID_REQUEST_CONTENT",
        )
    try:
        context = check_json(raw)
    except NoJsonError:
        context = None
    if not isinstance(context, dict):
        raise no_client_context()


def no_client_context() -> InvalidArgumentError:
    """What Lambda says of a client context that is none."""
    return InvalidArgumentError(
        "Client context must be a valid Base64-encoded JSON object.",
        reason="INVALID_REQUEST_CONTENT",
    )
