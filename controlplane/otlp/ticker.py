"""The thread that sends the metrics, again and again. Reads the SDK with the first collection."""

from __future__ import annotations

import asyncio
import concurrent.futures
import logging
import threading
from collections.abc import Callable

from controlplane.metrics.state import State
from controlplane.otlp.outbox import Sender

logger = logging.getLogger(__name__)

LOOP_S = 1.0
"""How long the thread waits for the event loop to read the state."""


class Ticker:
    """Sends how it stands at every tick, and once more at the end."""

    def __init__(
        self,
        open_sender: Callable[[], Sender[State]],
        interval_s: float,
        read_state: Callable[[], State],
    ) -> None:
        """Made on the event loop, where read_state is called too."""
        self._open_sender = open_sender
        self._sender: Sender[State] | None = None
        self._interval_s = interval_s
        self._state = _StateFromThread(read_state)
        self._ended = threading.Event()
        self.failed = 0
        """Times that the endpoint did not take them."""
        self._thread = threading.Thread(target=self._run, name="otlp-metrics", daemon=True)
        self._thread.start()

    def close(self, timeout_s: float) -> bool:
        """Send once more; blocks. Whether that was done in time."""
        self._ended.set()
        self._thread.join(timeout_s)
        in_time = not self._thread.is_alive()
        if self._sender is not None:
            self._sender.give_up()
        return in_time

    def _run(self) -> None:
        last = False
        while not last:
            last = self._ended.wait(self._interval_s)
            arrived = False
            try:
                if self._sender is None:
                    self._sender = self._open_sender()
                arrived = self._sender.send(self._state.read())
            except Exception:
                # The next collection is none the worse for it.
                logger.exception("metrics could not be sent")
            if not arrived:
                self.failed += 1


class _StateFromThread:
    """Lets a thread have the state, which the event loop reads."""

    def __init__(self, read_state: Callable[[], State]) -> None:
        self._read_state = read_state
        self._loop = asyncio.get_running_loop()
        self._newest = State()

    def read(self) -> State:
        """The state, or an older one while the loop is too busy or has ended."""
        done: concurrent.futures.Future[State] = concurrent.futures.Future()
        try:
            self._loop.call_soon_threadsafe(lambda: done.set_result(self._read_state()))
            self._newest = done.result(LOOP_S)
        except (RuntimeError, TimeoutError):
            pass  # numbers of a moment ago are better than none
        return self._newest
