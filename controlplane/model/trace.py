"""Where an invocation stands in its trace: which one, below whose span, kept or not.

Two headers say the same thing, and functions may speak either:

    traceparent: 00-<32 hex trace>-<16 hex span>-<2 hex flags>                  (W3C trace context)
    X-Amzn-Trace-Id: Root=1-<8 hex>-<24 hex>;Parent=<16 hex>;Sampled=0|1        (X-Ray)

The 8 and 24 digits of the second, put together, are the 32 of the first. A tracestate goes on
beside the first, a Lineage inside the second; neither means anything to us.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

SPAN_ID_BITS = 64
RANDOM_BITS = 96
"""Of a trace id that begins with the second it was made in, as X-Ray wants it."""

_SAMPLED_FLAG = 0x01
_NO_TRACE = "0" * 32
_NO_SPAN = "0" * 16
_TRACEPARENT = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
_ROOT = re.compile(r"1-([0-9a-f]{8})-([0-9a-f]{24})")
_SPAN_ID = re.compile(r"[0-9a-f]{16}")
_TRACESTATE_BYTES_MAX = 512
_TRACESTATE_MEMBERS_MAX = 32
_TRACESTATE_MEMBER = re.compile(
    r"[a-z0-9][a-z0-9_*/@-]{0,255}=[\x21-\x2b\x2d-\x3c\x3e-\x7e ]{0,256}"
)
_LINEAGE = re.compile(r"[0-9A-Za-z:,|_-]{1,256}")


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceHeaders:
    """What a request says of its trace, as it came; absent ones are empty."""

    traceparent: str = ""
    tracestate: str = ""
    xray: str = ""
    """X-Amzn-Trace-Id."""


NO_HEADERS = TraceHeaders()


def trace_headers_of(headers: Mapping[str, str]) -> TraceHeaders:
    """Those of a request; headers must find a name however it is spelt."""
    return TraceHeaders(
        traceparent=headers.get("traceparent", ""),
        tracestate=headers.get("tracestate", ""),
        xray=headers.get("x-amzn-trace-id", ""),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceContext:
    """The place of one invocation in a trace."""

    trace_id: str
    """32 hexadecimal digits."""
    parent_span_id: str
    """16 hexadecimal digits of the caller's span, or empty when the trace begins here."""
    span_id: str
    """16 hexadecimal digits of the invocation's own span; what the function does is below it."""
    sampled: bool
    """Whether the trace is kept."""
    tracestate: str = ""
    """What tracing systems on the way have noted, passed on as it came."""
    lineage: str = ""
    """X-Ray's Lineage, passed on as it came."""

    def traceparent(self) -> str:
        """What an OpenTelemetry SDK inside the function reads."""
        return f"00-{self.trace_id}-{self.span_id}-{'01' if self.sampled else '00'}"

    def xray_header(self) -> str:
        """What the Runtime API hands the function, and an X-Ray SDK reads."""
        root = f"1-{self.trace_id[:8]}-{self.trace_id[8:]}"
        lineage = f";Lineage={self.lineage}" if self.lineage else ""
        return f"Root={root};Parent={self.span_id};Sampled={'1' if self.sampled else '0'}{lineage}"

    def answer_headers(self) -> dict[str, str]:
        """What a caller is told of it; both headers name the same trace and span.

        traceresponse is W3C's name for a traceparent on its way back.
        """
        return {"X-Amzn-Trace-Id": self.xray_header(), "traceresponse": self.traceparent()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """What a caller's header says."""

    trace_id: str
    span_id: str
    """Empty when the header names a trace only."""
    sampled: bool | None
    """None when the caller leaves the choice to us."""
    tracestate: str = ""
    lineage: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """Which traces are kept, in the terms of OTEL_TRACES_SAMPLER."""

    follow_caller: bool
    """Do as the caller decided, where there is one that did."""
    share: float
    """Of the traces left to us: 0.0 keeps none, 1.0 all."""

    def keeps(self, trace_id: str, *, caller_sampled: bool | None) -> bool:
        """The same for every party that sees this trace id, as OpenTelemetry's ratio sampler is."""
        if self.follow_caller and caller_sampled is not None:
            return caller_sampled
        if self.share >= 1.0:
            return True
        return int(trace_id[16:], 16) < round(self.share * 2**64)


KEEP_ALL = Sampling(follow_caller=True, share=1.0)
"""OpenTelemetry's default: parentbased_always_on."""

KEEP_NONE = Sampling(follow_caller=False, share=0.0)
"""Whatever the caller decided."""


def sampling_of(name: str, argument: str) -> Sampling | None:
    """Read OTEL_TRACES_SAMPLER and OTEL_TRACES_SAMPLER_ARG; None when they make no sense.

    An empty name is the default. A ratio sampler without an argument keeps everything.
    """
    follow = name.startswith("parentbased_")
    match name.removeprefix("parentbased_"):
        case "":
            return KEEP_ALL if not name else None
        case "always_on":
            return Sampling(follow_caller=follow, share=1.0)
        case "always_off":
            return Sampling(follow_caller=follow, share=0.0)
        case "traceidratio":
            share = _ratio(argument)
            return None if share is None else Sampling(follow_caller=follow, share=share)
        case _:
            return None


def read(headers: TraceHeaders) -> Caller | None:
    """Who calls, by the headers that came; None where none is of use, which W3C says to ignore.

    A traceparent goes before X-Ray's header: where a client sends both, AWS's SDK wrote the second
    from its surroundings, and an OpenTelemetry SDK the first for this very call.
    """
    xray = parse_xray_header(headers.xray) if headers.xray else None
    caller = parse_traceparent(headers.traceparent) if headers.traceparent else None
    if caller is None:
        return xray
    return replace(
        caller,
        tracestate=_tracestate(headers.tracestate),
        lineage=xray.lineage if xray and xray.trace_id == caller.trace_id else "",
    )


def parse_traceparent(header: str) -> Caller | None:
    """Read a W3C traceparent of any version that keeps the first four fields."""
    match = _TRACEPARENT.fullmatch(header)
    if match is None:
        return None
    version, trace_id, span_id, flags, rest = match.groups()
    if version == "ff" or (version == "00" and rest) or trace_id == _NO_TRACE:
        return None
    if span_id == _NO_SPAN:
        return None
    sampled = bool(int(flags, 16) & _SAMPLED_FLAG)
    return Caller(trace_id=trace_id, span_id=span_id, sampled=sampled)


def parse_xray_header(header: str) -> Caller | None:
    """Read X-Amzn-Trace-Id: fields in any order, others (Self) passed over."""
    fields = dict(part.strip().partition("=")[::2] for part in header.split(";"))
    root = _ROOT.fullmatch(fields.get("Root", "").lower())
    if root is None or root[1] + root[2] == _NO_TRACE:
        return None
    parent = fields.get("Parent", "").lower()
    if not _SPAN_ID.fullmatch(parent) or parent == _NO_SPAN:
        parent = ""
    sampled = {"1": True, "0": False}.get(fields.get("Sampled", ""))
    lineage = fields.get("Lineage", "")
    return Caller(
        trace_id=root[1] + root[2],
        span_id=parent,
        sampled=sampled,
        lineage=lineage if _LINEAGE.fullmatch(lineage) else "",
    )


def begin(
    caller: Caller | None, sampling: Sampling, *, now_s: int, trace_bits: int, span_bits: int
) -> TraceContext:
    """Join the caller's trace, or begin one.

    Args:
        caller: What the request's header said.
        sampling: Which traces are kept.
        now_s: Seconds since the epoch, the first eight digits of a new trace id.
        trace_bits: 96 random bits for a new trace id.
        span_bits: 64 random bits for the invocation's own span; zero stands for "none", so it
            becomes one.
    """
    if caller is None:
        trace_id, parent, decided = f"{now_s & 0xFFFFFFFF:08x}{trace_bits:024x}", "", None
    else:
        trace_id, parent, decided = caller.trace_id, caller.span_id, caller.sampled
    return TraceContext(
        trace_id=trace_id,
        parent_span_id=parent,
        span_id=f"{span_bits or 1:016x}",
        sampled=sampling.keeps(trace_id, caller_sampled=decided),
        tracestate=caller.tracestate if caller else "",
        lineage=caller.lineage if caller else "",
    )


def _tracestate(header: str) -> str:
    """A tracestate that may travel on; one that is malformed is as good as none, says W3C."""
    if not header or len(header) > _TRACESTATE_BYTES_MAX:
        return ""
    members = [each.strip(" \t") for each in header.split(",")]
    members = [each for each in members if each]
    if len(members) > _TRACESTATE_MEMBERS_MAX:
        return ""
    if not all(_TRACESTATE_MEMBER.fullmatch(each) for each in members):
        return ""
    return ",".join(members)


def _ratio(argument: str) -> float | None:
    """A share between 0 and 1; absent means 1, anything else None."""
    if not argument:
        return 1.0
    try:
        share = float(argument)
    except ValueError:
        return None
    return share if 0.0 <= share <= 1.0 else None
