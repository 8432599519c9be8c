"""Every invocation in flight, whether its caller still waits or not."""

from __future__ import annotations

from collections import Counter

from controlplane.scheduler.concurrency import Concurrency, Slot
from controlplane.scheduler.events import InvocationArrived
from controlplane.scheduler.fleet import Fleet
from controlplane.scheduler.host import Host, InFlight

ABANDONED_S = 960.0
"""By then an invocation has ended whose caller has gone, even if its host never says so: the
longest time-out is 900 s."""


class Ledger:
    """Opens and closes invocations and counts them; nothing is kept of one that is closed."""

    def __init__(self, concurrency: Concurrency) -> None:
        self.concurrency = concurrency
        self._open: dict[str, InFlight] = {}
        # In the order in which their callers left, which is the order in which they expire.
        self._abandoned: dict[str, float] = {}

    def open(self, arrival: InvocationArrived, slot: Slot, deadline_s: float) -> InFlight:
        """Count an invocation; its id must be new."""
        assert arrival.invocation_id not in self._open, arrival.invocation_id
        invocation = InFlight(arrival=arrival, slot=slot, deadline_s=deadline_s)
        self._open[arrival.invocation_id] = invocation
        self.concurrency.begin(arrival, slot)
        return invocation

    def close(self, invocation: InFlight) -> None:
        """It has ended, and is on no host any more."""
        invocation_id = invocation.arrival.invocation_id
        del self._open[invocation_id]
        self._abandoned.pop(invocation_id, None)
        self.concurrency.end(invocation.arrival, invocation.slot)

    def get(self, invocation_id: str) -> tuple[InFlight, Host] | None:
        """An invocation in flight and where it is."""
        invocation = self._open.get(invocation_id)
        return None if invocation is None else _located(invocation)

    def get_at(self, invocation_id: str, host_id: str) -> tuple[InFlight, Host] | None:
        """The same, if it is on that host: what another one says of it is late or untrue."""
        found = self.get(invocation_id)
        return None if found is None or found[1].host_id != host_id else found

    def abandon(self, invocation: InFlight, now_s: float) -> None:
        """The caller has gone.

        It goes on and must go on counting: otherwise a caller who hangs up again and again would
        run more than any limit allows.
        """
        invocation.abandoned = True
        self._abandoned[invocation.arrival.invocation_id] = now_s + ABANDONED_S

    def expired(self, now_s: float) -> list[tuple[InFlight, Host]]:
        """Abandoned invocations that must have ended by now."""
        due = []
        for invocation_id, end_s in self._abandoned.items():
            if now_s < end_s:
                break
            due.append(_located(self._open[invocation_id]))
        return due

    def check_invariants(self, fleet: Fleet) -> None:
        """Raise AssertionError when the books contradict each other."""
        placed = [invocation_id for host in fleet for invocation_id in host.in_flight]
        assert sorted(placed) == sorted(self._open), "in flight, but not on exactly one host"
        left = {key for key, invocation in self._open.items() if invocation.abandoned}
        assert left == set(self._abandoned)
        concurrency = self.concurrency
        assert Counter(self._names(*Slot)) == concurrency.by_function
        assert Counter(self._names(Slot.PROVISIONED)) == concurrency.provisioned
        assert len(self._names(Slot.UNRESERVED)) == concurrency.unreserved
        assert len(self._open) == concurrency.total <= concurrency.account_limit

    def _names(self, *slots: Slot) -> list[str]:
        """The function of every invocation in slots of these kinds."""
        return [each.arrival.function_name for each in self._open.values() if each.slot in slots]


def _located(invocation: InFlight) -> tuple[InFlight, Host]:
    """With its host: between two events everything in flight is on one."""
    assert invocation.host is not None, invocation
    return invocation, invocation.host
