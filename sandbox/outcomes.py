"""How the phases of a sandbox ended, made of what its runtime said. Pure."""

from __future__ import annotations

import json
from dataclasses import dataclass

from emberd.wire import FRAME_PAYLOAD_BYTES_MAX
from runtimes.catalog import RUNTIMES
from sandbox import report
from sandbox.backend import ProcessExit
from sandbox.runtimeapi import (
    BrokenOff,
    FunctionFailure,
    OversizedResponse,
    Response,
    StreamEnd,
    Whole,
)

TIMED_OUT = "Sandbox.Timedout"

_INTERRUPTED = "Runtime.OutOfTime"
"""How a runtime that interrupts its function itself says that it had to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InitOutcome:
    """How an init phase ended."""

    duration_ns: int
    payload: bytes = b""
    """The error's JSON, or empty when it succeeded or the process ended by itself."""
    error_type: str = ""
    """Empty when it succeeded."""
    status: str = ""
    """Empty, timeout or error."""
    ended: ProcessExit | None = None
    """Set when the runtime ended without posting an error."""
    refused: str = ""
    """Of a template: why it cannot be copied although it went well."""

    @property
    def ok(self) -> bool:
        """Whether the sandbox can take events."""
        return not self.status

    @property
    def told(self) -> str:
        """The error's JSON as a frame can carry it; of one that is too large only that it was."""
        size = len(self.payload)
        if size <= FRAME_PAYLOAD_BYTES_MAX:
            return self.payload.decode("utf-8", "replace")
        message = f"The error's {size} bytes are more than are kept of it."
        return json.dumps({"errorType": self.error_type, "errorMessage": message})


@dataclass(frozen=True, slots=True, kw_only=True)
class ServeOutcome:
    """How the function part of an invocation ended."""

    payload: bytes
    """The answer or the error's JSON; of an answer that was streamed, only the error's."""
    error_type: str
    """Empty when the function succeeded."""
    status: str
    """Empty, timeout or error: for the REPORT line."""
    duration_ns: int
    content_type: str = ""
    """What the runtime said that its answer is."""


def grace_s(runtime_id: str) -> float:
    """How long after the function's time the runtime may take to say that it interrupted it."""
    runtime = RUNTIMES.get(runtime_id)
    return runtime.grace_s if runtime is not None else 0.0


def was_interrupted(
    answer: Response | FunctionFailure | OversizedResponse, runtime_id: str
) -> bool:
    """Whether the runtime ended the function because its time was up, and lives on itself."""
    if not grace_s(runtime_id):
        return False
    return isinstance(answer, FunctionFailure) and answer.error_type == _INTERRUPTED


def of_answer(
    answer: Response | FunctionFailure | OversizedResponse, duration_ns: int
) -> ServeOutcome:
    """How an invocation ended whose answer came whole."""
    match answer:
        case Response():
            return ServeOutcome(
                payload=answer.payload,
                error_type="",
                status="",
                duration_ns=duration_ns,
                content_type=answer.content_type,
            )
        case FunctionFailure():
            # A handler's own exception is no platform failure: REPORT carries no Status for it.
            return ServeOutcome(
                payload=answer.payload,
                error_type=answer.error_type,
                status="",
                duration_ns=duration_ns,
            )
        case OversizedResponse():
            return ServeOutcome(
                payload=report.oversized_payload(answer.limit_bytes),
                error_type="Function.ResponseSizeTooLarge",
                status="error",
                duration_ns=duration_ns,
            )


def of_stream(how: StreamEnd, request_id: str, content_type: str, duration_ns: int) -> ServeOutcome:
    """How an invocation ended whose answer was passed on while it was written."""
    match how:
        case Whole():
            answer: Response | FunctionFailure | OversizedResponse
            answer = Response(payload=b"", content_type=content_type, streamed=True)
        case BrokenOff():
            error_type = "Runtime.TruncatedResponse"
            message = "Runtime ended its answer before it was whole"
            return ServeOutcome(
                payload=report.exit_payload(request_id, error_type, message),
                error_type=error_type,
                status="error",
                duration_ns=duration_ns,
            )
        case FunctionFailure() | OversizedResponse():
            answer = how
    return of_answer(answer, duration_ns)
