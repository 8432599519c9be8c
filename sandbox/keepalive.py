"""How long an idle sandbox is kept: the longer, the more a new one would cost. Pure.

An idle sandbox holds memory on the chance of another event. What is lost without it is the time
of a start, so that is what it is weighed by: a function that starts in 20 ms is not worth ten
minutes of memory, one that loads a model is. `python -m benchmarks idle_cost` shows what a choice
of these numbers costs in memory and in cold starts.
"""

from __future__ import annotations

SHORTEST_S = 120.0
"""Even the quickest start costs processor time that an event within this time need not pay."""
LONGEST_S = 600.0
"""About what Lambda keeps them."""
WORTH = 3_000.0
"""Seconds of waiting for every second that a start takes."""


def keep_s(start_s: float) -> float:
    """How long to keep a sandbox whose start, init included, took so long."""
    return min(LONGEST_S, max(SHORTEST_S, start_s * WORTH))
