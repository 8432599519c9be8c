"""One connection of the Runtime API: framing, limits, back-pressure. Knows no call.

One request at a time: what a client sends ahead waits in the parser, and when that grows the
socket is not read any more. A body that is passed on as it comes stops the reading in the same way
while its reader lags, so a slow reader slows the runtime down. A refused request is answered at
once and its body thrown away as it comes, so a client that sends before it reads is never stuck and
nothing is kept for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol, cast

from sandbox.runtimeapi import answers
from sandbox.runtimeapi.events import PAYLOAD_LIMIT_BYTES
from sandbox.runtimeapi.http11 import BadRequestError, BodyPart, End, Head, RequestParser

HEAD_TIME_LIMIT_S = 30.0
"""From a head's first byte to its last."""

HEAD_LIMIT_BYTES = 1024 * 1024 + 64 * 1024
"""An X-Ray cause of a megabyte travels in a header."""

ACCEPTED_AFTER_S = 0.002
"""A client that has sent its next question with its answer waits for both: that the answer was
accepted may come a moment later, with the event if there is one. Told at once, the runtime would
wake only to wait again, on a processor that the answer's way to its caller needs."""

AHEAD_LIMIT_BYTES = 64 * 1024
"""What a client may send ahead of the request in work before its socket is no longer read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """Answer at once and throw the body away."""

    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Collect:
    """Collect the body, then act on it. Exactly one of the three is called, once."""

    done: Callable[[bytes, Mapping[str, str]], bytes]
    """Body and trailers in, answer out."""
    too_large: Callable[[], bytes]
    """The body is over the limit; answer out."""
    broken: Callable[[], None]
    """The connection went before the body was whole."""


class Body(Protocol):
    """Takes a body piece by piece. One of finish, break_off or a refusing write comes last."""

    @property
    def is_full(self) -> bool:
        """Whether the client must wait."""

    def when_roomy(self, call: Callable[[], None]) -> None:
        """Say what to call once it is no longer full."""

    def write(self, data: bytes) -> bytes:
        """Take a piece; an answer out refuses it and what follows."""

    def finish(self, trailers: Mapping[str, str]) -> bytes:
        """The body is whole; answer out."""

    def break_off(self) -> None:
        """The connection went before the body was whole."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """Pass the body on as it comes."""

    body: Body


@dataclass(frozen=True, slots=True, kw_only=True)
class Poll:
    """Hold the connection until someone calls its reply."""

    join: Callable[[Connection], None]


class Calls(Protocol):
    """What a connection asks of its owner."""

    def admit(self, connection: Connection) -> bool:
        """Whether there is room for one more connection."""

    def begin(self, head: Head) -> Reply | Collect | Stream | Poll:
        """Say what is to be done with a request."""

    def may_hold(self, head_bytes: int) -> bool:
        """Whether so many more bytes of unfinished heads fit in what all connections share."""

    def gone(self, connection: Connection) -> None:
        """The connection is lost."""


class Connection(asyncio.Protocol):
    """Serves one client, one request after another."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._parser = RequestParser(HEAD_LIMIT_BYTES)
        self._transport: asyncio.Transport | None = None
        self._head: Head | None = None
        self._action: Collect | Stream | Poll | None = None
        self._body = bytearray()
        self._polling = False
        self._pumping = False
        self._clogged = False
        self._lagging = False
        """The reader of the body in work is slower than the client."""
        self._heard_all = False
        """The client has sent its last byte while nobody could take it."""
        self._reading = True
        self._head_timer: asyncio.TimerHandle | None = None
        self._untold = False
        """Whether the client does not know yet that its answer was accepted."""
        self._tell_timer: asyncio.TimerHandle | None = None
        self.held_head_bytes = 0
        """What of an unfinished head this connection holds; the owner sums it up."""

    @property
    def is_open(self) -> bool:
        """Whether what is written may still arrive."""
        return self._transport is not None and not self._transport.is_closing()

    @property
    def is_clogged(self) -> bool:
        """Whether the client does not read what it was sent."""
        return self._clogged

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Start, or go at once when there are too many."""
        tcp = cast(asyncio.Transport, transport)  # uvloop's has the methods but not the base
        if self._calls.admit(self):
            self._transport = tcp
        else:
            tcp.abort()

    def data_received(self, data: bytes) -> None:
        """Take what came and go as far as it reaches."""
        if self._transport is None:
            return
        self._parser.feed(data)
        if self._is_held:
            if self._parser.buffered_bytes > AHEAD_LIMIT_BYTES and self._reading:
                self._reading = False
                self._transport.pause_reading()
            return
        self._pump()

    def eof_received(self) -> bool:
        """The client will send no more: an unfinished body is a truncated one.

        Returns:
            Whether to keep the connection: what came before the end still waits to be taken.
        """
        if self._lagging:
            self._heard_all = True
        elif isinstance(self._action, Collect | Stream):
            self._break_off()
            self._write(answers.TRUNCATED)
        return self._heard_all

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget everything."""
        self._break_off()
        self._cancel_head_timer()
        self._untold = False
        self._cancel_tell_timer()
        self._transport = None
        self._calls.gone(self)

    def pause_writing(self) -> None:
        """The client does not read: serve it no further request."""
        self._clogged = True

    def resume_writing(self) -> None:
        """It reads again."""
        self._clogged = False
        self._pump()

    def reply(self, *parts: bytes) -> None:
        """Answer the poll that is held."""
        self._polling = False
        self._action = None
        self._write(*parts)
        self._after_reply()
        self._pump()

    def abort(self) -> None:
        """End it now, whatever is under way."""
        transport, self._transport = self._transport, None
        if transport is not None:
            transport.abort()

    @property
    def _is_held(self) -> bool:
        return self._polling or self._clogged or self._lagging

    def _pump(self) -> None:
        if self._pumping:
            return
        self._pumping = True
        try:
            while self._transport is not None and not self._is_held:
                piece = self._parser.pull()
                if piece is None:
                    break
                self._take(piece)
        except BadRequestError as error:
            self._break_off()
            self._write(answers.error(error.status, "InvalidRequest", str(error)))
            self._close()
        finally:
            self._pumping = False
        if self._untold and self._tell_timer is None:
            self._tell_soon()
        self._watch_head()
        transport = self._transport
        if transport is None or self._is_held or transport.is_closing():
            return
        if self._heard_all:
            self._heard_all = False
            self.eof_received()
            self._close()
        if self._reading:
            return
        self._reading = True
        transport.resume_reading()

    def _take(self, piece: Head | BodyPart | End) -> None:
        match piece:
            case Head():
                self._begin(piece)
            case BodyPart():
                self._add(piece.data)
            case End():
                self._finish(piece)

    def _begin(self, head: Head) -> None:
        self._head = head
        action = self._calls.begin(head)
        waits = head.header("expect").lower() == "100-continue"
        if isinstance(action, Reply):
            self._write(action.data)
            if waits:
                # Nobody knows whether its body still comes, so nothing after it can be read.
                self._close()
            return
        self._action = action
        if isinstance(action, Collect) and (head.length or 0) > PAYLOAD_LIMIT_BYTES:
            self._refuse_size(action)
        elif waits:
            self._write(answers.CONTINUE)

    def _add(self, data: bytes) -> None:
        if isinstance(self._action, Stream):
            self._pass_on(self._action.body, data)
        if not isinstance(self._action, Collect):
            return
        if len(self._body) + len(data) > PAYLOAD_LIMIT_BYTES:
            self._refuse_size(self._action)
            return
        self._body += data

    def _pass_on(self, body: Body, data: bytes) -> None:
        refusal = body.write(data)
        if refusal:
            self._action = None
            self._write(refusal)
        elif body.is_full:
            self._lagging = True
            body.when_roomy(self._go_on)

    def _go_on(self) -> None:
        self._lagging = False
        if self._transport is not None:
            self._pump()

    def _refuse_size(self, action: Collect) -> None:
        self._action = None
        self._body = bytearray()
        self._write(action.too_large())

    def _finish(self, end: End) -> None:
        action = self._action
        if isinstance(action, Poll):
            self._polling = True
            action.join(self)
            return
        self._action = None
        if isinstance(action, Stream):
            self._write(action.body.finish(end.trailers))
        elif action is not None:
            body, self._body = bytes(self._body), bytearray()
            answer = action.done(body, end.trailers)
            if answer is answers.ACCEPTED and self._parser.buffered_bytes:
                self._untold = True
            else:
                self._write(answer)
        self._after_reply()

    def _tell_soon(self) -> None:
        if self._polling:
            loop = asyncio.get_running_loop()
            self._tell_timer = loop.call_later(ACCEPTED_AFTER_S, self._write)
        else:
            self._write()

    def _after_reply(self) -> None:
        if self._head is not None and not self._head.keep_alive:
            self._close()
        self._head = None

    def _break_off(self) -> None:
        action, self._action = self._action, None
        self._body = bytearray()
        if isinstance(action, Collect):
            action.broken()
        elif isinstance(action, Stream):
            action.body.break_off()

    def _watch_head(self) -> None:
        held = 0 if self._is_held else self._parser.head_bytes
        if held > AHEAD_LIMIT_BYTES and not self._calls.may_hold(held - self.held_head_bytes):
            self.held_head_bytes = 0
            self.abort()
            return
        self.held_head_bytes = held
        if not held:
            self._cancel_head_timer()
        elif self._head_timer is None:
            loop = asyncio.get_running_loop()
            self._head_timer = loop.call_later(HEAD_TIME_LIMIT_S, self.abort)

    def _cancel_head_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _cancel_tell_timer(self) -> None:
        if self._tell_timer is not None:
            self._tell_timer.cancel()
            self._tell_timer = None

    def _write(self, *parts: bytes) -> None:
        if self._untold:
            self._untold = False
            self._cancel_tell_timer()
            parts = (answers.ACCEPTED, *parts)
        # uvloop raises on a transport that the client has closed a moment before we hear of it.
        if self._transport is None or self._transport.is_closing() or not parts:
            return
        if len(parts) == 1:
            self._transport.write(parts[0])
        else:
            self._transport.writelines(parts)

    def _close(self) -> None:
        if self._untold:
            self._write()
        transport, self._transport = self._transport, None
        if transport is not None:
            transport.close()
