"""Log lines and spans on their way to the control plane, each kind on a stream of its own.

A stream is opened when there is something to carry, and again when it has broken. The batch that it
broke under is kept.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

import grpc
from google.protobuf.message import Message

from sandbox import frames
from sandbox.logs import LogQueue
from sandbox.tracing.queue import SpanQueue

LOG_GATHER_S = 0.02
"""One message for all that a busy host writes meanwhile costs a fifth of one each."""
LOG_RECORDS_PER_PUSH = 1_000
LOG_BYTES_PER_PUSH = 1024 * 1024

SPAN_GATHER_S = 0.02
SPANS_PER_PUSH = 500
SPAN_CHARACTERS_PER_PUSH = 1024 * 1024

AGAIN_S = 1.0
"""The pause after a stream that broke."""

OpenCall = Callable[[], grpc.aio.StreamUnaryCall]


class Supply(Protocol):
    """Where batches come from."""

    gather_s: float
    """How long the first of a batch waits for company."""

    async def filled(self) -> None:
        """Return once there is something to carry."""

    def batch(self) -> tuple[Message, Callable[[], None]]:
        """A message, and what puts its content back."""


class Logs:
    """Log lines."""

    gather_s = LOG_GATHER_S

    def __init__(self, queue: LogQueue) -> None:
        self._queue = queue

    async def filled(self) -> None:
        """Return once there is a line."""
        await self._queue.filled()

    def batch(self) -> tuple[Message, Callable[[], None]]:
        """The oldest lines."""
        records = self._queue.take(LOG_RECORDS_PER_PUSH, LOG_BYTES_PER_PUSH)
        message = frames.log_batch(records, dropped=self._queue.dropped)
        return message, lambda: self._queue.give_back(records)


class Spans:
    """What functions tell of their own work."""

    gather_s = SPAN_GATHER_S

    def __init__(self, queue: SpanQueue) -> None:
        self._queue = queue

    async def filled(self) -> None:
        """Return once there is a span, or one was dropped."""
        await self._queue.news()

    def batch(self) -> tuple[Message, Callable[[], None]]:
        """The oldest spans."""
        records, dropped = self._queue.take(SPANS_PER_PUSH, SPAN_CHARACTERS_PER_PUSH)
        message = frames.span_batch(records, dropped=dropped)
        return message, lambda: self._queue.give_back(records, dropped)


async def keep_pushing(supply: Supply, open_call: OpenCall) -> None:
    """Carry what comes until cancelled."""
    while True:
        await supply.filled()
        call = open_call()
        try:
            await _push_on(call, supply)
        except (grpc.aio.AioRpcError, asyncio.InvalidStateError):
            await asyncio.sleep(AGAIN_S)
        finally:
            call.cancel()


async def _push_on(call: grpc.aio.StreamUnaryCall, supply: Supply) -> None:
    while True:
        await supply.filled()
        await asyncio.sleep(supply.gather_s)
        message, give_back = supply.batch()
        try:
            await call.write(message)
        except BaseException:
            give_back()
            raise
