"""Frames on their way out over a host's gRPC stream, from either end of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Generic, TypeVar

Frame = TypeVar("Frame")

FRAMES_QUEUED_MAX = 10_000
"""Frames that wait while the other end does not read."""
FRAMES_PER_MESSAGE = 256


class FrameQueue(Generic[Frame]):
    """Bounded; what stands in it leaves as one message."""

    def __init__(self) -> None:
        self._frames: asyncio.Queue[Frame | None] = asyncio.Queue(FRAMES_QUEUED_MAX)

    def send(self, frame: Frame) -> bool:
        """Queue it; False when the queue is full."""
        if self._frames.full():
            return False
        self._frames.put_nowait(frame)
        return True

    def end(self) -> None:
        """Nothing follows; for the word of it a full queue loses its first frame."""
        if self._frames.full():
            self._frames.get_nowait()
        self._frames.put_nowait(None)

    async def batches(self) -> AsyncIterator[list[Frame]]:
        """What goes out, everything queued in one turn of the loop together, until the end."""
        while True:
            frame = await self._frames.get()
            batch: list[Frame] = []
            while frame is not None:
                batch.append(frame)
                if len(batch) == FRAMES_PER_MESSAGE or self._frames.empty():
                    break
                frame = self._frames.get_nowait()
            if batch:
                yield batch
            if frame is None:
                return
