"""The scheduler's only entry point: one event in, commands out.

Nothing here awaits, reads a clock, logs or knows about gRPC, so a test can play any interleaving
and a recorded list of events replays to the same decisions.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import assert_never

from controlplane.model.limits import ACCOUNT_CONCURRENCY
from controlplane.scheduler import feasibility, verdicts
from controlplane.scheduler.choice import Way, choose
from controlplane.scheduler.commands import CancelOn, Command, Place, RetireOn, ThrottleReason
from controlplane.scheduler.concurrency import Concurrency, ScaleRate, Slot
from controlplane.scheduler.events import (
    AttemptEnded,
    AttemptRefused,
    Event,
    HostAttached,
    HostDraining,
    HostLost,
    HostReported,
    InvocationArrived,
    InvocationCancelled,
    PoolChanged,
    RefusalReason,
    RevisionRetired,
)
from controlplane.scheduler.fleet import Fleet
from controlplane.scheduler.host import Host, InFlight
from controlplane.scheduler.ledger import Ledger
from controlplane.scheduler.peaks import Peaks

QUEUE_TIMEOUT_S = 20.0
"""From its arrival an invocation waits this long for a sandbox, on however many hosts."""

QUEUE_MAX = 1_000
"""Invocations that may wait on one host beyond what it can run at once."""

RETIRED_MAX = 10_000
"""Retired revisions remembered, so that late news of them leaves nothing behind."""


class Scheduler:
    """Decides where each invocation runs, and counts what runs.

    Invariants: every invocation ends exactly once; the account's and each function's concurrency
    is never exceeded; nothing is kept of an invocation that has ended.
    """

    def __init__(
        self,
        *,
        account_limit: int = ACCOUNT_CONCURRENCY,
        claimed: Callable[[], int] = lambda: 0,
        queue_timeout_s: float = QUEUE_TIMEOUT_S,
        queue_max: int = QUEUE_MAX,
        scale_rate: ScaleRate | None = None,
    ) -> None:
        """Begin with no host.

        Args:
            account_limit: What all functions may run at once.
            claimed: How much of that is kept for single functions at this moment.
            queue_timeout_s: How long an invocation may wait for a sandbox.
            queue_max: How many may wait on one host.
            scale_rate: How fast a function may grow.
        """
        self._queue_timeout_s = queue_timeout_s
        self._queue_max = queue_max
        self._concurrency = Concurrency(account_limit, claimed)
        self._scale_rate = ScaleRate() if scale_rate is None else scale_rate
        self._ledger = Ledger(self._concurrency)
        self._fleet = Fleet()
        self._peaks = Peaks()
        self._retired: dict[str, None] = {}

    @property
    def running(self) -> int:
        """Invocations in flight now: Lambda's ConcurrentExecutions."""
        return self._concurrency.total

    @property
    def unreserved(self) -> int:
        """Of those, the ones in nobody's reservation: UnreservedConcurrentExecutions."""
        return self._concurrency.unreserved

    @property
    def claimed(self) -> int:
        """Those, and what is kept for single functions, used or not: ClaimedAccountConcurrency."""
        concurrency = self._concurrency
        return concurrency.unreserved + concurrency.account_limit - concurrency.unreserved_limit

    @property
    def running_by_function(self) -> dict[str, int]:
        """Invocations in flight by function; those without any are absent."""
        return dict(self._concurrency.by_function)

    def provisioned_in_use(self, function_name: str, qualifier: str) -> int:
        """Invocations in slots that are kept ready for one version or alias."""
        return self._concurrency.provisioned_in_use(function_name, qualifier)

    def idle_on(self, host_id: str) -> int:
        """Idle warm sandboxes that a host is known to hold."""
        host = self._fleet.get(host_id)
        return 0 if host is None else sum(host.idle.values())

    def idle_of(self, revision_id: str) -> int:
        """Idle warm sandboxes of a revision on all hosts."""
        return sum(host.idle.get(revision_id, 0) for host in self._fleet)

    def handle(self, event: Event) -> list[Command]:
        """Apply one event and return what must now be done, in order."""
        match event:
            case InvocationArrived():
                return self._on_arrived(event)
            case AttemptEnded():
                return self._on_ended(event)
            case HostReported():
                return self._on_reported(event)
            case PoolChanged():
                return self._on_pool_changed(event)
            case AttemptRefused():
                return self._on_refused(event)
            case InvocationCancelled():
                return self._on_cancelled(event)
            case RevisionRetired():
                return self._on_retired(event)
            case HostAttached():
                return self._on_attached(event)
            case HostLost():
                return self._on_lost(event)
            case HostDraining():
                return self._on_draining(event)
            case _:
                assert_never(event)

    def check_invariants(self) -> None:
        """Raise AssertionError when the books contradict each other. For tests."""
        self._fleet.check_invariants()
        self._ledger.check_invariants(self._fleet)
        assert not self._retired.keys() & self._fleet.revisions_idle()

    def _on_arrived(self, event: InvocationArrived) -> list[Command]:
        slot = self._concurrency.slot_for(event)
        if isinstance(slot, ThrottleReason):
            return [verdicts.limit_reached(slot, event, self._concurrency)]
        # Equal descriptions have equal ids: a change that is taken back revives a revision.
        self._retired.pop(event.revision_id, None)
        invocation = self._ledger.open(event, slot, event.now_s + self._queue_timeout_s)
        return [self._place(invocation, event.now_s)]

    def _place(self, invocation: InFlight, now_s: float) -> Command:
        """Book it on the best host, or end it."""
        arrival = invocation.arrival
        charge_bytes = self._peaks.charge_of(arrival.revision_id, arrival.runtime_id)
        choice = choose(self._fleet, invocation, charge_bytes, self._queue_max)
        if choice is None:
            self._ledger.close(invocation)
            return verdicts.unplaceable(invocation, self._fleet)
        host = choice.host
        if choice.way is Way.WARM:
            self._fleet.take_idle(host, arrival.revision_id)
        elif choice.way is Way.START:
            if not self._may_grow(invocation, now_s):
                self._ledger.close(invocation)
                return verdicts.growing_too_fast(arrival, self._scale_rate)
            host.promised_bytes += charge_bytes
        host.begin(invocation, charge_bytes)
        return Place(
            invocation_id=arrival.invocation_id,
            host_id=host.host_id,
            epoch=host.epoch,
            queue_timeout_s=invocation.deadline_s - now_s,
            provisioned=invocation.slot is Slot.PROVISIONED,
        )

    def _may_grow(self, invocation: InFlight, now_s: float) -> bool:
        """Whether its function may have one more environment; one invocation pays only once."""
        if not invocation.environment_counted:
            function_name = invocation.arrival.function_name
            invocation.environment_counted = self._scale_rate.take(function_name, now_s)
        return invocation.environment_counted

    def _on_ended(self, event: AttemptEnded) -> list[Command]:
        found = self._ledger.get_at(event.invocation_id, event.host_id)
        if found is None:
            return []
        invocation, host = found
        revision_id = invocation.arrival.revision_id
        handed_over = _goes_to_a_waiter(invocation, host)
        host.end(invocation)
        host.full = False
        host.keep_artifact(invocation.arrival.artifact_id)
        if revision_id not in self._retired:
            self._peaks.measured(revision_id, event.memory_peak_bytes)
            if event.sandbox_kept and not handed_over:
                self._fleet.give_idle(host, revision_id)
        self._ledger.close(invocation)
        return []

    def _on_refused(self, event: AttemptRefused) -> list[Command]:
        found = self._ledger.get_at(event.invocation_id, event.host_id)
        if found is None:
            return []
        invocation, host = found
        host.end(invocation)
        self._learn_from(event.reason, invocation, host)
        invocation.refusals[host.host_id] = (event.reason, event.message)
        if invocation.abandoned:
            self._ledger.close(invocation)
            return []
        if event.now_s >= invocation.deadline_s or verdicts.start_failed_enough(invocation):
            self._ledger.close(invocation)
            return [verdicts.unplaceable(invocation, self._fleet)]
        return [self._place(invocation, event.now_s)]

    def _learn_from(self, reason: RefusalReason, invocation: InFlight, host: Host) -> None:
        """A refusal says something about the host, and that it has no idle sandbox."""
        self._fleet.set_idle(host, invocation.arrival.revision_id, 0)
        if reason is RefusalReason.DRAINING:
            self._fleet.drain(host)
        elif reason is RefusalReason.RUNTIME:
            self._fleet.drop_runtime(host, invocation.arrival.runtime_id)
        elif reason in (RefusalReason.MEMORY, RefusalReason.DISK):
            host.full = True

    def _on_cancelled(self, event: InvocationCancelled) -> list[Command]:
        found = self._ledger.get(event.invocation_id)
        if found is None or found[0].abandoned:
            return []
        invocation, host = found
        self._ledger.abandon(invocation, event.now_s)
        return [CancelOn(host_id=host.host_id, invocation_id=event.invocation_id)]

    def _on_attached(self, event: HostAttached) -> list[Command]:
        known = self._fleet.get(event.host_id)
        if known is not None and known.epoch > event.epoch:
            return []
        commands = [] if known is None else self._lose(known)
        host = Host.attached(event)
        self._fleet.add(host)
        for revision_id, count in event.idle.items():
            if revision_id in self._retired:
                commands.append(RetireOn(host_id=host.host_id, revision_id=revision_id))
            else:
                self._fleet.set_idle(host, revision_id, count)
                host.reported_bytes += max(count, 0) * self._peaks.charge_of(revision_id)
        return commands

    def _on_lost(self, event: HostLost) -> list[Command]:
        host = self._fleet.get(event.host_id)
        return [] if host is None or host.epoch != event.epoch else self._lose(host)

    def _lose(self, host: Host) -> list[Command]:
        """End everything that ran there, once and definitely."""
        commands: list[Command] = []
        for invocation in list(host.in_flight.values()):
            host.end(invocation)
            self._ledger.close(invocation)
            if not invocation.abandoned:
                commands.append(verdicts.host_lost(invocation.arrival.invocation_id, host.host_id))
        self._fleet.remove(host)
        return commands

    def _on_draining(self, event: HostDraining) -> list[Command]:
        host = self._fleet.get(event.host_id)
        if host is not None:
            self._fleet.drain(host)
        return []

    def _on_reported(self, event: HostReported) -> list[Command]:
        host = self._fleet.get(event.host_id)
        if host is not None:
            host.reported_bytes = event.memory_charged_bytes
            host.promised_bytes = 0
            host.full = False
        for invocation, its_host in self._ledger.expired(event.now_s):
            its_host.end(invocation)
            self._ledger.close(invocation)
        return []

    def _on_pool_changed(self, event: PoolChanged) -> list[Command]:
        host = self._fleet.get(event.host_id)
        if host is not None and event.revision_id not in self._retired:
            self._fleet.set_idle(host, event.revision_id, event.idle)
        return []

    def _on_retired(self, event: RevisionRetired) -> list[Command]:
        self._fleet.forget_idle(event.revision_id)
        self._peaks.forget(event.revision_id)
        self._retired[event.revision_id] = None
        if len(self._retired) > RETIRED_MAX:
            del self._retired[next(iter(self._retired))]
        # Hosts may hold more of it than is known here (parked, broken, starting): all are told.
        return [
            RetireOn(host_id=host.host_id, revision_id=event.revision_id) for host in self._fleet
        ]


def _goes_to_a_waiter(invocation: InFlight, host: Host) -> bool:
    """Whether the sandbox that comes free has another invocation waiting for it."""
    return (
        host.revisions[invocation.arrival.revision_id] > 1
        and feasibility.waiting(host, invocation.charge_bytes) > 0
    )
