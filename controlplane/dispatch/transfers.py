"""What travels beside the frames of a running invocation: its event, and its answer."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from controlplane.dispatch.running import Running
from emberd.wire.errors import InvalidArgumentError, NotFoundError, UnavailableError
from emberd.wire.pipe import BytePipe, nowhere

BEGINNING_S = 10.0
"""The rest of a streamed answer may overtake its beginning, which comes on another stream."""


class Transfers:
    """What hosts fetch and hand in for the invocations that run now."""

    def __init__(self, running: Mapping[str, Running]) -> None:
        self._running = running

    def payload_of(self, invocation_id: str) -> bytes:
        """The event of a running invocation, for the host that fetches it."""
        return self._now(invocation_id).request.payload

    def take_pushed(self, invocation_id: str, chunk: bytes, limit: int) -> None:
        """A piece of a large answer arrives ahead of its result."""
        running = self._now(invocation_id)
        if len(running.pushed) + len(chunk) > limit:
            raise InvalidArgumentError(
                f"the answer of {invocation_id} exceeds {limit} bytes", reason="REQUEST_TOO_LARGE"
            )
        running.pushed += chunk

    def stream_began(self, invocation_id: str, content_type: str) -> BytePipe:
        """A runtime begins to stream its answer; its bytes go into the pipe that is returned.

        Where nobody asked for a stream, or the caller has gone, they are thrown away.
        """
        running = self._running.get(invocation_id)
        if running is None or running.stream is None or running.stream.has_begun:
            return nowhere()
        running.stream.content_type.set_result(content_type)
        return running.stream.pipe

    async def stream_of(self, invocation_id: str) -> BytePipe:
        """Where the rest of a streamed answer goes; its beginning may still be on its way.

        Raises:
            InvalidArgumentError: nobody asked for a stream, or it never begins.
        """
        running = self._running.get(invocation_id)
        if running is None:
            return nowhere()
        stream = running.stream
        if stream is not None:
            await asyncio.wait({stream.content_type}, timeout=BEGINNING_S)
        if stream is None or not stream.has_begun:
            raise InvalidArgumentError(
                f"no stream was asked of {invocation_id}, or it has not begun", reason="NO_STREAM"
            )
        return stream.pipe

    def reader_stalled(self, invocation_id: str, waited_s: float) -> None:
        """The caller does not read its answer: it is given up, and the function runs on."""
        running = self._running.get(invocation_id)
        if running is None or running.stream is None:
            return
        running.fail(
            UnavailableError(
                f"the answer of {invocation_id} was given up: its caller read nothing for "
                f"{waited_s:g} s",
                reason="READER_STALLED",
            )
        )
        running.stream.pipe.discard()

    def _now(self, invocation_id: str) -> Running:
        running = self._running.get(invocation_id)
        if running is None:
            raise NotFoundError(
                f"invocation {invocation_id} does not run here any more",
                reason="RESOURCE_NOT_FOUND",
                invocation_id=invocation_id,
            )
        return running
