"""What Lambda would bill: requests and GB-seconds, by day, function, architecture and tags.

A request is billed once its code ran, whatever came of it; its time is the host's billed duration,
init included, rounded up to a millisecond; its memory is what the function was given.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from controlplane.metrics.histogram import NS_PER_S
from controlplane.model.invocation import InvocationRecord

DAY_S = 86_400

PENDING_MAX = 10_000
"""Days and functions that may wait to be written while the disk refuses."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What one function used on one day."""

    day: int
    """Days since 1970-01-01, in UTC."""
    function_name: str
    architecture: str
    tags: Mapping[str, str] = field(default_factory=dict)
    requests: int
    billed_ms: int
    memory_mb_ms: int
    """Each invocation's billed milliseconds times its function's memory in MB."""


@dataclass(eq=False, slots=True)
class _Sum:
    tags: Mapping[str, str]
    requests: int = 0
    billed_ms: int = 0
    memory_mb_ms: int = 0


Key = tuple[int, str, str]


class Meter:
    """Adds up until somebody takes it."""

    def __init__(self, tags_of: Callable[[str], Mapping[str, str]]) -> None:
        """Tags are asked for once in a while for each function that runs, not for each call."""
        self._tags_of = tags_of
        self._sums: dict[Key, _Sum] = {}
        self.dropped = 0
        """Invocations that were not metered, because nothing could be written for long."""

    def measure(self, record: InvocationRecord) -> None:
        """Add one invocation."""
        if record.start_level is None:
            return
        day = record.end_ns // NS_PER_S // DAY_S
        key = day, record.function_name, record.architecture
        found = self._sums.get(key)
        if found is None:
            if len(self._sums) >= PENDING_MAX:
                self.dropped += 1
                return
            found = self._sums[key] = _Sum(self._tags_of(record.function_name))
        found.requests += 1
        found.billed_ms += record.billed_ms
        found.memory_mb_ms += record.billed_ms * record.memory_size_mb

    def take(self) -> list[Usage]:
        """What came since the last time."""
        sums, self._sums = self._sums, {}
        return [
            Usage(
                day=day,
                function_name=name,
                architecture=architecture,
                tags=each.tags,
                requests=each.requests,
                billed_ms=each.billed_ms,
                memory_mb_ms=each.memory_mb_ms,
            )
            for (day, name, architecture), each in sums.items()
        ]

    def give_back(self, usages: Sequence[Usage]) -> None:
        """Keep for the next time what could not be written."""
        for each in usages:
            key = each.day, each.function_name, each.architecture
            found = self._sums.setdefault(key, _Sum(each.tags))
            found.requests += each.requests
            found.billed_ms += each.billed_ms
            found.memory_mb_ms += each.memory_mb_ms
