"""What the owner of a sandbox and its runtime say to each other. Pure data."""

from __future__ import annotations

import re
from dataclasses import dataclass

PAYLOAD_LIMIT_BYTES = 6 * 1024 * 1024 + 100
"""What an answer may measure: Lambda's 6,291,556 (six MiB and a hundred)."""

_CONTENT_TYPE = re.compile(r"[\x21-\x7e][\x20-\x7e]{0,254}")
_ERROR_TYPE = re.compile(r"(?:Runtime|Function)\.[A-Z][a-zA-Z]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class RuntimeEvent:
    """One event on its way into the sandbox. Empty optional fields send no header."""

    request_id: str
    payload: bytes
    deadline_ms: int
    """When the function's time is up, in ms since the epoch."""
    invoked_function_arn: str
    trace_header: str = ""
    """X-Ray's Root=...;Parent=...;Sampled=..."""
    client_context: str = ""
    """JSON as the client sent it (already out of base64)."""
    cognito_identity: str = ""
    """JSON with cognitoIdentityId and cognitoIdentityPoolId."""
    tenant_id: str = ""
    traceparent: str = ""
    """W3C trace context, for runtimes that know it (ours does; Lambda's ignore it)."""
    tracestate: str = ""
    stream_limit_bytes: int = 0
    """Above 0 when the caller takes a streamed answer as it comes: what it may measure."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """What the function returned."""

    payload: bytes
    content_type: str
    streamed: bool = False
    """The runtime answered in streaming mode, but the caller wants the answer whole."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionFailure:
    """The function, or the runtime on its behalf, reported an error."""

    payload: bytes
    """The error's JSON, passed on untouched."""
    error_type: str
    """Runtime.X or Function.X; never what the runtime made up."""
    xray_cause: bytes = b""
    """JSON for the trace's error cause, at most 64 KiB; empty when absent, broken or larger."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OversizedResponse:
    """The answer was larger than Lambda allows and was not kept."""

    limit_bytes: int = PAYLOAD_LIMIT_BYTES


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """A streamed answer is whole."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokenOff:
    """The runtime's connection went in the middle of a streamed answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InitError:
    """The runtime could not load the function, or a hook of its failed after it was restored."""

    payload: bytes
    error_type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotRefused:
    """Init went well, but what it left cannot be copied safely."""

    reason: str
    """In words, one line."""


Initialised = InitError | SnapshotRefused | None
"""How what comes before the first event ended; None is well."""


Answer = Response | FunctionFailure | OversizedResponse
"""An answer that came whole."""

StreamEnd = Whole | FunctionFailure | OversizedResponse | BrokenOff
"""How an answer ended that came in pieces."""


def accepted_error_type(header: str, otherwise: str) -> str:
    """The error type a runtime may set; anything else is recorded as unknown (RAPID's rule)."""
    return header if _ERROR_TYPE.fullmatch(header) else otherwise


def accepted_content_type(header: str) -> str:
    """The content type a runtime may set: it becomes a header of the caller's; otherwise empty."""
    return header if _CONTENT_TYPE.fullmatch(header) else ""
