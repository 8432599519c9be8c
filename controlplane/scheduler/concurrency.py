"""Lambda's limits on how much runs at once and how fast it may grow.

Concurrency counts invocations in flight, those that wait on a host for a sandbox included. Each
takes a slot of one kind (lambda-behaviour.md 1.11, 2.9):

    provisioned   kept ready for one version or alias; taken first
    reserved      the rest of what is reserved for its function
    unreserved    the account's limit without what is kept for single functions, for all the others

Lambda's third limit, ten requests per second for each unit of concurrency, is not enforced yet.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import TypeVar

from controlplane.model.limits import ACCOUNT_CONCURRENCY
from controlplane.scheduler.commands import ThrottleReason
from controlplane.scheduler.events import InvocationArrived

SCALE_BURST = 1_000
"""New environments of one function at once, when it made none for a while."""

SCALE_PERIOD_S = 10.0
"""The time in which a whole burst is allowed again (Lambda: 1,000 every 10 s and function)."""


_Key = TypeVar("_Key")


class Slot(Enum):
    """What an invocation takes of the account's concurrency."""

    PROVISIONED = "provisioned"
    RESERVED = "reserved"
    UNRESERVED = "unreserved"


class Concurrency:
    """Counts invocations in flight for the account, for each function, and by their slots."""

    def __init__(
        self, account_limit: int = ACCOUNT_CONCURRENCY, claimed: Callable[[], int] = lambda: 0
    ) -> None:
        self.account_limit = account_limit
        self._claimed = claimed
        self.total = 0
        self.unreserved = 0
        """Of those, the ones in unreserved slots."""
        self.by_function: dict[str, int] = {}
        """Functions without any in flight are absent, here and below."""
        self.provisioned: dict[str, int] = {}
        """In provisioned slots, by function."""
        self._provisioned_here: dict[tuple[str, str], int] = {}
        """In provisioned slots, by function and qualifier."""

    @property
    def unreserved_limit(self) -> int:
        """What may run of functions for which nothing is kept."""
        return self.account_limit - self._claimed()

    def provisioned_in_use(self, function_name: str, qualifier: str) -> int:
        """Invocations in provisioned slots of one version or alias."""
        return self._provisioned_here.get((function_name, qualifier), 0)

    def slot_for(self, arrival: InvocationArrived) -> Slot | ThrottleReason:
        """The slot that one more invocation would take, or the limit that it would break."""
        name, ready = arrival.function_name, arrival.provisioned
        if self.total >= self.account_limit:
            return ThrottleReason.CONCURRENT_INVOCATION_LIMIT_EXCEEDED
        if ready and self._provisioned_here.get((name, ready.qualifier), 0) < ready.slots:
            return Slot.PROVISIONED
        if arrival.reserved_concurrency is not None:
            left = arrival.reserved_concurrency - (ready.function_slots if ready else 0)
            if self.by_function.get(name, 0) - self.provisioned.get(name, 0) < left:
                return Slot.RESERVED
            return ThrottleReason.RESERVED_FUNCTION_CONCURRENT_INVOCATION_LIMIT_EXCEEDED
        if self.unreserved >= self.unreserved_limit:
            return ThrottleReason.CONCURRENT_INVOCATION_LIMIT_EXCEEDED
        return Slot.UNRESERVED

    def begin(self, arrival: InvocationArrived, slot: Slot) -> None:
        """Count one more in a slot that slot_for() gave."""
        self._count(arrival, slot, 1)

    def end(self, arrival: InvocationArrived, slot: Slot) -> None:
        """Count one less; it must have begun."""
        self._count(arrival, slot, -1)

    def _count(self, arrival: InvocationArrived, slot: Slot, change: int) -> None:
        name = arrival.function_name
        self.total += change
        _tally(self.by_function, name, change)
        if slot is Slot.UNRESERVED:
            self.unreserved += change
        elif slot is Slot.PROVISIONED:
            assert arrival.provisioned is not None, arrival
            _tally(self.provisioned, name, change)
            _tally(self._provisioned_here, (name, arrival.provisioned.qualifier), change)


class ScaleRate:
    """A token bucket per function: each new environment takes a token.

    Tokens come back continuously and never pile up beyond one burst. A bucket that must be full
    again is forgotten, so only functions that grew within the last period take memory.
    """

    def __init__(self, burst: int = SCALE_BURST, period_s: float = SCALE_PERIOD_S) -> None:
        self.burst = burst
        self.period_s = period_s
        # Ordered by the last use: the stalest bucket is always the first.
        self._buckets: dict[str, tuple[float, float]] = {}

    def __len__(self) -> int:
        return len(self._buckets)

    def take(self, function_name: str, now_s: float) -> bool:
        """Take a token for one new environment; False when there is none."""
        self._forget_full(now_s)
        tokens, since_s = self._buckets.pop(function_name, (float(self.burst), now_s))
        elapsed_s = max(0.0, now_s - since_s)
        tokens = min(self.burst, tokens + elapsed_s * self.burst / self.period_s)
        granted = tokens >= 1.0
        self._buckets[function_name] = (tokens - 1.0 if granted else tokens, now_s)
        return granted

    def _forget_full(self, now_s: float) -> None:
        while self._buckets:
            stalest = next(iter(self._buckets))
            if now_s - self._buckets[stalest][1] < self.period_s:
                return
            del self._buckets[stalest]


def _tally(counts: dict[_Key, int], key: _Key, change: int) -> None:
    """Count up or down, and forget what has come to nothing."""
    left = counts.get(key, 0) + change
    if left:
        counts[key] = left
    else:
        del counts[key]
