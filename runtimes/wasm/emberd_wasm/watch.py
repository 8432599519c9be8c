"""Interrupts a guest that will not end: its time is up, or its answer has outgrown all limits.

A thread that looks every ten milliseconds while an event is in work, and sleeps while none is. It
advances the engine's epoch, which traps the guest at its next loop or call. A guest that waits
inside a host call is not reached; the host ends its sandbox a little later.
"""

from __future__ import annotations

import os
import threading
import time

import wasmtime

from .limits import RESPONSE_BYTES

_TICK_S = 0.01


class Watch:
    """Made once per process, after the fork."""

    def __init__(self, engine: wasmtime.Engine, output_fd: int) -> None:
        self._engine = engine
        self._output_fd = output_fd
        self._lock = threading.Lock()
        self._working = threading.Event()
        self._deadline_s = 0.0
        self.out_of_time = False
        self.flooded = False
        threading.Thread(target=self._look, name="watch", daemon=True).start()

    def begin(self, deadline_ms: int) -> None:
        """An event is in work until this time, in ms since the epoch."""
        with self._lock:
            self.out_of_time = self.flooded = False
            self._deadline_s = deadline_ms / 1000
            self._working.set()

    def end(self) -> None:
        """It is done: nothing is interrupted any more when this has returned."""
        with self._lock:
            self._working.clear()

    def _look(self) -> None:
        while True:
            self._working.wait()
            with self._lock:
                left_s = self._judge() if self._working.is_set() else 0.0
            time.sleep(min(_TICK_S, max(left_s, 0.001)))

    def _judge(self) -> float:
        """Interrupt the guest if it must be; returns the seconds that it has left."""
        left_s = self._deadline_s - time.time()
        self.out_of_time = self.out_of_time or left_s <= 0
        self.flooded = self.flooded or os.fstat(self._output_fd).st_size > RESPONSE_BYTES
        if self.out_of_time or self.flooded:
            self._engine.increment_epoch()
        return left_s
