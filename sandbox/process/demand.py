"""How many sandboxes should wait parked, from how many were taken lately. Pure: time is given.

Bursts come again: what was taken within a few seconds is kept ready for a minute. A sandbox that
waits costs memory, so there is a limit; one that is missing costs the next burst some ten times
what it costs to take it.
"""

from __future__ import annotations

from collections import deque

BURST_S = 3
"""What is taken within so many whole seconds is one burst: making what it lacks slows it down."""
REMEMBERED_S = 60


class Demand:
    """Counts by kind; one kind's burst keeps nothing of another kind ready."""

    def __init__(self, *, least: int, most: int) -> None:
        """least wait without any demand, most with any."""
        self._least = least
        self._most = max(least, most)
        self._taken: dict[str, deque[list[int]]] = {}
        """Whole seconds in which some were taken, and how many."""

    def took(self, kind: str, now_s: float) -> None:
        """One was taken, or would have been had one been there."""
        seconds, now = self._taken.setdefault(kind, deque()), int(now_s)
        if seconds and seconds[-1][0] == now:
            seconds[-1][1] += 1
        else:
            seconds.append([now, 1])

    def wanted(self, kind: str, now_s: float) -> int:
        """How many of this kind should wait."""
        seconds = self._taken.get(kind)
        if seconds is None:
            return self._least
        while seconds and seconds[0][0] < now_s - REMEMBERED_S:
            seconds.popleft()
        if not seconds:
            del self._taken[kind]
            return self._least
        return min(self._most, max(self._least, _largest_burst(seconds)))

    @property
    def is_remembered(self) -> bool:
        """Whether something wanted more than the least, and time will end that."""
        return bool(self._taken)


def _largest_burst(seconds: deque[list[int]]) -> int:
    largest = burst = 0
    recent: deque[list[int]] = deque()
    for second in seconds:
        recent.append(second)
        burst += second[1]
        while recent[0][0] <= second[0] - BURST_S:
            burst -= recent.popleft()[1]
        largest = max(largest, burst)
    return largest
