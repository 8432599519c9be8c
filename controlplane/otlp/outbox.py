"""A bounded queue and the thread that sends from it: what a slow endpoint is allowed to cost.

Putting is an append, called on the event loop. All else happens on the thread, which is blocked for
as long as an endpoint does not answer; meanwhile the queue fills, and what no longer fits is lost
and counted. Each counter is written by one side only, so nothing is locked.

The SDK is read by that thread too, with the first batch: no start of a control plane waits for it.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

logger = logging.getLogger(__name__)

T = TypeVar("T")

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much waits, and how much leaves at once."""

    items_max: int
    batch_items: int
    delay_s: float
    """A batch that is not full waits this long for company."""
    bytes_max: int = 16 * MIB
    batch_bytes: int = 2 * MIB
    """Collectors take 4 MB in one message."""

    @classmethod
    def read(cls, environment: Mapping[str, str], prefix: str, *, delay_ms: int) -> Limits:
        """From OTEL_BSP_* or OTEL_BLRP_*; what makes no sense there is OpenTelemetry's default."""
        items_max = _number(environment, f"{prefix}_MAX_QUEUE_SIZE", 2_048)
        batch = _number(environment, f"{prefix}_MAX_EXPORT_BATCH_SIZE", 512)
        return cls(
            items_max=items_max,
            batch_items=min(batch, items_max),
            delay_s=_number(environment, f"{prefix}_SCHEDULE_DELAY", delay_ms) / 1000,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender(Generic[T]):
    """An exporter of the SDK. Both may be called from any thread."""

    send: Callable[[T], bool]
    """Send, and say whether it arrived; it may block and it may raise."""
    give_up: Callable[[], None]
    """End what blocks."""


class Outbox(Generic[T]):
    """Items on their way out."""

    def __init__(
        self,
        open_sender: Callable[[], Sender[Sequence[T]]],
        limits: Limits,
        *,
        name: str,
        weigh: Callable[[T], int] = lambda _item: 0,
    ) -> None:
        """Begin the thread.

        Args:
            open_sender: Called by the thread, with the first batch.
            limits: Its bounds.
            name: The thread's.
            weigh: How many bytes an item counts for.
        """
        self._open_sender = open_sender
        self._sender: Sender[Sequence[T]] | None = None
        self._limits = limits
        self._weigh = weigh
        self._queue: deque[T] = deque()
        self._handed = self._handed_bytes = self._refused = 0
        self._settled = self._settled_bytes = self._failed = 0
        self._news = threading.Event()
        self._hurry = threading.Event()
        self._closing = False
        self._given_up = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    @property
    def dropped(self) -> int:
        """Items that will never arrive."""
        return self._refused + self._failed

    def put(self, items: Sequence[T]) -> None:
        """Queue some, all or none."""
        limits = self._limits
        size = sum(map(self._weigh, items))
        waiting = self._handed - self._settled
        if (
            waiting + len(items) > limits.items_max
            or self._handed_bytes - self._settled_bytes + size > limits.bytes_max
        ):
            self._refused += len(items)
            return
        self._handed += len(items)
        self._handed_bytes += size
        self._queue.extend(items)
        if not self._news.is_set():
            self._news.set()
        if waiting + len(items) >= limits.batch_items and not self._hurry.is_set():
            self._hurry.set()

    def close(self, timeout_s: float) -> bool:
        """Send what is left; blocks. Whether it was done in time; the rest is lost and counted."""
        self._closing = True
        self._hurry.set()
        self._news.set()
        self._thread.join(timeout_s)
        in_time = not self._thread.is_alive()
        self._given_up = True
        if self._sender is not None:
            # Ends the retry that still waits, so that no thread outlives the program.
            self._sender.give_up()
        return in_time

    def _run(self) -> None:
        while not self._closing:
            self._news.wait()
            self._hurry.wait(self._limits.delay_s)
            self._news.clear()
            if not self._closing:
                self._hurry.clear()
            self._send_all()
        # What came between the last look and the end.
        self._send_all()

    def _send_all(self) -> None:
        while self._queue:
            self._send_batch()

    def _send_batch(self) -> None:
        batch: list[T] = []
        size = 0
        while self._queue and len(batch) < self._limits.batch_items:
            weight = self._weigh(self._queue[0])
            if batch and size + weight > self._limits.batch_bytes:
                break
            batch.append(self._queue.popleft())
            size += weight
        arrived = False
        try:
            arrived = not self._given_up and self._opened().send(batch)
        except Exception:
            # Whatever a batch has in it, the next one is none the worse for it.
            logger.exception("a batch could not be sent")
        if not arrived:
            self._failed += len(batch)
        self._settled += len(batch)
        self._settled_bytes += size

    def _opened(self) -> Sender[Sequence[T]]:
        if self._sender is None:
            self._sender = self._open_sender()
        return self._sender


def _number(environment: Mapping[str, str], name: str, default: int) -> int:
    try:
        given = int(environment.get(name, ""))
    except ValueError:
        return default
    return given if given > 0 else default
