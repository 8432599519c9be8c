"""What happened: everything that the scheduler is told.

Every event carries now_s, seconds on any clock that never goes back; nothing here reads one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from controlplane.model.networks import EGRESS
from controlplane.model.revision import ProvisionedSlots


class RefusalReason(Enum):
    """Why a host ran nothing of an attempt."""

    MEMORY = "memory"
    BUSY = "busy"
    DISK = "disk"
    DRAINING = "draining"
    RUNTIME = "runtime"
    START_FAILED = "start failed"
    EPOCH = "epoch"
    RESTORE_FAILED = "restore failed"
    RESTORE_TIMED_OUT = "restore timed out"


@dataclass(frozen=True, slots=True, kw_only=True)
class InvocationArrived:
    """A caller waits for this invocation."""

    now_s: float
    invocation_id: str
    """Unique among all that are in flight."""
    function_name: str
    revision_id: str
    runtime_id: str
    architecture: str
    """x86_64 or arm64."""
    artifact_id: str
    reserved_concurrency: int | None
    """The function's own limit at this moment, or None."""
    provisioned: ProvisionedSlots | None = None
    """What is kept ready for the function at this moment, if anything."""
    network: str = EGRESS
    """What it wants to reach."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptEnded:
    """A host reports that an attempt ran to its end, whatever the function made of it."""

    now_s: float
    invocation_id: str
    host_id: str
    sandbox_kept: bool
    """The sandbox is idle and warm again."""
    memory_peak_bytes: int
    """What one more of its kind takes; 0 when it was not measured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptRefused:
    """A host hands an attempt back; nothing of it ran."""

    now_s: float
    invocation_id: str
    host_id: str
    reason: RefusalReason
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InvocationCancelled:
    """The caller has gone. What runs goes on, as on Lambda, and counts until its end."""

    now_s: float
    invocation_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HostAttached:
    """A host opened its stream. An older life of the same host is over with it."""

    now_s: float
    host_id: str
    epoch: int
    memory_bytes: int
    """What its sandboxes may use together."""
    sandboxes_max: int
    cpu_millis: int
    """Thousandths of a core."""
    runtimes: frozenset[str]
    architecture: str
    idle: Mapping[str, int]
    """Idle warm sandboxes by revision id."""
    artifacts: frozenset[str]
    """Ids of the packages that are there."""
    networks: frozenset[str] = frozenset()
    """Named ones that it offers, beside those of every host."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HostLost:
    """A host's stream is over."""

    now_s: float
    host_id: str
    epoch: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HostDraining:
    """A host finishes what runs and takes nothing new."""

    now_s: float
    host_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HostReported:
    """A host's heartbeat."""

    now_s: float
    host_id: str
    memory_charged_bytes: int
    """Charged to all its sandboxes, busy and idle."""
    sandboxes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolChanged:
    """A host's idle sandboxes of one revision, counted anew."""

    now_s: float
    host_id: str
    revision_id: str
    idle: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RevisionRetired:
    """No new invocation will ask for this revision."""

    now_s: float
    revision_id: str


Event = (
    InvocationArrived
    | AttemptEnded
    | AttemptRefused
    | InvocationCancelled
    | HostAttached
    | HostLost
    | HostDraining
    | HostReported
    | PoolChanged
    | RevisionRetired
)
