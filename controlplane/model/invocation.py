"""One event, one try at running it, and how it ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from controlplane.model.trace import TraceContext


class StartLevel(Enum):
    """Where a sandbox came from."""

    WARM = "warm"
    TEMPLATE = "template"
    PARKED = "parked"
    FRESH = "fresh"


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamLimits:
    """How much of a streamed answer goes to the caller, and how fast. Defaults are Lambda's."""

    size_bytes: int = 200 * 1024 * 1024
    """What the answer may measure."""
    burst_bytes: int = 6 * 1024 * 1024
    """How much goes out as fast as it comes."""
    bytes_per_s: int = 2 * 1024 * 1024
    """How fast the rest goes out; 0 for as fast as it comes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InvocationRequest:
    """A synchronous invocation as a front hands it to dispatch."""

    request_id: str
    """A UUID."""
    function_name: str
    """A name, name:qualifier, partial ARN or ARN, as the caller wrote it."""
    qualifier: str
    """Empty when the caller gave none."""
    payload: bytes
    """JSON, already checked."""
    client_context: str
    """JSON, or empty."""
    want_log_tail: bool
    trace: TraceContext
    """Where it stands in its caller's trace, or in one that begins here."""
    arrival_ns: int
    """When the front had read it, in nanoseconds since the epoch."""
    said: Mapping[str, str] = field(default_factory=dict)
    """What its front tells of the call in OpenTelemetry's names: faas.trigger, rpc.*, http.*."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """One measured part of an attempt."""

    name: str
    start_ns: int
    """Nanoseconds since the epoch."""
    end_ns: int
    parent: str
    """The phase it is a part of, or empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedAttempt:
    """A host that handed an invocation back, and what it cost."""

    host_id: str
    reason: str
    message: str
    start_ns: int
    """When it was given to the host, in nanoseconds since the epoch."""
    end_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptResult:
    """What a host reports of one attempt that ran."""

    payload: bytes
    """The answer or the error's JSON; of an answer that was streamed, only the error's."""
    content_type: str = ""
    """What the runtime said that its answer is; of errors empty."""
    function_error: str
    """Empty or Unhandled."""
    error_type: str
    """Sandbox.Timedout, Runtime.ExitError, ..., or empty."""
    log_tail: bytes
    start_level: StartLevel
    duration_ns: int
    billed_ms: int
    init_duration_ns: int
    """0 unless this attempt waited for an init that succeeded."""
    restore_duration_ns: int = 0
    """0 unless this attempt waited for its sandbox to be copied from a snapshot."""
    memory_peak_bytes: int
    memory_charge_bytes: int = 0
    """What one more sandbox of its kind takes; 0 where that is the peak."""
    phases: tuple[Phase, ...]
    sandbox_id: str
    sandbox_kept: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class InvocationResult:
    """The definite end of an invocation that ran."""

    request_id: str
    trace_id: str
    executed_version: str
    host_id: str
    attempt: AttemptResult


@dataclass(frozen=True, slots=True, kw_only=True)
class InvocationRecord:
    """Everything telemetry and metering want to know of one invocation, made after the answer."""

    request_id: str
    trace_id: str
    """32 hexadecimal digits."""
    parent_span_id: str
    """16 hexadecimal digits of the caller's span, or empty."""
    span_id: str
    """16 hexadecimal digits of the invocation's own span, which the function was told."""
    sampled: bool
    function_name: str
    function_arn: str
    """Unqualified."""
    invoked_arn: str
    """As the caller wrote it: with a qualifier only if one was given."""
    version: str
    memory_size_mb: int
    start_ns: int
    end_ns: int
    phases: tuple[Phase, ...]
    """front and schedule from the control plane, the rest from the host."""
    start_level: StartLevel | None
    """None when nothing ran."""
    host_id: str
    sandbox_id: str
    error_type: str
    """Why it failed: a function's error type, or the reason of an EmberdError; empty on success."""
    billed_ms: int
    duration_ns: int = 0
    """Of the event alone, without the init."""
    init_duration_ns: int = 0
    """0 unless this invocation waited for an init that succeeded."""
    memory_peak_bytes: int = 0
    architecture: str = ""
    """x86_64 or arm64."""
    refused: tuple[RefusedAttempt, ...] = ()
    """Hosts that handed it back before the one that ran it, oldest first."""
    error_message: str = ""
    """Of an EmberdError."""
    error_payload: bytes = b""
    """Of a function's failure, what it answered; empty when that is very large."""
    said: Mapping[str, str] = field(default_factory=dict)
    """What its front tells of the call in OpenTelemetry's names."""
    provisioned: bool | None = None
    """Whether an environment kept ready took it; None where its qualifier has none."""

    @property
    def remarkable(self) -> bool:
        """Whether its trace is wanted whatever the sampler drew: it failed, or it started cold.

        A refusal for lack of concurrency or room is a failure too.
        """
        return bool(self.error_type) or self.start_level not in (None, StartLevel.WARM)
