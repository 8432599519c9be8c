"""Traces, metrics and exported logs of the control plane.

An invocation pays for a context when it arrives and an append when it has been answered. Spans are
made later, a few records at a time, for the local store and, where OpenTelemetry's own variables
name an OTLP endpoint, for it too (controlplane/otlp).
"""

from __future__ import annotations

import asyncio
import logging
import os
import random
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from controlplane.metrics.state import State
from controlplane.metrics.tallies import Tallies
from controlplane.model.invocation import InvocationRecord
from controlplane.model.log import LogLine
from controlplane.model.spans import Span, spans_of
from controlplane.model.trace import (
    KEEP_ALL,
    KEEP_NONE,
    RANDOM_BITS,
    SPAN_ID_BITS,
    Sampling,
    TraceContext,
    TraceHeaders,
    begin,
    read,
    sampling_of,
)
from controlplane.otlp.sink import OtlpSink
from controlplane.otlp.wanted import is_disabled, read_wanted

logger = logging.getLogger(__name__)

RECORDS_MAX = 4_096
"""Records that wait for their spans; beyond it they are dropped and counted."""

TOLD_MAX = 5_000
"""Spans of functions that wait to be kept."""

GATHER_S = 0.05
"""Records wait this long for company, so that an idle control plane wakes rarely."""

CHUNK = 8
"""Records turned into spans before the loop may do other things: a fraction of a millisecond."""

CLOSE_S = 3.0
"""All that a stop waits for telemetry."""


class TraceSink(Protocol):
    """Where finished spans go; never blocks."""

    def put(self, spans: Sequence[Span]) -> None:
        """Take the spans of one invocation."""


class Telemetry:
    """Begins contexts, takes records, and turns them into spans off the answer's path."""

    def __init__(self, traces: TraceSink, *, service_instance: str, otlp: bool) -> None:
        self._traces = traces
        self._random = random.Random()
        self._off = is_disabled(os.environ)
        self._sampling = KEEP_NONE if self._off else _sampling(os.environ)
        self._records: deque[InvocationRecord] = deque()
        self._news = asyncio.Event()
        self._taken = 0
        self._read_state: Callable[[], State] = State
        self._measure: Callable[[InvocationRecord], None] = lambda _record: None
        self.tallies = Tallies()
        """What is counted of every invocation, whether or not its trace is kept."""
        self._sink = self._open_sink(service_instance) if otlp else None
        self.dropped = 0
        """Records that were dropped because too many waited."""
        self._told: deque[Span] = deque()
        self.told_dropped = 0
        """Spans of functions that were refused at a host, or dropped because too many waited."""

    @property
    def export_dropped(self) -> int:
        """Spans that the OTLP endpoint did not take, for whatever reason."""
        return self._sink.spans_dropped if self._sink else 0

    @property
    def lost(self) -> Mapping[str, int]:
        """What was not taken, by kind."""
        sink = self._sink
        return {
            "records": self.dropped,
            "function_spans": self.told_dropped,
            "exported_spans": sink.spans_dropped if sink else 0,
            "exported_log_lines": sink.lines_dropped if sink else 0,
            "metric_exports": sink.metrics_failed if sink else 0,
        }

    def new_context(self, headers: TraceHeaders) -> TraceContext:
        """Join the trace that a request's headers name, or begin one."""
        draw = self._random.getrandbits
        return begin(
            read(headers),
            self._sampling,
            now_s=int(time.time()),
            trace_bits=draw(RANDOM_BITS),
            span_bits=draw(SPAN_ID_BITS),
        )

    def record(self, record: InvocationRecord) -> None:
        """Take the story of an invocation that has been answered."""
        # Counted at once and never dropped: a few microseconds, behind the answer.
        self._measure(record)
        if self._off:
            return
        self.tallies.measure(record)
        # A head's choice is made before anybody knows how it goes; this one is made after. The rest
        # is let go of at once: records that live until they are worked off are the collector's.
        if not (record.sampled or (self._sampling.share > 0.0 and record.remarkable)):
            return
        if len(self._records) >= RECORDS_MAX:
            self.dropped += 1
            return
        self._records.append(record)
        self._news.set()

    def take_lines(self, lines: Sequence[LogLine]) -> None:
        """Export log lines, where that is wanted."""
        if self._sink:
            self._sink.put_lines(lines)

    def take_spans(self, spans: Sequence[Span], dropped: int) -> None:
        """Take what functions tell of their own work, as far as there is room.

        Args:
            spans: Of any traces.
            dropped: How many more there were that hosts did not take.
        """
        room = TOLD_MAX - len(self._told)
        self._told.extend(spans[:room])
        self.told_dropped += dropped + max(0, len(spans) - room)
        self._news.set()

    def on_record(self, measure: Callable[[InvocationRecord], None]) -> None:
        """Have every record measured here too, at once; it must be quick."""
        self._measure = measure

    def watch(self, read_state: Callable[[], State]) -> None:
        """Have metrics read from here how it stands; called on the event loop."""
        self._read_state = read_state

    async def run(self) -> None:
        """Turn records into spans until cancelled."""
        while True:
            await self._news.wait()
            await asyncio.sleep(GATHER_S)
            self._news.clear()
            try:
                await self.settle()
            except Exception:
                # The record is gone and the next ones are none the worse for it.
                logger.exception("a record could not be made into spans")

    async def settle(self) -> None:
        """Return when every record taken before this call has become spans."""
        goal = self._taken + len(self._records)
        while self._taken < goal:
            self._work_off(CHUNK)
            await asyncio.sleep(0)
        while self._told:
            self._pass_on(2 * CHUNK)
            await asyncio.sleep(0)

    async def close(self) -> None:
        """Work off what waits and let the OTLP endpoint have it, for a bounded time."""
        try:
            async with asyncio.timeout(CLOSE_S):
                await self.settle()
                if self._sink:
                    await self._sink.close()
        except TimeoutError:
            logger.warning("telemetry was not finished in time", extra={"seconds": CLOSE_S})

    def _open_sink(self, service_instance: str) -> OtlpSink:
        wanted = read_wanted(os.environ)
        return OtlpSink(wanted, service_instance, self.tallies, lambda: self._read_state())

    def _work_off(self, most: int) -> None:
        for _ in range(min(most, len(self._records))):
            spans = spans_of(self._records.popleft(), self._random.getrandbits)
            self._taken += 1
            self._traces.put(spans)
            if self._sink:
                self._sink.put(spans)

    def _pass_on(self, most: int) -> None:
        """Keep the oldest spans of functions, those of one trace together."""
        piece: list[Span] = []
        while self._told and len(piece) < most:
            if piece and self._told[0].trace_id != piece[0].trace_id:
                break
            piece.append(self._told.popleft())
        self._traces.put(piece)
        if self._sink:
            self._sink.put(piece)


def otlp_wanted(environment: Mapping[str, str]) -> bool:
    """Whether OpenTelemetry's standard variables ask for export; says what of it cannot be had."""
    wanted = read_wanted(environment)
    for complaint in wanted.complaints:
        logger.warning("something is not exported", extra={"why": complaint})
    return bool(wanted.exports)


def _sampling(environment: Mapping[str, str]) -> Sampling:
    name = environment.get("OTEL_TRACES_SAMPLER", "")
    argument = environment.get("OTEL_TRACES_SAMPLER_ARG", "")
    sampling = sampling_of(name, argument)
    if sampling is None:
        logger.warning(
            "this sampler is unknown, so every trace is kept",
            extra={"sampler": name, "argument": argument},
        )
        return KEEP_ALL
    return sampling
