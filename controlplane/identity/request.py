"""An HTTP request as a signature sees it; pure."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedRequest:
    """An HTTP request as it came in, untouched: what a signature is made over."""

    method: str
    raw_path: str
    """As on the request line, percent-encoding and all, without the query."""
    raw_query: str
    """As on the request line, without the question mark; empty where there is none."""
    headers: tuple[tuple[str, str], ...] = field(repr=False)
    """In order, with repetitions, in the case that the caller wrote."""
    body: bytes = field(repr=False)
    now_ns: int
    """When it had been read, in nanoseconds since the epoch."""
    peer: str = ""
    """The IP address at the other end; empty for a function's request through a tunnel."""
