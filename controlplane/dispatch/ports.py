"""What dispatch needs of the others, and nothing more."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

from controlplane.model.credentials import Credentials
from controlplane.model.invocation import InvocationRequest, StreamLimits
from controlplane.model.revision import Resolution, Revision


@dataclass(frozen=True, slots=True, kw_only=True)
class HostHello:
    """A host as it introduced itself."""

    host_id: str
    runtimes: Mapping[str, str]
    """Exact version by runtime id."""
    architecture: str
    memory_bytes: int
    cpu_millis: int
    sandboxes_max: int
    labels: Mapping[str, str]
    idle: Mapping[str, int]
    artifact_ids: frozenset[str]
    isolation_notes: tuple[str, ...]
    networks: frozenset[str] = frozenset()
    """The named ones that it offers, beside egress and none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """One attempt on its way to a host."""

    epoch: int
    request: InvocationRequest
    resolution: Resolution
    trace_header: str
    """What the Runtime API hands the function: Root=...;Parent=...;Sampled=..."""
    tracestate: str
    """W3C's, to go with it; may be empty."""
    queue_timeout_s: float
    credentials: Credentials | None
    """Of the function's role, for the sandbox if it must be started; None without any."""
    stream: StreamLimits | None
    """Set when the caller takes a streamed answer as it comes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvisionOrder:
    """How many sandboxes of a revision a host shall keep ready."""

    revision: Revision
    wanted: int
    """0 ends it."""
    credentials: Credentials | None
    """For those that are started from now on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvisionReport:
    """How far a host has come with that."""

    allocated: int
    """Initialised, those that run an event included."""
    failure: str
    """Why the newest start failed; empty while all goes well."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotOrder:
    """A revision whose init a host shall run once, for the sandboxes to come."""

    revision: Revision
    credentials: Credentials | None
    """What that init signs its calls with."""


class SnapshotResult(Enum):
    """How the making of a snapshot ended."""

    READY = "ready"
    REFUSED = "refused"
    """Init went well, but what it left cannot be copied: sandboxes start as any other."""
    INIT_FAILED = "init failed"
    NOT_MADE = "not made"
    """Not for want of a good function: another host, or a later try, may."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotReport:
    """What a host says of that."""

    result: SnapshotResult
    message: str
    """Why not; of an init that failed the error's JSON, if its runtime posted one."""
    error_type: str
    """Of an init that failed."""


class HostLink(Protocol):
    """A host's open stream. Sending never blocks; a link that is full is a host that is lost."""

    @property
    def host_id(self) -> str:
        """Whose stream it is."""

    def dispatch(self, placement: Placement) -> None:
        """Ask for one attempt."""

    def cancel(self, invocation_id: str) -> None:
        """Nobody waits for it any more."""

    def retire(self, revision_id: str) -> None:
        """Sandboxes of it will never be used again."""

    def drain(self) -> None:
        """Finish what runs, accept nothing new."""

    def provision(self, order: ProvisionOrder) -> None:
        """Keep so many sandboxes ready."""

    def snapshot(self, order: SnapshotOrder) -> None:
        """Run this revision's init once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HostReport:
    """What a host says of itself every second."""

    memory_charged_bytes: int = 0
    """Charged to all its sandboxes, busy and idle."""
    sandboxes: int = 0
    parked: int = 0
    """Sandboxes that wait inside their walls for a function; not counted above."""
    runtime_templates: int = 0
    """Started runtimes from which sandboxes are forked."""
    function_templates: int = 0
    """Initialised functions from which sandboxes are copied."""
    starts_waiting: int = 0
    """Starts that wait for their turn."""
    logs_dropped: int = 0
    """Lines, since the host started."""
    disk_free_bytes: int = 0


@dataclass(eq=False, slots=True)
class AttachedHost:
    """A host that is attached now, with its newest report."""

    hello: HostHello
    link: HostLink
    epoch: int
    attached_ns: int
    report: HostReport = HostReport()
    draining: bool = False
    provisioned: dict[str, ProvisionReport] = field(default_factory=dict)
    """Newest report by revision id."""


class Resolver(Protocol):
    """Finds what a function reference stands for, in memory."""

    def resolve(self, function_name: str, qualifier: str, draw: float) -> Resolution:
        """Pick the revision; draw in [0, 1) decides between weighted versions."""
