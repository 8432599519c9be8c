"""A function's log, line by line, and what a reader may ask of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass


def function_log_group(function_name: str) -> str:
    """The log group of a function that names no other."""
    return f"/aws/lambda/{function_name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLine:
    """What a function, or the platform on its behalf, wrote."""

    function_name: str
    """Empty for a line that no function wrote, but somebody put into a group."""
    version: str
    request_id: str
    """Empty for lines of an init phase."""
    log_group: str
    """/aws/lambda/NAME, unless its function names another."""
    log_stream: str
    """Lambda's: YYYY/MM/DD/[version]32 hexadecimal digits."""
    time_ns: int
    """When the host read it, in nanoseconds since the epoch."""
    message: bytes
    """As it came, without its line feed: it may be no valid text."""
    trace_id: str = ""
    """32 hexadecimal digits; empty where the line belongs to no invocation."""
    span_id: str = ""
    """16 hexadecimal digits of the invocation's span."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogQuery:
    """Which lines of one function's log."""

    function_name: str
    since_ns: int = 0
    """Only lines since then, in nanoseconds since the epoch."""
    request_id: str = ""
    """Only this request's lines; empty means every line."""
    wants: Callable[[str], bool] | None = None
    """Only lines whose text this wants; None means every line."""
    lines_max: int
    """The newest so many."""

    def matching(self, lines: Iterable[LogLine]) -> tuple[LogLine, ...]:
        """Those among lines whose text is wanted; it may take milliseconds."""
        wants = self.wants
        if wants is None:
            return tuple(lines)
        return tuple(line for line in lines if wants(line.message.decode("utf-8", "replace")))


@dataclass(frozen=True, slots=True, kw_only=True)
class LogBatch:
    """Lines in the order in which they came."""

    lines: tuple[LogLine, ...]
    lost: int
    """Lines before these that a slow reader did not get."""
