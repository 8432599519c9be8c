"""Where a function's spans come in: one datagram socket and one listener for each sandbox.

Both are inside the sandbox's own network, so what comes in is its own. A sandbox that sends much
is read more slowly, and what its sockets cannot hold meanwhile is its own loss.
"""

from __future__ import annotations

import asyncio
import importlib
import logging
import socket
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace

from sandbox.tracing import xray
from sandbox.tracing.book import Refusal, TraceBook
from sandbox.tracing.context import TraceContext
from sandbox.tracing.queue import SpanQueue
from sandbox.tracing.receiver import Held, Receiver
from sandbox.tracing.spans import FunctionSpan, MalformedError, SpanRecord

logger = logging.getLogger(__name__)

CONNECTIONS_PER_SANDBOX = 4
ACCEPT_REST_S = 0.002
"""Between two connections of a sandbox, so that a flood of them costs little."""
DATAGRAMS_PER_TURN = 4
BUSY_S = 0.001
REST_PER_BUSY = 7
"""What took this long of the loop is followed by a rest of seven times as long."""

READER_OF_OTLP = "sandbox.tracing.otlp"


class SpanDoors:
    """Makes the doors of all sandboxes of a host."""

    def __init__(self, queue: SpanQueue) -> None:
        self._queue = queue
        self._held = Held()
        self.refused: Counter[str] = Counter()
        """Spans and documents that were not taken, by the reason."""

    def open(
        self,
        datagrams: socket.socket,
        listener: socket.socket,
        function_name: str,
        version: str,
    ) -> SpanDoor:
        """Read what arrives at these, which stay the caller's, until the door is closed."""

        def take(invocation_id: str, span: FunctionSpan) -> None:
            self._queue.offer(
                SpanRecord(
                    function_name=function_name,
                    version=version,
                    invocation_id=invocation_id,
                    span=span,
                )
            )

        return SpanDoor(datagrams, listener, take, self._refuse, self._held)

    def _refuse(self, why: str, count: int) -> None:
        self.refused[why] += count
        self._queue.drop(count)


class SpanDoor:
    """One sandbox's."""

    def __init__(
        self,
        datagrams: socket.socket,
        listener: socket.socket,
        take: Callable[[str, FunctionSpan], None],
        refuse: Callable[[str, int], None],
        held: Held,
    ) -> None:
        self._datagrams = datagrams
        self._listener = listener
        self._take = take
        self._refuse = refuse
        self._held = held
        self._book = TraceBook()
        self._tasks: set[asyncio.Task[None]] = set()
        self._busy_s = 0.0
        self._rest: asyncio.TimerHandle | None = None
        self._loop = asyncio.get_running_loop()
        self._open = True
        self._accept_again: asyncio.TimerHandle | None = None
        self._loop.add_reader(datagrams.fileno(), self._readable)
        self._loop.add_reader(listener.fileno(), self._accept)

    def begin(self, invocation_id: str, context: TraceContext | None) -> None:
        """The sandbox gets an invocation: spans of its trace are taken from now on."""
        self._book.begin(invocation_id, context)

    async def close(self) -> None:
        """Read no more. Idempotent; the sockets stay the caller's."""
        if not self._open:
            return
        self._open = False
        if self._rest is not None:
            self._rest.cancel()
        else:
            self._loop.remove_reader(self._datagrams.fileno())
        self._loop.remove_reader(self._listener.fileno())
        if self._accept_again is not None:
            self._accept_again.cancel()
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)

    def _readable(self) -> None:
        """Read a few datagrams a turn, and rest when that was much work."""
        began = self._loop.time()
        for _ in range(DATAGRAMS_PER_TURN):
            try:
                data = self._datagrams.recv(xray.DOCUMENT_BYTES_MAX + 1)
            except OSError:
                break
            self._read(data)
        self._busy_s += self._loop.time() - began
        if self._busy_s >= BUSY_S:
            self._loop.remove_reader(self._datagrams.fileno())
            self._rest = self._loop.call_later(self._busy_s * REST_PER_BUSY, self._read_again)

    def _read_again(self) -> None:
        self._busy_s, self._rest = 0.0, None
        self._loop.add_reader(self._datagrams.fileno(), self._readable)

    def _read(self, data: bytes) -> None:
        try:
            spans = xray.read_datagram(data)
        except MalformedError as error:
            logger.debug("a document was refused", extra={"why": str(error)})
            self._refuse("malformed", 1)
            return
        self._judge(spans)

    def _judge(self, spans: Sequence[FunctionSpan]) -> int:
        """Take those that belong to an invocation; how many do not."""
        now_ns, refused = time.time_ns(), 0
        for span in spans:
            verdict = self._book.judge(span, now_ns)
            if isinstance(verdict, Refusal):
                # That a trace is not kept was decided; nothing is lost.
                self._refuse(verdict.value, 0 if verdict is Refusal.UNSAMPLED else 1)
                refused += 1
                continue
            invocation_id, own_span_id = verdict
            if not span.parent_span_id:
                span = replace(span, parent_span_id=own_span_id)
            self._take(invocation_id, span)
        return refused

    def _accept(self) -> None:
        """Take one connection; the next waits in its own kernel's queue, for a place too."""
        self._loop.remove_reader(self._listener.fileno())
        try:
            connection, _ = self._listener.accept()
        except OSError as error:
            logger.debug("a connection was not taken", extra={"why": str(error)})
        else:
            connection.settimeout(0)
            task = self._loop.create_task(Receiver(connection, self._export, self._held).run())
            self._tasks.add(task)
            task.add_done_callback(self._ended)
        self._accept_again = self._loop.call_later(ACCEPT_REST_S, self._listen)

    def _listen(self) -> None:
        self._accept_again = None
        if len(self._tasks) < CONNECTIONS_PER_SANDBOX:
            self._loop.add_reader(self._listener.fileno(), self._accept)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if self._open and self._accept_again is None:
            self._listen()

    async def _export(self, body: bytes) -> bytes:
        """Take one request of OTLP; its answer."""
        # OpenTelemetry's messages take a moment to be imported, so the first time a thread does it.
        if READER_OF_OTLP not in sys.modules:
            await asyncio.to_thread(importlib.import_module, READER_OF_OTLP)
        from sandbox.tracing import otlp

        began = self._loop.time()
        spans, malformed = otlp.read_request(body)
        if malformed:
            self._refuse("malformed", malformed)
        refused = malformed + self._judge(spans)
        busy_s = self._loop.time() - began
        if busy_s >= BUSY_S:
            await asyncio.sleep(busy_s * REST_PER_BUSY)
        return otlp.answer(refused)
