"""Log groups, streams and events as CloudWatch Logs has them, over what functions wrote.

A group exists because somebody made it or because something was logged to it; the same holds for
streams. Texts of errors are AWS's own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from controlplane.model.log import LogLine
from controlplane.model.log_groups import (
    DAY_MS,
    MS,
    EventPage,
    EventQuery,
    GroupView,
    LogGroup,
    StreamView,
)
from controlplane.registry.log_groups import LogGroups
from controlplane.storage.log_events import LogEvents
from controlplane.storage.logs import LogStore
from controlplane.storage.ports import RecordStore
from emberd.wire.errors import ConflictError, NotFoundError

GROUPS_MAX = 10_000
STREAMS_MAX = 10_000
"""Of one group that somebody made; those of functions are not counted."""
OLDEST_DAYS = 14
NEWEST_MS = 2 * 3600 * 1000
"""What may be put into a stream: events from 14 days ago until two hours from now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PutEvent:
    """An event that somebody hands in."""

    time_ms: int
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """Which events of a batch were not taken, by their place in it."""

    before: int | None
    """Those before this one are too old."""
    since: int | None
    """This one and those after it are too new."""


class LogBook:
    """Everything that is known of logs."""

    def __init__(self, groups: LogGroups, store: LogStore, clock_s: Callable[[], float]) -> None:
        self._groups = groups
        self._store = store
        self._events = LogEvents(store)
        self._clock_s = clock_s

    @classmethod
    async def open(
        cls, records: RecordStore, store: LogStore, clock_s: Callable[[], float]
    ) -> LogBook:
        """Load the groups that somebody made. clock_s tells seconds since the epoch.

        Raises:
            ConflictError: a record cannot be read.
        """
        return cls(await LogGroups.open(records), store, clock_s)

    def _now_ms(self) -> int:
        return int(self._clock_s() * 1000)

    async def groups(self) -> list[GroupView]:
        """All of them, in order of their names."""
        made = {each.name: GroupView(group=each, stored_bytes=0) for each in self._groups.all()}
        for kept in await self._events.groups():
            group = self._groups.get(kept.name)
            group = group or LogGroup(name=kept.name, created_ms=kept.first_ms)
            made[kept.name] = GroupView(group=group, stored_bytes=kept.stored_bytes)
        return [made[name] for name in sorted(made)]

    async def group(self, name: str) -> LogGroup:
        """One of them.

        Raises:
            NotFoundError: nobody made it, and nothing was logged to it.
        """
        made = self._groups.get(name)
        if made is not None:
            return made
        first_ms = await self._events.first_ms(name)
        if first_ms is not None:
            return LogGroup(name=name, created_ms=first_ms)
        raise NotFoundError(
            "The specified log group does not exist.", reason="RESOURCE_NOT_FOUND", log_group=name
        )

    async def create_group(
        self, name: str, *, tags: Mapping[str, str], kms_key_id: str, log_class: str
    ) -> None:
        """Make one.

        Raises:
            ConflictError: there is one, or there are too many.
        """
        if self._groups.get(name) is not None or await self._events.first_ms(name) is not None:
            raise ConflictError(
                "The specified log group already exists", reason="RESOURCE_ALREADY_EXISTS"
            )
        if len(self._groups.all()) >= GROUPS_MAX:
            raise ConflictError("Resource limit exceeded.", reason="LIMIT_EXCEEDED")
        group = LogGroup(
            name=name,
            created_ms=self._now_ms(),
            tags=tags,
            kms_key_id=kms_key_id,
            log_class=log_class,
        )
        await self._groups.change(name, lambda _: group)

    async def delete_group(self, name: str) -> None:
        """Remove it with everything in it."""
        await self.group(name)
        await self._groups.change(name, lambda _: None)
        await self._store.delete(name)

    async def change_group(self, name: str, change: Callable[[LogGroup], LogGroup]) -> None:
        """Set something for a group; one that only its lines made is somebody's from then on."""
        found = await self.group(name)
        await self._groups.change(name, lambda now: change(now or found))

    async def streams(self, name: str) -> list[StreamView]:
        """The streams of a group, in order of their names."""
        group = await self.group(name)
        found = {
            stream: StreamView(name=stream, created_ms=created_ms)
            for stream, created_ms in group.streams.items()
        }
        for kept in await self._events.streams(name):
            created_ms = group.streams.get(kept.name, kept.created_ms)
            found[kept.name] = replace(kept, created_ms=created_ms)
        return [found[stream] for stream in sorted(found)]

    async def demand_stream(self, name: str, stream: str) -> None:
        """Refuse a stream that does not exist.

        Raises:
            NotFoundError: its group does not exist, or it does not.
        """
        if not await self._has_stream(name, stream):
            raise NotFoundError(
                "The specified log stream does not exist.",
                reason="RESOURCE_NOT_FOUND",
                log_stream=stream,
            )

    async def _has_stream(self, name: str, stream: str) -> bool:
        group = await self.group(name)
        return stream in group.streams or await self._events.has(name, stream)

    async def create_stream(self, name: str, stream: str) -> None:
        """Make a stream.

        Raises:
            ConflictError: there is one, or there are too many.
        """
        if await self._has_stream(name, stream):
            raise ConflictError(
                "The specified log stream already exists", reason="RESOURCE_ALREADY_EXISTS"
            )
        now_ms = self._now_ms()

        def add(group: LogGroup) -> LogGroup:
            if len(group.streams) >= STREAMS_MAX:
                raise ConflictError("Resource limit exceeded.", reason="LIMIT_EXCEEDED")
            return replace(group, streams={**group.streams, stream: now_ms})

        await self.change_group(name, add)

    async def delete_stream(self, name: str, stream: str) -> None:
        """Remove a stream with everything in it."""
        await self.demand_stream(name, stream)

        def drop(group: LogGroup) -> LogGroup:
            left = {each: made for each, made in group.streams.items() if each != stream}
            return replace(group, streams=left)

        if self._groups.get(name) is not None:
            await self.change_group(name, drop)
        await self._store.delete(name, stream)

    async def put(self, name: str, stream: str, events: Sequence[PutEvent]) -> Rejected:
        """Take events, in order of time, that somebody hands in for a stream that exists."""
        await self.demand_stream(name, stream)
        now_ms = self._now_ms()
        oldest_ms, newest_ms = now_ms - OLDEST_DAYS * DAY_MS, now_ms + NEWEST_MS
        old = sum(each.time_ms < oldest_ms for each in events)
        new = sum(each.time_ms > newest_ms for each in events)
        taken = events[old : len(events) - new]
        self._store.append([_line(name, stream, each) for each in taken])
        return Rejected(before=old or None, since=len(events) - new if new else None)

    async def select(self, query: EventQuery) -> EventPage:
        """One page of the events of a group that exists."""
        group = await self.group(query.group)
        if group.retention_days is not None:
            oldest_ns = (self._now_ms() - group.retention_days * DAY_MS) * MS
            query = replace(query, start_ns=max(query.start_ns, oldest_ns))
        return await self._events.select(query)


def _line(group: str, stream: str, event: PutEvent) -> LogLine:
    return LogLine(
        function_name="",
        version="",
        request_id="",
        log_group=group,
        log_stream=stream,
        time_ns=event.time_ms * MS,
        message=event.message.encode(errors="replace"),
    )
