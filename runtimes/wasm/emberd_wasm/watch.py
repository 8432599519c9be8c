"""Interrupts guests whose time is up, and stops answers that have outgrown all limits.

The engine's epoch is a clock here, of a hundred ticks a second: a store's deadline is the tick at
which its guest is trapped, at its next loop or call. So each guest has its own. A thread advances
it whenever the next guest's time is up, and whenever guests have worked a little: while they sleep,
it does too. It cannot reach a guest that waits inside a host call; the host gives up its seat a
little later.
"""

from __future__ import annotations

import math
import threading
import time

import wasmtime

from .alarm import Alarm
from .streams import Streams

_TICK_S = 0.01
_WORK_S = 0.01
"""Of the processor, for which guests may work unseen: what they write meanwhile is bounded."""
_LONG_S = 10.0
"""The longest sleep: as many ticks as it has are a moment's work afterwards."""


class Watch:
    """Made once per process, after the fork."""

    def __init__(self, engine: wasmtime.Engine) -> None:
        self._engine = engine
        self._lock = threading.Lock()
        self._busy = threading.Event()
        self._deadlines_s: dict[Streams, float] = {}
        self._clock_s = 0.0
        """When the newest tick was due."""
        threading.Thread(target=self._tick, name="watch", daemon=True).start()

    def begin(self, streams: Streams, deadline_ms: int) -> int:
        """A guest is in work until this time, in ms since the epoch.

        Returns:
            Its store's deadline, in ticks from now.
        """
        deadline_s = deadline_ms / 1000
        with self._lock:
            if not self._deadlines_s:
                self._clock_s = time.time()
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
        alarm = Alarm(_WORK_S)
        while True:
            self._busy.wait()
            # A guest that begins meanwhile and has less time is seen when it works.
            alarm.wait(self._pause_s())
            with self._lock:
                for streams in self._deadlines_s:
                    streams.stop_a_flood()
                ticks = int((time.time() - self._clock_s) / _TICK_S) if self._deadlines_s else 0
                self._clock_s += ticks * _TICK_S
                for _ in range(ticks):
                    self._engine.increment_epoch()

    def _pause_s(self) -> float:
        """Until a guest is to be interrupted; those that then still wait are the host's to end."""
        with self._lock:
            due_s = [each + _TICK_S for each in self._deadlines_s.values()]
        now_s = time.time()
        left_s = min((each - now_s for each in due_s if each > now_s), default=_LONG_S)
        return min(_LONG_S, max(_TICK_S, left_s))


def is_late(deadline_ms: int) -> bool:
    """Whether a guest that was trapped now was trapped because its time is up."""
    return time.time() + 2 * _TICK_S >= deadline_ms / 1000
