"""When invocations are due, in seconds from the start of an open loop."""

from __future__ import annotations

import random


def constant(rate_per_s: float, duration_s: float) -> list[float]:
    """Evenly spaced."""
    return [number / rate_per_s for number in range(int(rate_per_s * duration_s))]


def poisson(rate_per_s: float, duration_s: float, seed: int) -> list[float]:
    """As many independent callers would: the gaps are exponential."""
    chance = random.Random(seed)
    due_s, times = 0.0, []
    while (due_s := due_s + chance.expovariate(rate_per_s)) < duration_s:
        times.append(due_s)
    return times
