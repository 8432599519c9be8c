"""Carries an answer to the control plane while the function still writes it.

Its beginning is a frame on the stream that is there anyway: a caller waits for the first byte, and
a short answer is over with it. The rest goes by an RPC of its own, whose flow control reaches from
the caller's socket to the runtime's, so that nothing on the way holds more than its buffer and no
frame of anybody else waits behind it.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable

import grpc

from emberd.fleet.v1 import fleet_pb2 as pb
from emberd.fleet.v1 import fleet_pb2_grpc
from emberd.wire import FRAME_PAYLOAD_BYTES_MAX
from sandbox import frames
from sandbox.pace import Pace
from sandbox.runtimeapi import ResponseStream
from sandbox.work import Attempt

logger = logging.getLogger(__name__)

CHUNK_BYTES = 64 * 1024
"""Most that one message carries; smaller chunks that have piled up leave together."""


class Relay:
    """One streamed answer on its way."""

    def __init__(
        self,
        send: Callable[[pb.HostFrame], None],
        stub: fleet_pb2_grpc.FleetServiceStub,
        metadata: tuple[tuple[str, str], ...],
    ) -> None:
        self._send = send
        self._stub = stub
        self._metadata = metadata

    async def run(self, attempt: Attempt, stream: ResponseStream) -> bool:
        """Carry what comes out of a stream's pipe until it ends.

        Returns:
            Whether the control plane took all of it.
        """
        assert attempt.stream is not None, "a runtime streams only to a caller that takes a stream"
        pace = Pace(
            burst_bytes=attempt.stream.burst_bytes,
            bytes_per_s=attempt.stream.bytes_per_s,
            now_s=time.monotonic(),
        )
        first = stream.pipe.take(min(FRAME_PAYLOAD_BYTES_MAX, attempt.stream.burst_bytes))
        pace.delay_s(len(first), time.monotonic())
        # Even with nothing in it: a caller may be waiting for the head alone.
        self._send(frames.stream_began(attempt.invocation_id, stream.content_type, first))
        try:
            following = await stream.pipe.read(CHUNK_BYTES)
            return not following or await self._push(attempt, stream, pace, following)
        except asyncio.CancelledError:
            stream.pipe.discard()
            raise

    async def _push(
        self, attempt: Attempt, stream: ResponseStream, pace: Pace, chunk: bytes
    ) -> bool:
        call = self._stub.PushChunks(metadata=self._metadata)
        try:
            invocation_id = attempt.invocation_id
            while chunk:
                delay_s = pace.delay_s(len(chunk), time.monotonic())
                if delay_s:
                    await asyncio.sleep(delay_s)
                await call.write(pb.PushChunksRequest(invocation_id=invocation_id, chunk=chunk))
                invocation_id = ""
                chunk = await stream.pipe.read(CHUNK_BYTES)
            await call.done_writing()
            await call
        except (grpc.aio.AioRpcError, asyncio.InvalidStateError):
            # The function goes on without a reader, as on Lambda.
            stream.pipe.discard()
            logger.warning("a streamed answer broke off", extra={"why": await call.details()})
            return False
        finally:
            call.cancel()
        return True
