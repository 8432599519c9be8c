"""From a sandbox's output to log records: split into lines, cut, attributed, bounded.

A function may write without end, lines of a gigabyte, or bytes that are no text. Nothing here grows
with what it writes: a line is cut at 256 KB and its rest counted, the way out is a bounded queue
that drops and counts.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from typing import Protocol

from sandbox.output import OutputReader
from sandbox.report import LOG_TAIL_BYTES
from sandbox.work import LogRecord

LINE_BYTES_MAX = 256 * 1024

Line = Callable[[bytes], None]


class LineSplitter:
    """Bytes in, whole lines out. Pure but for the callback."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._partial = bytearray()
        self._skipping = False
        self._skipped_bytes = 0

    def feed(self, data: bytes) -> None:
        """Take what was read."""
        start = 0
        while (end := data.find(b"\n", start)) >= 0:
            self._append(data[start:end])
            self.flush()
            start = end + 1
        self._append(data[start:])

    def flush(self) -> None:
        """End the line that was begun, if there is one (an empty line counts once it ended)."""
        if not self._skipping:
            self._line(bytes(self._partial))
        elif self._skipped_bytes:
            self._line(b"emberd: %d more bytes of this line were dropped" % self._skipped_bytes)
        self._partial.clear()
        self._skipping, self._skipped_bytes = False, 0

    @property
    def pending(self) -> bool:
        """Whether a line was begun and not ended, be it one whose rest is skipped."""
        return self._skipping or bool(self._partial)

    def _append(self, piece: bytes) -> None:
        room = LINE_BYTES_MAX - len(self._partial)
        if self._skipping:
            self._skipped_bytes += len(piece)
            return
        self._partial += piece[:room]
        if len(self._partial) >= LINE_BYTES_MAX:
            self._line(bytes(self._partial))
            self._partial.clear()
            self._skipping, self._skipped_bytes = True, len(piece) - room


class Source(Protocol):
    """Where the lines of a log come from."""

    def drain(self) -> None:
        """Take everything that was written before now: it precedes the answer in the pipe."""

    def close(self) -> None:
        """Take no more. Idempotent."""


class _OwnPipe:
    """A pipe of the sandbox's own."""

    def __init__(self, fd: int, line: Line) -> None:
        self._line = line
        self._splitter = LineSplitter(line)
        self._reader = OutputReader(fd, self._splitter.feed)

    def drain(self) -> None:
        dropped = self._reader.drain()
        if self._splitter.pending:
            self._splitter.flush()
        if dropped:
            self._line(b"emberd: %d more lines were dropped: too many at once" % dropped)

    def close(self) -> None:
        self._reader.close()


class SandboxLog:
    """Takes one sandbox's output and hands each line on with the invocation it belongs to."""

    def __init__(
        self,
        output: int | Callable[[SandboxLog], Source],
        sink: Callable[[LogRecord], None],
        *,
        function_name: str,
        version: str,
        log_stream: str,
        log_group: str = "",
    ) -> None:
        """output is the descriptor of a pipe, or makes something else that lines come from."""
        self._sink = sink
        self._function_name = function_name
        self._version = version
        self._log_stream = log_stream
        self._log_group = log_group
        self.invocation_id = self._trace_header = ""
        self._tail: deque[bytes] = deque()
        self._tail_bytes = 0
        self._source = _OwnPipe(output, self.write) if isinstance(output, int) else output(self)

    def begin(self, invocation_id: str, trace_header: str = "") -> None:
        """Lines from here on belong to this invocation; its tail starts empty."""
        self.invocation_id = invocation_id
        self._trace_header = trace_header
        self._tail.clear()
        self._tail_bytes = 0

    def write(self, message: bytes) -> None:
        """Add a line, the platform's own ones too."""
        self._tail.append(message)
        self._tail_bytes += len(message) + 1
        while self._tail_bytes - len(self._tail[0]) - 1 >= LOG_TAIL_BYTES:
            self._tail_bytes -= len(self._tail.popleft()) + 1
        self._sink(
            LogRecord(
                time_ns=time.time_ns(),
                function_name=self._function_name,
                version=self._version,
                invocation_id=self.invocation_id,
                message=message,
                log_stream=self._log_stream,
                log_group=self._log_group,
                trace_header=self._trace_header,
            )
        )

    def drain(self) -> None:
        """Take everything that was written before now."""
        self._source.drain()

    def tail(self) -> bytes:
        """The last 4 KB of the invocation's log."""
        return b"".join(line + b"\n" for line in self._tail)[-LOG_TAIL_BYTES:]

    def close(self) -> None:
        """Stop reading. Idempotent; the descriptor belongs to the sandbox."""
        self._source.close()


class LogQueue:
    """The bounded way out of the host. What does not fit is dropped and counted."""

    RECORDS_MAX = 20_000
    BYTES_MAX = 16 * 1024 * 1024

    def __init__(self) -> None:
        self._records: deque[LogRecord] = deque()
        self._bytes = 0
        self._filled = asyncio.Event()
        self.dropped = 0

    def offer(self, record: LogRecord) -> None:
        """Take a record, or count it as dropped."""
        if len(self._records) >= self.RECORDS_MAX or self._bytes >= self.BYTES_MAX:
            self.dropped += 1
            return
        self._records.append(record)
        self._bytes += len(record.message)
        self._filled.set()

    async def filled(self) -> None:
        """Return once there is at least one record."""
        await self._filled.wait()

    def give_back(self, records: list[LogRecord]) -> None:
        """Put records that could not travel back to the front."""
        self._records.extendleft(reversed(records))
        self._bytes += sum(len(each.message) for each in records)
        if records:
            self._filled.set()

    def take(self, records_max: int, bytes_max: int) -> list[LogRecord]:
        """The oldest records, at most so many."""
        batch: list[LogRecord] = []
        size = 0
        while self._records and len(batch) < records_max and size < bytes_max:
            record = self._records.popleft()
            batch.append(record)
            size += len(record.message)
        self._bytes -= size
        if not self._records:
            self._filled.clear()
        return batch
