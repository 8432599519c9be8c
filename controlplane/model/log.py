"""One line of a function's log."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLine:
    """What a function, or the platform on its behalf, wrote."""

    function_name: str
    version: str
    request_id: str
    """Empty for lines of an init phase."""
    log_stream: str
    """Lambda's: YYYY/MM/DD/[version]32 hexadecimal digits."""
    time_ns: int
    """When the host read it, in nanoseconds since the epoch."""
    message: bytes
    """As it came, without its line feed: it may be no valid text."""
