"""What stands in a queue of frames leaves together, in order, until its end."""

from __future__ import annotations

from emberd.wire.framequeue import FRAMES_PER_MESSAGE, FRAMES_QUEUED_MAX, FrameQueue


async def left(queue: FrameQueue[int]) -> list[list[int]]:
    return [batch async for batch in queue.batches()]


async def test_frames_leave_in_messages_of_a_bounded_size_and_in_order():
    queue = FrameQueue[int]()
    assert all(queue.send(number) for number in range(FRAMES_PER_MESSAGE + 2))
    queue.end()
    assert await left(queue) == [
        list(range(FRAMES_PER_MESSAGE)),
        [FRAMES_PER_MESSAGE, FRAMES_PER_MESSAGE + 1],
    ]


async def test_a_full_queue_takes_no_more_and_still_ends():
    queue = FrameQueue[int]()
    assert all(queue.send(number) for number in range(FRAMES_QUEUED_MAX))
    assert not queue.send(-1)
    queue.end()
    kept = [number for batch in await left(queue) for number in batch]
    assert kept == list(range(1, FRAMES_QUEUED_MAX))
