"""What is added up of finished invocations, by function, resource and version.

The meanings are CloudWatch's for AWS/Lambda: an invocation counts once its code ran, whatever
came of it; a throttled request is no invocation; an error is the function's (its exception, its
time-out, its exit); a duration is without the init.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from controlplane.metrics.histogram import (
    DURATION_BOUNDS,
    FINE_BOUNDS,
    MEMORY_BOUNDS,
    NS_PER_S,
    Exemplar,
    Histogram,
)
from controlplane.metrics.url_tallies import UrlTallies
from controlplane.model.invocation import InvocationRecord, StartLevel

THROTTLED = "TOO_MANY_REQUESTS"
"""The reason of an invocation that was refused for lack of concurrency or room."""

RESTORE = "restore"
"""The phase in which a sandbox was copied from a snapshot."""

TIMED_OUT = "Sandbox.Timedout"

KEYS_MAX = 2_000
"""Combinations of function, resource and version; more than these share one tally."""


class Key(NamedTuple):
    """Whose tally it is: CloudWatch's dimensions."""

    function_name: str
    resource: str
    """function, or function:qualifier as the caller wrote it."""
    executed_version: str


OTHERS = Key("(others)", "(others)", "(others)")


@dataclass(eq=False, slots=True)
class Tally:
    """What was added up under one key since the start."""

    invocations: int = 0
    errors: int = 0
    timeouts: int = 0
    throttles: int = 0
    failures: int = 0
    """That were neither run to an end nor throttled: no host, a lost one."""
    provisioned: int = 0
    """In environments that were kept ready for it."""
    spillover: int = 0
    """Of a function whose ready environments were all in use."""
    starts: dict[StartLevel, int] = field(default_factory=dict)
    duration: Histogram = field(default_factory=lambda: Histogram(DURATION_BOUNDS))
    fine: Histogram = field(default_factory=lambda: Histogram(FINE_BOUNDS))
    """The durations once more, for percentiles."""
    init: Histogram = field(default_factory=lambda: Histogram(DURATION_BOUNDS))
    restore: Histogram = field(default_factory=lambda: Histogram(DURATION_BOUNDS))
    """Of sandboxes that were copied from a snapshot."""
    memory: Histogram = field(default_factory=lambda: Histogram(MEMORY_BOUNDS))


class Tallies:
    """All of them."""

    def __init__(self, keys_max: int = KEYS_MAX) -> None:
        self._keys_max = keys_max
        self.urls = UrlTallies()
        """Of requests to function URLs."""
        self._tallies: dict[Key, Tally] = {}

    def __iter__(self) -> Iterator[tuple[Key, Tally]]:
        return iter(list(self._tallies.items()))

    def key_of(self, record: InvocationRecord) -> Key:
        """Under which an invocation is counted."""
        key = Key(record.function_name, resource_of(record), record.version)
        return key if key in self._tallies or len(self._tallies) < self._keys_max else OTHERS

    def measure(self, record: InvocationRecord) -> None:
        """Count a finished invocation."""
        key = self.key_of(record)
        tally = self._tallies.get(key)
        if tally is None:
            tally = self._tallies[key] = Tally()
        level = record.start_level
        if level is None:
            if record.error_type == THROTTLED:
                tally.throttles += 1
            else:
                tally.failures += 1
            return
        tally.invocations += 1
        tally.starts[level] = tally.starts.get(level, 0) + 1
        if record.error_type:
            tally.errors += 1
            tally.timeouts += record.error_type == TIMED_OUT
        if record.provisioned is not None:
            tally.provisioned += record.provisioned
            tally.spillover += not record.provisioned
        _measure_sizes(tally, record)


def resource_of(record: InvocationRecord) -> str:
    """CloudWatch's Resource: the function, with the qualifier that the caller gave."""
    qualifier = record.invoked_arn[len(record.function_arn) :]
    return record.function_name + qualifier


def duration_s(record: InvocationRecord) -> float:
    """How long the function took for the event, without its init."""
    return record.duration_ns / NS_PER_S


def _measure_sizes(tally: Tally, record: InvocationRecord) -> None:
    taken_s = duration_s(record)
    tally.duration.add(taken_s, _exemplar(taken_s, record))
    tally.fine.add(taken_s)
    if record.init_duration_ns:
        init_s = record.init_duration_ns / NS_PER_S
        tally.init.add(init_s, _exemplar(init_s, record))
    if record.start_level is StartLevel.TEMPLATE:
        restored = (each.end_ns - each.start_ns for each in record.phases if each.name == RESTORE)
        for took_ns in restored:
            restore_s = took_ns / NS_PER_S
            tally.restore.add(restore_s, _exemplar(restore_s, record))
    if record.memory_peak_bytes:
        tally.memory.add(float(record.memory_peak_bytes))


def _exemplar(value: float, record: InvocationRecord) -> Exemplar | None:
    """Only a trace that is kept is an example of anything."""
    if not record.sampled:
        return None
    return Exemplar(value, record.trace_id, record.span_id, record.end_ns)
