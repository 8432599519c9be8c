"""The launcher's event loop: descriptors, timers and spare moments; one thread, no asyncio."""

from __future__ import annotations

import heapq
import itertools
import logging
import select
import time
from collections.abc import Callable

logger = logging.getLogger(__name__)

Ready = Callable[[], None]

_QUIET_MS = 15
"""Spare work begins after so long without an event, lest it delay what comes in bursts."""


class Loop:
    """Calls back when a descriptor is readable or hung up, when a time has come, or when idle."""

    def __init__(self, when_idle: Callable[[], bool]) -> None:
        """when_idle does one short piece of spare work and says whether there is more."""
        self._poll = select.poll()
        self._watched: dict[int, Ready] = {}
        self._timers: list[tuple[float, int, Ready]] = []
        self._numbers = itertools.count()
        self._when_idle = when_idle
        self._running = False

    def watch(self, fd: int, ready: Ready) -> None:
        """Call ready whenever fd has something to read or has ended."""
        self._watched[fd] = ready
        self._poll.register(fd, select.POLLIN)

    def unwatch(self, fd: int) -> None:
        """Forget it; before it is closed."""
        if self._watched.pop(fd, None) is not None:
            self._poll.unregister(fd)

    def after(self, delay_s: float, ready: Ready) -> None:
        """Call ready once, later."""
        entry = (time.monotonic() + delay_s, next(self._numbers), ready)
        heapq.heappush(self._timers, entry)

    def stop(self) -> None:
        """Leave run at the end of this turn."""
        self._running = False

    def run(self) -> None:
        """Serve until stopped."""
        self._running = True
        more, wait_ms = True, _QUIET_MS
        while self._running:
            events = self._poll.poll(wait_ms if more else self._wait_ms())
            for fd, _ in events:
                ready = self._watched.get(fd)
                if ready is not None:
                    _supervise(ready)
            due = self._run_timers()
            if events or due:
                more, wait_ms = True, _QUIET_MS
            elif more:
                # Once it is quiet, one piece follows the other until something happens; each after
                # as long as the last one took, so that there is always processor time for others.
                begun_s = time.monotonic()
                more = self._when_idle()
                wait_ms = int((time.monotonic() - begun_s) * 1000)

    def _wait_ms(self) -> int | None:
        if not self._timers:
            return None
        return max(0, int((self._timers[0][0] - time.monotonic()) * 1000) + 1)

    def _run_timers(self) -> bool:
        due = False
        while self._timers and self._timers[0][0] <= time.monotonic():
            _, _, ready = heapq.heappop(self._timers)
            _supervise(ready)
            due = True
        return due


def _supervise(ready: Ready) -> None:
    """What the kernel refuses one sandbox must not end all the others.

    Anything but a refusal is our own mistake: that ends the launcher, and the next one sweeps.
    """
    try:
        ready()
    except OSError:
        logger.exception("the kernel refused a sandbox something")
