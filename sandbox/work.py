"""What the control plane asks of a host, as plain data.

The session turns frames into these; everything behind it speaks them and not protobuf.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from sandbox.spec import EGRESS


class StartLevel(Enum):
    """Where a sandbox came from."""

    WARM = "warm"
    TEMPLATE = "template"
    PARKED = "parked"
    FRESH = "fresh"


class RefusalReason(Enum):
    """Why nothing of an attempt ran."""

    MEMORY = "memory"
    BUSY = "busy"
    DISK = "disk"
    DRAINING = "draining"
    RUNTIME = "runtime"
    START_FAILED = "start failed"
    EPOCH = "epoch"
    RESTORE_FAILED = "restore failed"
    RESTORE_TIMED_OUT = "restore timed out"


class RefusedError(Exception):
    """An attempt is handed back; the scheduler may place it elsewhere.

    Attributes:
        reason: For the scheduler.
        message: For people.
    """

    def __init__(self, reason: RefusalReason, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """What a function signs its own calls with: a session of its role."""

    access_key_id: str
    secret_access_key: str = field(repr=False)
    session_token: str = field(repr=False)
    expires_s: float
    """Seconds since the epoch."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """The immutable description of what runs."""

    revision_id: str
    function_name: str
    version: str
    function_arn: str
    """Unqualified."""
    runtime_id: str
    handler: str
    log_group: str = ""
    """Empty for /aws/lambda/NAME."""
    log_format: str = "Text"
    """Text or JSON."""
    log_level: str = ""
    """Of the application's lines in a JSON log; empty for the default."""
    artifact_id: str
    artifact_size_bytes: int
    layers: tuple[str, ...] = ()
    """Packages of the layers, of which a later one covers files of an earlier one."""
    memory_size_mb: int
    ephemeral_storage_mb: int
    timeout_s: float
    environment: Mapping[str, str] = field(repr=False)
    """Values may be secrets."""
    network: str = EGRESS
    """egress, none, or the name of a network of this host."""
    snap_start: bool = False
    """Its init runs once on this host, and its sandboxes are copied from what that left."""
    region: str
    account_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamLimits:
    """How much of a streamed answer goes to the caller, and how fast."""

    size_bytes: int
    """What the answer may measure."""
    burst_bytes: int
    """How much goes out as fast as it comes."""
    bytes_per_s: int
    """How fast the rest goes out; 0 for as fast as it comes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One try at one invocation."""

    invocation_id: str
    revision: Revision
    payload: bytes
    payload_to_fetch_bytes: int
    """Above zero when the event must be fetched first."""
    invoked_function_arn: str
    client_context: str
    want_log_tail: bool
    trace_header: str
    queue_timeout_s: float
    credentials: Credentials | None = None
    """For the sandbox, should it have to be started."""
    stream: StreamLimits | None = None
    """Set when the caller takes a streamed answer as it comes."""
    tracestate: str = ""
    """W3C's, to go with the trace header."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Provision:
    """How many sandboxes of a revision shall be ready before any event comes."""

    revision: Revision
    wanted: int
    credentials: Credentials | None = None
    """For those that are started from now on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """A revision whose init is to run once, for the sandboxes to come."""

    revision: Revision
    credentials: Credentials | None = None
    """What that init signs its calls with."""


class SnapshotResult(Enum):
    """How the making of one ended."""

    READY = "ready"
    REFUSED = "refused"
    INIT_FAILED = "init failed"
    NOT_MADE = "not made"


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotMade:
    """The end of that."""

    revision_id: str
    result: SnapshotResult
    message: str = ""
    """Why not, for people."""
    error_type: str = ""
    """Of an init that failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """One measured part of an attempt."""

    name: str
    start_ns: int
    """Nanoseconds since the epoch."""
    end_ns: int
    parent: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptResult:
    """How an attempt that ran ended."""

    invocation_id: str
    payload: bytes
    """The answer or the error's JSON; of an answer that was streamed, only the error's."""
    content_type: str = ""
    """What the runtime said that its answer is; of errors empty."""
    function_error: str
    """Empty or Unhandled."""
    error_type: str
    log_tail: bytes
    start_level: StartLevel
    duration_ns: int
    billed_ms: int
    init_duration_ns: int
    restore_duration_ns: int = 0
    """0 unless this attempt waited for its sandbox to be copied from a template."""
    memory_peak_bytes: int
    memory_charge_bytes: int = 0
    """What one more seat takes, where this was one; 0 where it is the peak."""
    phases: tuple[Phase, ...]
    sandbox_id: str
    sandbox_kept: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LogRecord:
    """One line of a function's log."""

    time_ns: int
    function_name: str
    version: str
    invocation_id: str
    """Empty for lines of an init phase."""
    message: bytes
    log_stream: str
    log_group: str = ""
    """Empty for /aws/lambda/NAME."""
    trace_header: str = ""
    """X-Amzn-Trace-Id of the invocation; empty for lines of an init phase."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HostReport:
    """What a host says of itself every second."""

    memory_charged_bytes: int
    """Charged to all its sandboxes, busy and idle."""
    sandboxes: int
    parked: int
    """Sandboxes that wait inside their walls for a function; not counted above."""
    runtime_templates: int
    """Started runtimes from which sandboxes are forked."""
    function_templates: int
    """Initialised functions from which sandboxes are copied."""
    starts_waiting: int
    """Starts that wait for their turn."""
    logs_dropped: int
    """Lines, since the agent started."""
    disk_free_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HostDescription:
    """What a host says of itself in its Hello."""

    host_id: str
    architecture: str
    memory_bytes: int
    cpu_millis: int
    sandboxes_max: int
    runtimes: Mapping[str, str]
    """Exact version by runtime id."""
    labels: Mapping[str, str] = field(default_factory=dict)
    isolation_notes: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()
    """The named ones that it offers, beside egress and none."""
