"""Interrupts guests whose time is up, and stops answers that have outgrown all limits.

The engine's epoch is a clock here, of a hundred ticks a second: a store's deadline is the tick at
which its guest is trapped, at its next loop or call. So each guest has its own. A thread advances
it while events are in work, and sleeps while none is. It cannot reach a guest that waits inside a
host call; the host gives up its seat a little later.
"""

from __future__ import annotations

import math
import threading
import time

import wasmtime

from .streams import Streams

_TICK_S = 0.01
_LONG_S = 0.05
"""Between two looks at guests that have all worked for a second: most of those sleep."""
_NEW_S = 1.0


class Watch:
    """Made once per process, after the fork."""

    def __init__(self, engine: wasmtime.Engine) -> None:
        self._engine = engine
        self._lock = threading.Lock()
        self._busy = threading.Event()
        self._deadlines_s: dict[Streams, float] = {}
        self._newest_s = self._clock_s = 0.0
        """When the newest guest began, and when the newest tick was due."""
        threading.Thread(target=self._tick, name="watch", daemon=True).start()

    def begin(self, streams: Streams, deadline_ms: int) -> int:
        """A guest is in work until this time, in ms since the epoch.

        Returns:
            Its store's deadline, in ticks from now.
        """
        deadline_s = deadline_ms / 1000
        with self._lock:
            self._newest_s = time.time()
            if not self._deadlines_s:
                self._clock_s = self._newest_s
                self._busy.set()
            self._deadlines_s[streams] = deadline_s
            return max(1, math.ceil((deadline_s - self._clock_s) / _TICK_S))

    def end(self, streams: Streams) -> None:
        """It is done."""
        with self._lock:
            self._deadlines_s.pop(streams, None)
            if not self._deadlines_s:
                self._busy.clear()

    def _tick(self) -> None:
        while True:
            self._busy.wait()
            time.sleep(self._pause_s())
            with self._lock:
                for streams in self._deadlines_s:
                    streams.stop_a_flood()
                ticks = int((time.time() - self._clock_s) / _TICK_S) if self._deadlines_s else 0
                self._clock_s += ticks * _TICK_S
                for _ in range(ticks):
                    self._engine.increment_epoch()

    def _pause_s(self) -> float:
        with self._lock:
            now_s = time.time()
            if now_s - self._newest_s < _NEW_S:
                return _TICK_S
            soonest_s = min(self._deadlines_s.values(), default=now_s)
        return min(_LONG_S, max(_TICK_S, soonest_s - now_s))


def is_late(deadline_ms: int) -> bool:
    """Whether a guest that was trapped now was trapped because its time is up."""
    return time.time() + 2 * _TICK_S >= deadline_ms / 1000
