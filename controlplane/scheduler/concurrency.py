"""Lambda's limits on how much runs at once and how fast it may grow.

Concurrency counts invocations in flight, those that wait on a host for a sandbox included. Lambda's
third limit, ten requests per second for each unit of concurrency, is not enforced yet, and neither
is room held for reserved functions that are not running: that needs the reservations of all
functions, where an arrival only brings its own.
"""

from __future__ import annotations

from controlplane.model.limits import ACCOUNT_CONCURRENCY
from controlplane.scheduler.commands import ThrottleReason

SCALE_BURST = 1_000
"""New environments of one function at once, when it made none for a while."""

SCALE_PERIOD_S = 10.0
"""The time in which a whole burst is allowed again (Lambda: 1,000 every 10 s and function)."""


class Concurrency:
    """Counts invocations in flight for the account and for each function."""

    def __init__(self, account_limit: int = ACCOUNT_CONCURRENCY) -> None:
        self.account_limit = account_limit
        self.total = 0
        self.by_function: dict[str, int] = {}
        """Functions without any in flight are absent."""

    def refusal(self, function_name: str, reserved: int | None) -> ThrottleReason | None:
        """Say which limit one more invocation of this function would break, if any."""
        if reserved is not None and self.by_function.get(function_name, 0) >= reserved:
            return ThrottleReason.RESERVED_FUNCTION_CONCURRENT_INVOCATION_LIMIT_EXCEEDED
        if self.total >= self.account_limit:
            return ThrottleReason.CONCURRENT_INVOCATION_LIMIT_EXCEEDED
        return None

    def begin(self, function_name: str) -> None:
        """Count one more."""
        self.total += 1
        self.by_function[function_name] = self.by_function.get(function_name, 0) + 1

    def end(self, function_name: str) -> None:
        """Count one less; it must have begun."""
        self.total -= 1
        left = self.by_function[function_name] - 1
        if left:
            self.by_function[function_name] = left
        else:
            del self.by_function[function_name]


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
