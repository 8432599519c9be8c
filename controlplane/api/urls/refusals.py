"""What the caller of a function URL gets instead of an answer. Pure.

Source: lambda-behaviour 4.8.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from controlplane.api.urls.answers import JSON_TYPE, UrlAnswer
from emberd.wire import PAYLOAD_BYTES_MAX
from emberd.wire.errors import CapacityError, DeniedError, EmberdError, InvalidArgumentError

FORBIDDEN = (
    "Forbidden. For troubleshooting Function URL authorization issues, see: "
    "https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html"
)
_NOBODY = frozenset(("MISSING_AUTHENTICATION_TOKEN", "ACCESS_DENIED"))
"""Reasons of which the caller learns no more than that it may not."""


def unknown_url() -> UrlAnswer:
    """No function has this URL."""
    return _told(403, "AccessDeniedException", {"Message": None})


def forbidden() -> UrlAnswer:
    """The caller may not use this URL."""
    return _told(403, "AccessDeniedException", {"Message": FORBIDDEN})


def too_large() -> UrlAnswer:
    """The request is larger than an event may be."""
    message = (
        f"Request must be smaller than {PAYLOAD_BYTES_MAX} bytes for the InvokeFunction operation"
    )
    return _told(413, "RequestTooLargeException", {"Type": "User", "message": message})


def failed() -> UrlAnswer:
    """The function failed, or returned what is no answer; why is in its log."""
    return UrlAnswer(
        status=502, headers=(("Content-Type", "text/plain"),), body=b"Internal Server Error"
    )


def refusal_of(error: EmberdError) -> UrlAnswer:
    """What an error of ours is to the caller of a function URL."""
    match error:
        case DeniedError():
            if error.reason in _NOBODY:
                return forbidden()
            return _told(403, "AccessDeniedException", {"message": error.message})
        case CapacityError():
            body = {
                "Reason": error.metadata.get("throttle", "ConcurrentInvocationLimitExceeded"),
                "Type": "User",
                "message": "Rate Exceeded.",
            }
            answer = _told(429, "TooManyRequestsException", body)
            return UrlAnswer(
                status=429, headers=(*answer.headers, ("Retry-After", "1")), body=answer.body
            )
        case InvalidArgumentError() if error.reason == "REQUEST_TOO_LARGE":
            return too_large()
        case InvalidArgumentError():
            body = {"Type": "User", "message": error.message}
            return _told(400, "InvalidRequestContentException", body)
        case _ if error.reason == "HOST_LOST":
            return failed()
    return _told(503, "ServiceException", {"Type": "Service", "message": "Service Unavailable"})


def _told(status: int, exception: str, body: Mapping[str, str | None]) -> UrlAnswer:
    return UrlAnswer(
        status=status,
        headers=(("Content-Type", JSON_TYPE), ("x-amzn-ErrorType", exception)),
        body=json.dumps(body, separators=(",", ":")).encode(),
    )
