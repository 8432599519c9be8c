"""One end of a link: the frames of a host's stream on a socket of their own.

gRPC is how a host comes in and how both sides learn that the other is gone. Its way of carrying
a message, through threads of its own, costs several times what the message itself does; a link
carries the same messages on the loop that makes and reads them.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import Generic, cast

from emberd.wire.errors import UnavailableError
from emberd.wire.framequeue import FRAMES_PER_MESSAGE, FRAMES_QUEUED_MAX, Frame
from emberd.wire.framing import MessageReader, framed

TICKET_BYTES = 32
"""What a host sends first, as it was given to it over gRPC."""

UNIX = "unix:"
CONNECT_WITHIN_S = 3.0


class FrameLink(asyncio.Protocol, Generic[Frame]):
    """Sends frames and takes messages. Reading never waits on writing.

    Frames that are sent in one turn of the loop leave as one message. Whatever take raises ends
    the link: it is the other end's mistake, or ours.
    """

    def __init__(
        self,
        encode: Callable[[Sequence[Frame]], bytes],
        take: Callable[[bytes], None],
        ticket: bytes = b"",
    ) -> None:
        """Encode makes one message of frames; take is called with every message that comes.

        Whoever joins shows a ticket before all else.
        """
        self._ticket = ticket
        self._encode = encode
        self._take = take
        self._reader = MessageReader()
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[Frame] = deque()
        self._transport: asyncio.Transport | None = None
        self._paused = False
        self._flushing = False
        self.lost: asyncio.Future[None] = self._loop.create_future()
        """Done once nothing can be sent or taken any more."""

    def send(self, frame: Frame) -> bool:
        """Send it; False when too many wait already. On a link that is lost it is dropped."""
        if self.lost.done():
            return True
        if len(self._waiting) >= FRAMES_QUEUED_MAX:
            return False
        self._waiting.append(frame)
        if not self._flushing and not self._paused and self._transport is not None:
            self._flushing = True
            self._loop.call_soon(self._flush)
        return True

    def close(self) -> None:
        """Send what can be sent without waiting, and end it. Idempotent."""
        if self._transport is not None and not self.lost.done():
            self._flush()
            if self._paused:
                self._transport.abort()
            else:
                self._transport.close()
        self._end()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to send."""
        # uvloop's transports are none of asyncio's classes.
        self._transport = transport = cast(asyncio.Transport, transport)
        if self.lost.done():
            transport.close()
            return
        if self._ticket:
            transport.write(self._ticket)
        self._flush()

    def data_received(self, data: bytes) -> None:
        """Take what is whole."""
        for message in self._reader.feed(data):
            if self.lost.done():
                return
            self._take(message)

    def pause_writing(self) -> None:
        """The other end does not read: what is sent waits here, bounded."""
        self._paused = True

    def resume_writing(self) -> None:
        """It reads again."""
        self._paused = False
        self._flush()

    def connection_lost(self, exc: Exception | None) -> None:
        """The other end is gone."""
        self._end()

    def _flush(self) -> None:
        self._flushing = False
        waiting = self._waiting
        while waiting and not self._paused and self._transport is not None:
            count = min(len(waiting), FRAMES_PER_MESSAGE)
            batch = [waiting.popleft() for _ in range(count)]
            self._transport.write(framed(self._encode(batch)))

    def _end(self) -> None:
        self._waiting.clear()
        if not self.lost.done():
            self.lost.set_result(None)


async def join(link: FrameLink[Frame], address: str) -> None:
    """Connect this end to a link that was offered, within a few seconds.

    Raises:
        UnavailableError: it cannot be reached from here.
    """
    loop = asyncio.get_running_loop()
    path = address.removeprefix(UNIX)
    try:
        if path == address:
            raise OSError(f"{address} is no Unix socket")
        async with asyncio.timeout(CONNECT_WITHIN_S):
            await loop.create_unix_connection(lambda: link, path)
    except OSError as error:
        raise UnavailableError(
            f"the link is out of reach: {error}", reason="STREAM_CLOSED"
        ) from error
