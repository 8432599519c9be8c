"""Error payloads and their log lines, in Lambda's shape. Imported when the first error happens."""

from __future__ import annotations

import os
import sys
import time
import traceback

from . import Fault

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    Frame = tuple[str, int, str, str | None]
    Encode = Callable[[dict[str, object]], str]

_OWN = os.path.dirname(os.path.abspath(__file__)) + os.sep
_HARD_BLANK = "\u00a0"
_CAUSE_LIMIT_BYTES = 64 * 1024

UNHANDLED_AT_INIT = (
    "LAMBDA_WARNING: Unhandled exception. The most likely cause is an issue in the function code. "
    "However, in rare cases, a Lambda runtime update can cause unexpected function behavior. "
    "For functions using managed runtimes, runtime updates can be triggered by a function change, "
    "or can be applied automatically. To determine if the runtime has been updated, check the "
    "runtime version in the INIT_START log entry. If this error correlates with a change in the "
    "runtime version, you may be able to mitigate this error by temporarily rolling back to the "
    "previous runtime version. For more information, see "
    "https://docs.aws.amazon.com/lambda/latest/dg/runtimes-update.html\r"
)
"""Lambda's own words: people and tools search logs for them."""


class Failure:
    """One error, ready to be posted and logged."""

    __slots__ = ("cause", "error_type", "message", "request_id", "stack_trace")

    def __init__(
        self,
        *,
        error_type: str,
        message: str,
        request_id: str,
        stack_trace: list[str],
        cause: dict[str, object],
    ) -> None:
        self.error_type = error_type
        self.message = message
        self.request_id = request_id
        self.stack_trace = stack_trace
        self.cause = cause

    @property
    def payload(self) -> dict[str, object]:
        """What the caller reads."""
        return {
            "errorMessage": self.message,
            "errorType": self.error_type,
            "requestId": self.request_id,
            "stackTrace": self.stack_trace,
        }


def failure_of(error: BaseException, request_id: str) -> Failure:
    """What callers and the trace get to know of an exception."""
    if isinstance(error, Fault):
        return Failure(
            error_type=error.error_type,
            message=error.message,
            request_id=request_id,
            stack_trace=list(error.trace),
            cause=_cause("LambdaValidationError", error.message, []),
        )
    frames = _frames(error)
    name, message = type(error).__name__, str(error)
    return Failure(
        error_type=name,
        message=message,
        request_id=request_id,
        stack_trace=traceback.format_list(frames),
        cause=_cause(name, message, frames),
    )


def cause_header(failure: Failure, encode: Encode) -> str:
    """The cause as a header's value, empty when it is too large to be of use."""
    text = encode(failure.cause)
    return text if len(text) <= _CAUSE_LIMIT_BYTES else ""


def text_line(failure: Failure) -> str:
    """The error for a text log: one line, because its line breaks are carriage returns."""
    title = f"[ERROR] {failure.error_type}"
    if failure.message:
        title += f": {failure.message}"
    lines = [title, "Traceback (most recent call last):"]
    for entry in failure.stack_trace:
        for line in entry.splitlines() or [""]:
            text = line.lstrip(" ")
            # Hard blanks, or log viewers would strip the indentation.
            lines.append(_HARD_BLANK * (len(line) - len(text)) + text)
    return "\r".join(lines) + "\n"


def json_line(failure: Failure, encode: Encode) -> str:
    """The error for a JSON log."""
    stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    return encode({"timestamp": stamp, "level": "ERROR", **failure.payload}) + "\n"


def log(failure: Failure, encode: Encode) -> None:
    """Write the error to the function's log in the format it has chosen."""
    as_json = os.environ.get("AWS_LAMBDA_LOG_FORMAT", "").upper() == "JSON"
    sys.stdout.write(json_line(failure, encode) if as_json else text_line(failure))


def _frames(error: BaseException) -> list[Frame]:
    """The frames from the first that is not ours; as tuples, so without markers of columns."""
    frames: list[Frame] = [
        (frame.filename, frame.lineno or 0, frame.name, frame.line)
        for frame in traceback.extract_tb(error.__traceback__)
    ]
    for index, frame in enumerate(frames):
        if not frame[0].startswith(_OWN) and not frame[0].endswith("/bootstrap.py"):
            return frames[index:]
    return frames


def _cause(name: str, message: str, frames: list[Frame]) -> dict[str, object]:
    stack = [{"label": label, "path": path, "line": line} for path, line, label, _ in frames]
    return {
        "working_directory": os.getcwd(),
        "exceptions": [{"message": message, "type": name, "stack": stack}],
        "paths": sorted({frame[0] for frame in frames}),
    }
