"""Random histories of a fleet: nothing bad ever happens, and something good always does."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from controlplane.model.revision import ProvisionedSlots
from controlplane.scheduler import (
    AttemptEnded,
    AttemptRefused,
    CancelOn,
    Command,
    Event,
    Fail,
    HostAttached,
    HostDraining,
    HostLost,
    HostReported,
    InvocationArrived,
    InvocationCancelled,
    Place,
    PoolChanged,
    RefusalReason,
    RetireOn,
    RevisionRetired,
    ScaleRate,
    Scheduler,
    Throttle,
)
from tests.unit.scheduler.playing import MIB

HOSTS = st.sampled_from(["a", "b", "c"])
FUNCTIONS = st.sampled_from(["f", "g", "h"])
RUNTIMES = st.frozensets(st.sampled_from(["python3.12", "python3.13"]))
RESERVED = {"f": 2, "g": None, "h": 0}
READY = {
    "f": ProvisionedSlots(qualifier="1", slots=1, function_slots=1),
    "g": ProvisionedSlots(qualifier="live", slots=1, function_slots=1),
    "h": None,
}
CLAIMED = 3
"""What f has reserved, and g provisioned."""
NETWORKS = st.frozensets(st.sampled_from(["cache", "db"]))
NETWORK_OF = {"f": "egress", "g": "db", "h": "none"}
COUNTS = st.integers(min_value=0, max_value=3)
ACCOUNT_LIMIT = 6


class History(RuleBasedStateMachine):
    """The world around a scheduler: hosts that come, go, refuse and lie about nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.scheduler = Scheduler(
            account_limit=ACCOUNT_LIMIT,
            claimed=lambda: CLAIMED,
            queue_timeout_s=5.0,
            queue_max=2,
            scale_rate=ScaleRate(burst=4, period_s=10.0),
        )
        self.now_s = 0.0
        self.epochs: dict[str, int] = {}
        self.draining: set[str] = set()
        self.places: dict[str, Place] = {}
        self.waiting: set[str] = set()
        self.arrived = 0
        self.ended: set[str] = set()
        self.function_of: dict[str, str] = {}
        self.newest_epoch = 0
        self.networks: dict[str, frozenset[str]] = {}

    def tell(self, event: Event) -> None:
        for command in self.scheduler.handle(event):
            self.obey(command)

    def obey(self, command: Command) -> None:
        match command:
            case Place():
                assert command.invocation_id in self.waiting
                assert command.invocation_id not in self.places
                assert self.epochs[command.host_id] == command.epoch
                assert command.host_id not in self.draining
                network = NETWORK_OF[self.function_of[command.invocation_id]]
                assert network in {"egress", "none", *self.networks[command.host_id]}
                assert 0 < command.queue_timeout_s <= 5.0
                self.places[command.invocation_id] = command
            case Throttle() | Fail():
                assert command.message
                self.settle(command.invocation_id)
            case CancelOn():
                assert self.places[command.invocation_id].host_id == command.host_id
            case RetireOn():
                assert command.host_id in self.epochs

    def settle(self, invocation_id: str) -> None:
        """The caller has an answer: the first and only one."""
        self.waiting.remove(invocation_id)
        assert invocation_id not in self.ended
        self.ended.add(invocation_id)

    @rule(host_id=HOSTS, runtimes=RUNTIMES, idle=COUNTS, sandboxes=COUNTS, networks=NETWORKS)
    def attach(
        self,
        host_id: str,
        runtimes: frozenset[str],
        idle: int,
        sandboxes: int,
        networks: frozenset[str],
    ) -> None:
        self.newest_epoch += 1
        self.networks[host_id] = networks
        self.forget_host(host_id)
        self.epochs[host_id] = self.newest_epoch
        self.tell(
            HostAttached(
                now_s=self.now_s,
                host_id=host_id,
                epoch=self.newest_epoch,
                memory_bytes=96 * MIB,
                sandboxes_max=sandboxes,
                cpu_millis=1000,
                runtimes=runtimes,
                architecture="x86_64",
                # A host holds sandboxes of those networks only that it offers.
                idle={"rev-f-1": idle} | ({"rev-g-2": 1} if "db" in networks else {}),
                artifacts=frozenset({"code-f"}),
                networks=networks,
            )
        )

    def forget_host(self, host_id: str) -> None:
        self.draining.discard(host_id)
        self.epochs.pop(host_id, None)
        gone = [key for key, place in self.places.items() if place.host_id == host_id]
        for key in gone:
            del self.places[key]

    @rule(host_id=HOSTS, staleness=st.integers(min_value=0, max_value=1))
    def lose(self, host_id: str, staleness: int) -> None:
        epoch = self.epochs.get(host_id, 0) - staleness
        if not staleness:
            self.forget_host(host_id)
        self.tell(HostLost(now_s=self.now_s, host_id=host_id, epoch=epoch))

    @rule(host_id=HOSTS)
    def drain(self, host_id: str) -> None:
        if host_id in self.epochs:
            self.draining.add(host_id)
        self.tell(HostDraining(now_s=self.now_s, host_id=host_id))

    @rule(function=FUNCTIONS, revision=st.integers(min_value=1, max_value=2))
    def arrive(self, function: str, revision: int) -> None:
        self.arrived += 1
        invocation_id = f"i{self.arrived}"
        self.waiting.add(invocation_id)
        self.function_of[invocation_id] = function
        self.tell(
            InvocationArrived(
                now_s=self.now_s,
                invocation_id=invocation_id,
                function_name=function,
                revision_id=f"rev-{function}-{revision}",
                runtime_id="python3.12",
                architecture="x86_64",
                artifact_id=f"code-{function}",
                reserved_concurrency=RESERVED[function],
                provisioned=READY[function],
                network=NETWORK_OF[function],
            )
        )
        assert invocation_id in self.places or invocation_id in self.ended

    @precondition(lambda self: self.places)
    @rule(data=st.data(), kept=st.booleans(), peak_mib=st.integers(0, 64))
    def end(self, data: st.DataObject, kept: bool, peak_mib: int) -> None:
        place = self.places.pop(data.draw(st.sampled_from(sorted(self.places))))
        self.answer(place, kept=kept, peak_mib=peak_mib)

    def answer(self, place: Place, *, kept: bool, peak_mib: int) -> None:
        if place.invocation_id in self.waiting:
            self.settle(place.invocation_id)
        self.tell(
            AttemptEnded(
                now_s=self.now_s,
                invocation_id=place.invocation_id,
                host_id=place.host_id,
                sandbox_kept=kept,
                memory_peak_bytes=peak_mib * MIB,
            )
        )

    @precondition(lambda self: self.places)
    @rule(data=st.data(), reason=st.sampled_from(RefusalReason))
    def refuse(self, data: st.DataObject, reason: RefusalReason) -> None:
        place = self.places.pop(data.draw(st.sampled_from(sorted(self.places))))
        if reason is RefusalReason.DRAINING:
            self.draining.add(place.host_id)
        self.tell(
            AttemptRefused(
                now_s=self.now_s,
                invocation_id=place.invocation_id,
                host_id=place.host_id,
                reason=reason,
                message="no",
            )
        )
        waits = place.invocation_id in self.waiting
        assert waits == (place.invocation_id in self.places)

    @precondition(lambda self: self.waiting)
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        invocation_id = data.draw(st.sampled_from(sorted(self.waiting)))
        self.settle(invocation_id)
        self.tell(InvocationCancelled(now_s=self.now_s, invocation_id=invocation_id))

    @rule(host_id=HOSTS, charged_mib=st.integers(0, 128), seconds=st.integers(0, 3))
    def report(self, host_id: str, charged_mib: int, seconds: int) -> None:
        self.now_s += seconds
        self.tell(
            HostReported(
                now_s=self.now_s,
                host_id=host_id,
                memory_charged_bytes=charged_mib * MIB,
                sandboxes=1,
            )
        )

    @rule(host_id=HOSTS, function=FUNCTIONS, idle=st.integers(min_value=-1, max_value=3))
    def change_pool(self, host_id: str, function: str, idle: int) -> None:
        if NETWORK_OF[function] not in {"egress", "none", *self.networks.get(host_id, ())}:
            idle = 0
        self.tell(
            PoolChanged(
                now_s=self.now_s, host_id=host_id, revision_id=f"rev-{function}-1", idle=idle
            )
        )

    @rule(function=FUNCTIONS)
    def retire(self, function: str) -> None:
        self.tell(RevisionRetired(now_s=self.now_s, revision_id=f"rev-{function}-1"))

    @rule()
    def hear_an_old_story(self) -> None:
        """News of an invocation that ended long ago, from a host that may not even be there."""
        before = self.scheduler.running
        for late in (
            AttemptEnded(
                now_s=self.now_s,
                invocation_id="i0",
                host_id="a",
                sandbox_kept=True,
                memory_peak_bytes=1,
            ),
            InvocationCancelled(now_s=self.now_s, invocation_id="i0"),
        ):
            assert self.scheduler.handle(late) == []
        assert self.scheduler.running == before

    @invariant()
    def the_books_are_right(self) -> None:
        self.scheduler.check_invariants()
        assert self.scheduler.running == len(self.places) <= ACCOUNT_LIMIT
        assert self.waiting <= self.places.keys()
        for function, reserved in RESERVED.items():
            running = [key for key in self.places if self.function_of[key] == function]
            assert reserved is None or len(running) <= reserved

    def teardown(self) -> None:
        """Once every host has answered, every caller has an answer and nothing is left."""
        while self.places:
            _, place = self.places.popitem()
            self.answer(place, kept=False, peak_mib=0)
        assert not self.waiting
        assert self.scheduler.running == 0
        assert len(self.ended) == self.arrived
        self.scheduler.check_invariants()


History.TestCase.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
TestAnySequence = History.TestCase
