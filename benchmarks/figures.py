"""Numbers that can be defended: distributions with their count, ratios with their interval."""

from __future__ import annotations

import random
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field

RESAMPLES = 2_000
"""Bootstrap draws for an interval."""

SEED = 20_240
"""Makes an interval the same each time it is computed from the same samples."""

Value = str | int | float


@dataclass(frozen=True, slots=True, kw_only=True)
class Samples:
    """Raw measurements of one kind, all of them successful."""

    name: str
    values_ns: tuple[int, ...]
    parameters: dict[str, Value] = field(default_factory=dict)
    discarded: int = 0
    """Measured in the wrong state (warm where cold was meant, say) and left out."""

    def percentile_ns(self, percent: float) -> int:
        """The nearest-rank percentile."""
        return percentile(self.values_ns, percent)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One number that is not a distribution."""

    name: str
    value: float
    unit: str
    low: float | None = None
    """The bounds of a 95 % interval where there is one."""
    high: float | None = None
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What one benchmark found."""

    name: str
    question: str
    samples: tuple[Samples, ...] = ()
    figures: tuple[Figure, ...] = ()

    def document(self, environment: dict[str, Value]) -> dict[str, object]:
        """The result as it is written down: nothing without the environment it belongs to."""
        return {"schema": 1, **asdict(self), "environment": environment}


def percentile(values: Sequence[int], percent: float) -> int:
    """The nearest-rank percentile of at least one value."""
    ordered = sorted(values)
    rank = -(-len(ordered) * percent // 100)
    return ordered[max(0, int(rank) - 1)]


def ratio_of_medians(
    name: str, ours: Sequence[Sequence[float]], theirs: Sequence[Sequence[float]]
) -> Figure:
    """How many times theirs is ours: medians of rounds, 95 % interval by resampling rounds.

    Rounds are the unit because samples within one share the machine's mood.
    """
    pairs = [
        (statistics.median(a), statistics.median(b)) for a, b in zip(ours, theirs, strict=True)
    ]
    draws = _resampled(pairs)
    return Figure(
        name=name,
        value=_ratio(pairs),
        unit="x",
        low=draws[int(len(draws) * 0.025)],
        high=draws[int(len(draws) * 0.975)],
    )


def _resampled(pairs: Sequence[tuple[float, float]]) -> list[float]:
    chance = random.Random(SEED)
    return sorted(_ratio(chance.choices(pairs, k=len(pairs))) for _ in range(RESAMPLES))


def _ratio(pairs: Sequence[tuple[float, float]]) -> float:
    return statistics.median(a for a, _ in pairs) / statistics.median(b for _, b in pairs)
