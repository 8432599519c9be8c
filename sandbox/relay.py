"""Carries an answer to the control plane while the function still writes it.

One RPC per streamed answer: its flow control reaches from the caller's socket to the runtime's, so
nothing on the way holds more than its buffer, and no frame of anybody else waits behind it.
"""

from __future__ import annotations

import asyncio
import logging
import time

import grpc

from emberd.fleet.v1 import fleet_pb2 as pb
from emberd.fleet.v1 import fleet_pb2_grpc
from sandbox.pace import Pace
from sandbox.runtimeapi import ResponseStream
from sandbox.work import Attempt

logger = logging.getLogger(__name__)

CHUNK_BYTES = 64 * 1024
"""Most that one message carries; smaller chunks that have piled up leave together."""


async def push_chunks(
    stub: fleet_pb2_grpc.FleetServiceStub,
    metadata: tuple[tuple[str, str], ...],
    attempt: Attempt,
    stream: ResponseStream,
) -> bool:
    """Send what comes out of a stream's pipe until it ends.

    Returns:
        Whether the control plane took all of it.
    """
    call = stub.PushChunks(metadata=metadata)
    try:
        await _send(call, attempt, stream)
        await call.done_writing()
        await call
    except (grpc.aio.AioRpcError, asyncio.InvalidStateError):
        # The function goes on without a reader, as on Lambda.
        stream.pipe.discard()
        logger.warning("a streamed answer broke off", extra={"why": await call.details()})
        return False
    except asyncio.CancelledError:
        stream.pipe.discard()
        call.cancel()
        raise
    return True


async def _send(
    call: grpc.aio.StreamUnaryCall,
    attempt: Attempt,
    stream: ResponseStream,
) -> None:
    limits = attempt.stream
    assert limits is not None, "a runtime streams only to a caller that takes a stream"
    pace = Pace(
        burst_bytes=limits.burst_bytes, bytes_per_s=limits.bytes_per_s, now_s=time.monotonic()
    )
    chunk = stream.pipe.take(CHUNK_BYTES)
    first = pb.PushChunksRequest(
        invocation_id=attempt.invocation_id, content_type=stream.content_type, chunk=chunk
    )
    # The head goes ahead of the first byte: a caller may be waiting for just that.
    await call.write(first)
    pace.delay_s(len(chunk), time.monotonic())
    while chunk := await stream.pipe.read(CHUNK_BYTES):
        delay_s = pace.delay_s(len(chunk), time.monotonic())
        if delay_s:
            await asyncio.sleep(delay_s)
        await call.write(pb.PushChunksRequest(chunk=chunk))
