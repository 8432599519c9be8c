"""Log groups and their streams, and what may be asked of their events."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from controlplane.model.log_patterns import Matcher

STANDARD = "STANDARD"
MS = 1_000_000
"""Nanoseconds in a millisecond, AWS's unit for times of logs."""
DAY_MS = 24 * 3600 * 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class LogGroup:
    """A log group that somebody made. Others exist because something was logged to them."""

    name: str
    created_ms: int
    retention_days: int | None = None
    """Older events are not shown; None for as long as there is room."""
    log_class: str = STANDARD
    kms_key_id: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    streams: Mapping[str, int] = field(default_factory=dict)
    """Streams that somebody made: when, in milliseconds since the epoch, by name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupView:
    """A log group as it is seen: what was set for it and what is kept of it."""

    group: LogGroup
    stored_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamView:
    """A log stream as it is seen. Times are in milliseconds since the epoch."""

    name: str
    created_ms: int
    first_event_ms: int | None = None
    """None for a stream without events, as the next."""
    last_event_ms: int | None = None
    stored_bytes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Position:
    """A place between the events of a group: they are in order of time, then of arrival."""

    time_ns: int
    event_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LogEvent:
    """One event."""

    position: Position
    stream: str
    message: bytes

    @property
    def text(self) -> str:
        """The message as JSON can carry it."""
        return self.message.decode(errors="replace")


@dataclass(frozen=True, slots=True, kw_only=True)
class EventQuery:
    """Which events of one group are wanted, and from where on."""

    group: str
    streams: frozenset[str] | None = None
    """Only these; None for all."""
    stream_prefix: str = ""
    start_ns: int = 0
    """The first moment that counts."""
    end_ns: int = (1 << 63) - 1
    """The first that does not count any more."""
    wants: Matcher | None = None
    after: Position | None = None
    """Behind this place, or before it when reading backward; None for an end."""
    backward: bool = False
    """The newest first."""
    events_max: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EventPage:
    """What was found in one go."""

    events: tuple[LogEvent, ...]
    """Always in order of time."""
    next: Position | None
    """Where to go on; None when there is no more."""
