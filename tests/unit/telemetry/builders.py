"""Invocation records and log lines as the tests of telemetry need them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from controlplane.model.invocation import InvocationRecord, Phase, StartLevel
from controlplane.model.log import LogLine

TRACE_ID = "5759e988bd862e3fe1be46a994272793"
CALLER_SPAN_ID = "53995c3f42cd8ad8"
SPAN_ID = "00f067aa0ba902b7"
REQUEST_ID = "8e2a6a4e-8f5b-4d5c-9a55-6a7f5d6a1f00"
ARN = "arn:aws:lambda:us-east-1:000000000000:function:hello"
T0 = 1_800_000_000_000_000_000
MS = 1_000_000


def phase(name: str, start_ms: float, end_ms: float, parent: str = "") -> Phase:
    return Phase(
        name=name, start_ns=T0 + int(start_ms * MS), end_ns=T0 + int(end_ms * MS), parent=parent
    )


COLD = InvocationRecord(
    request_id=REQUEST_ID,
    trace_id=TRACE_ID,
    parent_span_id=CALLER_SPAN_ID,
    span_id=SPAN_ID,
    sampled=True,
    function_name="hello",
    function_arn=ARN,
    invoked_arn=f"{ARN}:live",
    version="3",
    memory_size_mb=128,
    start_ns=T0,
    end_ns=T0 + 60 * MS,
    phases=(
        phase("front", 0, 0.1),
        phase("schedule", 0.1, 0.2),
        phase("artifact", 0.5, 5),
        phase("sandbox", 5, 25),
        phase("mounts", 6, 9, "sandbox"),
        phase("init", 25, 50),
        phase("invoke", 50, 59),
    ),
    start_level=StartLevel.FRESH,
    host_id="host-1",
    sandbox_id="sandbox-1",
    error_type="",
    billed_ms=34,
    duration_ns=9 * MS,
    init_duration_ns=25 * MS,
    memory_peak_bytes=40 << 20,
    architecture="x86_64",
)
"""A first invocation that succeeded."""


def record(**changes: Any) -> InvocationRecord:
    return replace(COLD, **changes)


def line(message: bytes = b"text", **changes: Any) -> LogLine:
    plain = LogLine(
        function_name="hello",
        version="$LATEST",
        request_id=REQUEST_ID,
        log_group="/aws/lambda/hello",
        log_stream="2027/01/15/[$LATEST]0123456789abcdef0123456789abcdef",
        time_ns=T0,
        message=message,
    )
    return replace(plain, **changes)
