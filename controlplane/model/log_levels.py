"""How severe a log line is, as far as it says so. Pure.

Runtimes and loggers say it in few ways: `[ERROR]` in front (Python), a field of its own between
tabs (Node), a member of a JSON object (Lambda's JSON format, Powertools), or Lambda's own words.
"""

from __future__ import annotations

import re
from enum import IntEnum


class Level(IntEnum):
    """OpenTelemetry's severity numbers, under Lambda's names."""

    TRACE = 1
    DEBUG = 5
    INFO = 9
    WARN = 13
    ERROR = 17
    FATAL = 21


PLATFORM = (b"START ", b"END ", b"REPORT ", b"INIT_START ", b"INIT_REPORT ")
"""How the lines begin that the platform writes into a function's log."""

LOOKED_AT_BYTES = 1024
"""A level stands near the beginning of its line."""

_NAMES = {
    **{each.name: each for each in Level},
    "WARNING": Level.WARN,
    "CRITICAL": Level.FATAL,
    "INFORMATION": Level.INFO,
}
_WORD = rb"(TRACE|DEBUG|INFO|INFORMATION|WARN|WARNING|ERROR|FATAL|CRITICAL)"
_IN_FRONT = re.compile(rb"\[" + _WORD + rb"\]|(?:[^\t]{0,40}\t){2}" + _WORD + rb"\t")
_IN_JSON = re.compile(
    rb'"(?:level|log_level|severity|severityText)"\s*:\s*"' + _WORD + rb'"', re.IGNORECASE
)
_FAILED = re.compile(rb" Task timed out after |Runtime exited|Runtime\.ExitError")


def level_of(message: bytes) -> Level | None:
    """The level that a line states; None when it states none."""
    head = message[:LOOKED_AT_BYTES]
    if head.startswith(PLATFORM):
        return Level.INFO
    found = _IN_JSON.search(head) if head.startswith(b"{") else _IN_FRONT.match(head)
    if found:
        return _NAMES[next(filter(None, found.groups())).decode().upper()]
    return Level.ERROR if _FAILED.search(head) else None


def is_platforms(message: bytes) -> bool:
    """Whether the platform wrote it on the function's behalf."""
    return message.startswith(PLATFORM)
