"""Frames on their way out over a host's gRPC stream, when it has no link."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

import grpc

from emberd.wire.link import FRAMES_PER_MESSAGE, FRAMES_QUEUED_MAX

Frame = TypeVar("Frame")


class FrameQueue(Generic[Frame]):
    """Bounded; what stands in it leaves as one message."""

    def __init__(self, message_of: Callable[[Sequence[Frame]], object]) -> None:
        self._message_of = message_of
        self._frames: asyncio.Queue[Frame] = asyncio.Queue(FRAMES_QUEUED_MAX)

    def send(self, frame: Frame) -> bool:
        """Queue it; False when the queue is full."""
        if self._frames.full():
            return False
        self._frames.put_nowait(frame)
        return True

    async def write_to(self, call: grpc.aio.StreamStreamCall) -> None:
        """Write what is queued until the stream breaks."""
        while True:
            batch = [await self._frames.get()]
            while len(batch) < FRAMES_PER_MESSAGE and not self._frames.empty():
                batch.append(self._frames.get_nowait())
            try:
                await call.write(self._message_of(batch))
            except (grpc.aio.AioRpcError, asyncio.InvalidStateError):
                # The reader sees the same end and attaches again.
                return
