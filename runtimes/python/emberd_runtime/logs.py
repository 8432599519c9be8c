"""The log as Lambda's users know it: a handler on the root logger, in text or JSON."""

from __future__ import annotations

import logging
import os
import sys
import time

from .context import Current

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

_TEXT = "[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(aws_request_id)s\t%(message)s\n"

_OF_THIS_RUNTIME = ("aws_request_id", "tenant_id")
"""What the filter adds to a record; all else that is not the library's came from extra."""


class LambdaLoggerHandler(logging.Handler):
    """Writes each record to standard output in one piece. Tools look for it by this name."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record and end its line.

        The format ends a line before the trace of an exception, and nothing ends it after one.
        Lambda's client need not care: it hands each record over in a frame of its own.
        """
        text = self.format(record)
        sys.stdout.write(text if text.endswith("\n") else text + "\n")


class LambdaLoggerFilter(logging.Filter):
    """Marks each record with the event in work."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Let every record pass."""
        record.aws_request_id = Current.request_id
        record.tenant_id = Current.tenant_id
        return True


class JsonFormatter(logging.Formatter):
    """One JSON object per record."""

    def __init__(self) -> None:
        import json

        super().__init__(datefmt="%Y-%m-%dT%H:%M:%SZ")
        # What JSON cannot hold is written as text: a log line is never lost for its content.
        self._encode: Callable[[object], str] = json.JSONEncoder(
            ensure_ascii=False, default=str
        ).encode
        plain = logging.LogRecord("", 0, "", 0, "", None, None)
        self._known = {*plain.__dict__, *_OF_THIS_RUNTIME, "message", "asctime", "taskName"}

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line."""
        fields = {
            "timestamp": self.formatTime(record, self.datefmt),
            "level": logging.getLevelName(min(50, max(0, record.levelno)) // 10 * 10),
            "message": _message(record),
            "logger": record.name,
            **_error(record),
            "requestId": getattr(record, "aws_request_id", ""),
            "location": _location(record),
            "tenantId": getattr(record, "tenant_id", None),
        }
        for name, value in record.__dict__.items():
            if name not in self._known:
                fields.setdefault(name, value)
        present = {name: value for name, value in fields.items() if value is not None}
        return self._encode(present) + "\n"


_ahead: list[logging.Handler] = []


def are_of(library: ModuleType) -> bool:
    """Whether this is the library that is set up here."""
    return library is logging


def set_up_ahead() -> None:
    """Give the root logger Lambda's handler for text. Idempotent."""
    if not _ahead:
        _ahead.append(_add_handler(as_json=False))


def set_up() -> None:
    """Give the root logger Lambda's handler, format and level."""
    as_json = os.environ.get("AWS_LAMBDA_LOG_FORMAT", "").upper() == "JSON"
    root = logging.getLogger()
    if as_json:
        for each in _ahead:
            root.removeHandler(each)
    if as_json or not _ahead:
        _add_handler(as_json=as_json)
    level = _level(as_json=as_json)
    if level is not None:
        root.setLevel(level)


def _add_handler(*, as_json: bool) -> logging.Handler:
    logging.Formatter.converter = time.gmtime
    handler = LambdaLoggerHandler()
    handler.setFormatter(
        JsonFormatter() if as_json else logging.Formatter(_TEXT, "%Y-%m-%dT%H:%M:%S")
    )
    handler.addFilter(LambdaLoggerFilter())
    logging.getLogger().addHandler(handler)
    return handler


def _level(*, as_json: bool) -> int | None:
    name = os.environ.get("AWS_LAMBDA_LOG_LEVEL", "").upper()
    number = logging.getLevelName("DEBUG" if name == "TRACE" else name)
    if isinstance(number, int):
        return number
    return logging.INFO if as_json else None


def _message(record: logging.LogRecord) -> object:
    if isinstance(record.msg, dict) and not record.args:
        return record.msg
    return record.getMessage()


def _error(record: logging.LogRecord) -> dict[str, object]:
    if not record.exc_info or record.exc_info[0] is None:
        return {}
    import traceback

    kind, error, trace = record.exc_info
    return {
        "stackTrace": traceback.format_tb(trace),
        "errorType": kind.__name__,
        "errorMessage": str(error),
    }


def _location(record: logging.LogRecord) -> str | None:
    if not record.exc_info:
        return None
    return f"{record.pathname}:{record.funcName}:{record.lineno}"
