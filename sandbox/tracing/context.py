"""The trace of an invocation, from the header that the function gets. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

_HEADER = re.compile(
    r"Root=1-([0-9a-f]{8})-([0-9a-f]{24});Parent=([0-9a-f]{16});Sampled=([01])(?:;.*)?"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceContext:
    """Where the function's own work belongs."""

    trace_id: str
    """32 hexadecimal digits."""
    span_id: str
    """16 hexadecimal digits of the invocation's own span."""
    sampled: bool

    def traceparent(self) -> str:
        """The same in W3C's words."""
        return f"00-{self.trace_id}-{self.span_id}-{'01' if self.sampled else '00'}"


def context_of(trace_header: str) -> TraceContext | None:
    """Read Root=...;Parent=...;Sampled=... as the control plane writes it; None for any other."""
    match = _HEADER.fullmatch(trace_header)
    if match is None:
        return None
    return TraceContext(trace_id=match[1] + match[2], span_id=match[3], sampled=match[4] == "1")
