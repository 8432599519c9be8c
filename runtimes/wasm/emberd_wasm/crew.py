"""The threads of a worker, each of which has one event at a time.

Each has a connection to the Runtime API, as if it were a runtime of its own: that is a seat to the
host. One is there from the beginning. The main thread waits for the host to ask for more, and ends
with it. A guest that sleeps keeps its thread, and nobody else's.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
from collections.abc import Callable

from .logs import Logs
from .streams import Streams
from .world import TEMPORARY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

    from runtimes.python.emberd_runtime.api import Invocation, RuntimeApi, RuntimeApiError
else:
    from emberd_runtime.api import RuntimeApiError

Serve = Callable[["RuntimeApi", "Invocation", Streams], None]
"""Answers one event: its answer is held by the API until the next is asked for."""

_LOG_FD = 2
_PAUSE_S = 0.01


class Crew:
    """All of them."""

    def __init__(
        self,
        seats: int,
        connect: Callable[[], RuntimeApi],
        serve: Serve,
        rehearse: Callable[[], None],
    ) -> None:
        """Make the folders of all seats.

        Args:
            seats: How many the host may ask for.
            connect: Opens a connection to it.
            serve: Answers an event.
            rehearse: What a thread does before its first one.
        """
        self._connect = connect
        self._rehearse = rehearse
        self._serve = serve
        self._free = list(range(seats, 0, -1))
        """Numbers that no thread has, the lowest last."""
        self._vacant = threading.Semaphore(seats)
        """As many as these."""
        self._logs = Logs(_LOG_FD)
        threading.excepthook = _end
        for number in self._free:
            # Now, because guests may fill the disk.
            with contextlib.suppress(FileExistsError):
                os.mkdir(_folder(number))

    def work(self) -> NoReturn:
        """Take events. Returns only by an exception, when the host is gone."""
        self._vacant.acquire()
        self._hire()
        door = self._connect()
        while True:
            # Until there is a number again, the host keeps what it wants to ask for.
            self._vacant.acquire()
            door.await_seat()
            self._hire()

    def _hire(self) -> None:
        number = self._free.pop()
        threading.Thread(target=self._member, args=(number,), daemon=True).start()

    def _member(self, number: int) -> None:
        api = self._connect()
        try:
            streams = self._streams(number)
            self._rehearse()
            while True:
                try:
                    invocation = api.next()
                except (RuntimeApiError, OSError):
                    return  # the host has given up this seat
                self._serve(api, invocation, streams)
        finally:
            api.close()
            streams.close()
            self._free.append(number)
            self._vacant.release()

    def _streams(self, number: int) -> Streams:
        while True:
            # Guests may have all the descriptors that there may be; they lose them with their end.
            with contextlib.suppress(OSError):
                log = self._logs.open()
                try:
                    return Streams(log, _folder(number))
                except OSError:
                    log.close()
            time.sleep(_PAUSE_S)


def alone(api: RuntimeApi, serve: Serve) -> NoReturn:
    """Take one event after another, in a process that has one seat."""
    streams = Streams()
    while True:
        serve(api, api.next(), streams)


def _folder(number: int) -> str:
    return f"{TEMPORARY}/{number}"


def _end(failure: threading.ExceptHookArgs) -> None:
    """A thread of ours has failed, so nobody answers its event: the host must know at once."""
    sys.__excepthook__(failure.exc_type, failure.exc_value or failure.exc_type(), None)
    os._exit(1)
