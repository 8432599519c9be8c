"""One attached host as the scheduler knows it, and one invocation in flight."""

from __future__ import annotations

from dataclasses import dataclass, field

from controlplane.scheduler.concurrency import Slot
from controlplane.scheduler.events import HostAttached, InvocationArrived, RefusalReason

ARTIFACTS_MAX = 10_000
"""Packages remembered for one host, as many as a Hello names; the oldest are forgotten first."""


@dataclass(eq=False, slots=True, kw_only=True)
class InFlight:
    """An invocation between its arrival and its end."""

    arrival: InvocationArrived
    slot: Slot
    """What it takes of the account's concurrency."""
    deadline_s: float
    """Until then it may wait for a sandbox, on whatever hosts."""
    host: Host | None = None
    """Where it was placed; None only while a host is being chosen."""
    charge_bytes: int = 0
    """What it holds of its host's memory."""
    environment_counted: bool = False
    """It has taken its token for a new environment."""
    abandoned: bool = False
    """The caller has gone: no more commands, but it counts until its end."""
    refusals: dict[str, tuple[RefusalReason, str]] = field(default_factory=dict)
    """Reason and message of each host that handed it back."""


@dataclass(eq=False, slots=True, kw_only=True)
class Host:
    """What is known of a host, and what was promised to it since its last report."""

    host_id: str
    epoch: int
    memory_bytes: int
    sandboxes_max: int
    cpu_millis: int
    runtimes: set[str]
    architecture: str
    networks: frozenset[str]
    artifacts: dict[str, None]
    draining: bool = False
    full: bool = False
    """It refused for lack of memory or disk and has not been heard of since."""
    idle: dict[str, int] = field(default_factory=dict)
    """Idle warm sandboxes by revision; never a zero."""
    in_flight: dict[str, InFlight] = field(default_factory=dict)
    """By invocation id."""
    revisions: dict[str, int] = field(default_factory=dict)
    """Invocations in flight by revision; never a zero."""
    charged_bytes: int = 0
    """Held by invocations in flight. Idle sandboxes hold nothing: a host drops them for room."""
    reported_bytes: int = 0
    """Charged to all its sandboxes when it last reported."""
    promised_bytes: int = 0
    """For sandboxes that it was asked to start since."""

    @classmethod
    def attached(cls, event: HostAttached) -> Host:
        """A host as it introduces itself."""
        return cls(
            host_id=event.host_id,
            epoch=event.epoch,
            memory_bytes=event.memory_bytes,
            sandboxes_max=event.sandboxes_max,
            cpu_millis=event.cpu_millis,
            runtimes=set(event.runtimes),
            architecture=event.architecture,
            networks=event.networks,
            artifacts=dict.fromkeys(event.artifacts),
        )

    @property
    def room_bytes(self) -> int:
        """Memory that nobody holds, not even an idle sandbox."""
        return self.memory_bytes - self.reported_bytes - self.promised_bytes

    @property
    def load(self) -> float:
        """Invocations in flight per core."""
        return len(self.in_flight) * 1000 / max(self.cpu_millis, 1)

    def begin(self, invocation: InFlight, charge_bytes: int) -> None:
        """Book an invocation here."""
        revision_id = invocation.arrival.revision_id
        invocation.host = self
        invocation.charge_bytes = charge_bytes
        self.in_flight[invocation.arrival.invocation_id] = invocation
        self.revisions[revision_id] = self.revisions.get(revision_id, 0) + 1
        self.charged_bytes += charge_bytes

    def end(self, invocation: InFlight) -> None:
        """Take an invocation off the books."""
        revision_id = invocation.arrival.revision_id
        del self.in_flight[invocation.arrival.invocation_id]
        self.charged_bytes -= invocation.charge_bytes
        invocation.host = None
        left = self.revisions[revision_id] - 1
        if left:
            self.revisions[revision_id] = left
        else:
            del self.revisions[revision_id]

    def keep_artifact(self, artifact_id: str) -> None:
        """The package is on the host now."""
        self.artifacts.setdefault(artifact_id)
        if len(self.artifacts) > ARTIFACTS_MAX:
            del self.artifacts[next(iter(self.artifacts))]
