"""Counts by size, with the trace of an example in each bucket."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

NS_PER_S = 1_000_000_000

DURATION_BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)
"""Seconds, as OpenTelemetry recommends for faas.invoke_duration and faas.init_duration."""

FINE_BOUNDS = tuple(0.0001 * 10 ** (step / 8) for step in range(57))
"""Seconds, from 0.1 ms to 1,000 s, each a third above the one before: for percentiles."""

MEMORY_BOUNDS = tuple(
    float(mb << 20) for mb in (16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 10240)
)
"""Bytes."""


@dataclass(frozen=True, slots=True)
class Exemplar:
    """One measurement that has a trace."""

    value: float
    trace_id: str
    span_id: str
    time_ns: int


class Histogram:
    """How many measurements fell at or below each bound, and beyond the last."""

    __slots__ = ("bounds", "counts", "exemplars", "sum")

    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.exemplars: dict[int, Exemplar] = {}
        """The newest one by bucket."""
        self.sum = 0.0

    @property
    def count(self) -> int:
        """All measurements."""
        return sum(self.counts)

    def add(self, value: float, exemplar: Exemplar | None = None) -> None:
        """Take one measurement; one that has a trace becomes its bucket's example."""
        bucket = bisect_left(self.bounds, value)
        self.counts[bucket] += 1
        self.sum += value
        if exemplar is not None:
            self.exemplars[bucket] = exemplar

    def merge(self, other: Histogram) -> None:
        """Add another one of the same bounds."""
        self.counts = [mine + its for mine, its in zip(self.counts, other.counts, strict=True)]
        self.sum += other.sum
        self.exemplars.update(other.exemplars)


def percentile(bounds: Sequence[float], counts: Sequence[int], share: float) -> float:
    """The value below which that share lies, read off between the bounds of its bucket; 0 of none.

    Beyond the last bound it is the last bound.
    """
    goal = share * sum(counts)
    below = 0
    for bucket, count in enumerate(counts):
        if count and below + count >= goal:
            if bucket == len(bounds):
                return bounds[-1]
            low = bounds[bucket - 1] if bucket else 0.0
            return low + (bounds[bucket] - low) * (goal - below) / count
        below += count
    return 0.0
