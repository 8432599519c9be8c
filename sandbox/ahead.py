"""Keeps one sandbox ready ahead of the events of a function, where that is cheap or worth it.

A function with a template is hot for a minute after two of its events had to wait for a copy within
a minute. While it is, the event that takes its last idle sandbox has another one copied. A function
whose sandboxes are seats at workers has another seat made as soon as an event has sat in the last
idle one for a moment. Both as far as there is room that nobody else holds. The event that finds it
waits for nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass

from sandbox.capacity import Capacity
from sandbox.guard import GuardedSandbox
from sandbox.pool import Pool
from sandbox.starts import Lease
from sandbox.work import Credentials, RefusedError, Revision

HOT_S = 60.0
REVISIONS_MAX = 1_000
"""Revisions remembered; the one that waited longest ago is forgotten first."""

SEAT_AFTER_S = 0.01
"""Events that come one after the other and are shorter than this need one seat, and have one."""


@dataclass(slots=True)
class _Heat:
    waited_s: float
    """When an event last waited for a copy."""
    hot_until_s: float = 0.0
    started: asyncio.Future[GuardedSandbox] | None = None
    """The newest that was started ahead."""

    @property
    def is_starting(self) -> bool:
        """Whether one is being started."""
        return self.started is not None and not self.started.done()


class Ahead:
    """Has copies and seats made before they are asked for."""

    def __init__(
        self, pool: Pool, capacity: Capacity, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._pool = pool
        self._capacity = capacity
        self._clock = clock
        self._heats: dict[str, _Heat] = {}
        self._starting: set[str] = set()
        """Revisions to whose seats one is being added."""

    def taken(self, lease: Lease, credentials: Credentials | None) -> None:
        """An event has this one; credentials are for another one."""
        if lease.guard.has_room_beside:
            self._look_later(lease.guard, credentials)
        if not lease.guard.is_copy:
            return
        revision_id = lease.guard.revision.revision_id
        now_s = self._clock()
        heat = self._heats.get(revision_id)
        if not lease.warm:
            heat = self._waited(revision_id, now_s)
        if heat is None or now_s >= heat.hot_until_s or heat.is_starting:
            return
        heat.started = self._start(lease.guard.revision, credentials)

    def _look_later(self, guard: GuardedSandbox, credentials: Credentials | None) -> None:
        loop = asyncio.get_running_loop()
        loop.call_later(SEAT_AFTER_S, self._look, guard, guard.last_used_s, credentials)

    def _look(self, guard: GuardedSandbox, used_s: float, credentials: Credentials | None) -> None:
        """Add a seat, unless the event that sat in this one has ended meanwhile."""
        revision_id = guard.revision.revision_id
        lasts = guard.last_used_s == used_s and guard.has_room_beside
        if not lasts or revision_id in self._starting:
            return
        started = self._start(guard.revision, credentials)
        if started is not None:
            self._starting.add(revision_id)
            started.add_done_callback(lambda _: self._starting.discard(revision_id))

    def _start(
        self, revision: Revision, credentials: Credentials | None
    ) -> asyncio.Future[GuardedSandbox] | None:
        """Begin to make one more, if none is idle and there is room."""
        revision_id = revision.revision_id
        if not self._pool.lacks_idle(revision_id) or not self._capacity.fits(revision_id):
            return None
        with contextlib.suppress(RefusedError):
            started = self._pool.start_ahead(revision, credentials)
            started.add_done_callback(_forget_failure)
            return started
        return None

    def _waited(self, revision_id: str, now_s: float) -> _Heat:
        heat = self._heats.pop(revision_id, None) or _Heat(waited_s=now_s - HOT_S)
        if now_s - heat.waited_s < HOT_S:
            heat.hot_until_s = now_s + HOT_S
        heat.waited_s = now_s
        self._heats[revision_id] = heat
        if len(self._heats) > REVISIONS_MAX:
            del self._heats[next(iter(self._heats))]
        return heat


def _forget_failure(started: asyncio.Future[GuardedSandbox]) -> None:
    """Nobody waits for it: the next event that must wait for a copy finds out for itself."""
    if not started.cancelled():
        started.exception()
