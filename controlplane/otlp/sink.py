"""Spans, log lines and metrics out over OTLP, each as far as it is wanted.

Nothing of the SDK is read here: the threads do that once they have something to send.
"""

from __future__ import annotations

import asyncio
import logging
import os
import threading
import time
from collections.abc import Callable, Sequence
from typing import Protocol

from controlplane.metrics.state import State
from controlplane.metrics.tallies import Tallies
from controlplane.model.log import LogLine
from controlplane.model.spans import Span
from controlplane.otlp.outbox import Limits, Outbox, Sender
from controlplane.otlp.rhythm import Rhythm
from controlplane.otlp.ticker import Ticker
from controlplane.otlp.wanted import Export, Signal, Wanted

logger = logging.getLogger(__name__)

CLOSE_S = 2.0
"""How long a stop lets the endpoints take what is left."""

SPAN_DELAY_MS, LOG_DELAY_MS = 5_000, 1_000
"""OpenTelemetry's defaults for OTEL_BSP_SCHEDULE_DELAY and OTEL_BLRP_SCHEDULE_DELAY."""

LINE_OVERHEAD_BYTES = 200
"""What a line takes beside its message, roughly, as it travels."""


class _Part(Protocol):
    def close(self, timeout_s: float) -> bool:
        """Finish; blocks. Whether that was done in time."""


class OtlpSink:
    """Sends what the variables ask for. Methods are called on the event loop and never block."""

    def __init__(
        self,
        wanted: Wanted,
        service_instance: str,
        tallies: Tallies,
        read_state: Callable[[], State],
    ) -> None:
        """Opened on the event loop, where read_state is called too."""
        exports = wanted.exports
        self._spans: Outbox[Span] | None = None
        if export := exports.get(Signal.TRACES):
            limits = Limits.read(os.environ, "OTEL_BSP", delay_ms=SPAN_DELAY_MS)
            self._spans = Outbox(_span_sender(export, service_instance), limits, name="otlp-spans")
        self._logs: Outbox[LogLine] | None = None
        if export := exports.get(Signal.LOGS):
            limits = Limits.read(os.environ, "OTEL_BLRP", delay_ms=LOG_DELAY_MS)
            opener = _line_sender(export, service_instance)
            self._logs = Outbox(opener, limits, name="otlp-logs", weigh=_weight)
        self._metrics: Ticker | None = None
        if export := exports.get(Signal.METRICS):
            rhythm = Rhythm.read(os.environ)
            collect = _metric_sender(export, service_instance, rhythm, tallies)
            self._metrics = Ticker(collect, rhythm.interval_s, read_state)
        parts: tuple[_Part | None, ...] = (self._spans, self._logs, self._metrics)
        self._parts = [part for part in parts if part is not None]

    @property
    def spans_dropped(self) -> int:
        """Spans that were not taken, for whatever reason."""
        return self._spans.dropped if self._spans else 0

    @property
    def lines_dropped(self) -> int:
        """Log lines that were not taken, for whatever reason."""
        return self._logs.dropped if self._logs else 0

    @property
    def metrics_failed(self) -> int:
        """Times that the metrics were not taken."""
        return self._metrics.failed if self._metrics else 0

    def put(self, invocations_spans: Sequence[Span]) -> None:
        """Queue the spans of one invocation, all or none."""
        if self._spans:
            self._spans.put(invocations_spans)

    def put_lines(self, lines: Sequence[LogLine]) -> None:
        """Queue as many log lines as there is room for."""
        if self._logs:
            for line in lines:
                self._logs.put((line,))

    async def close(self) -> None:
        """Send what is left, but wait no longer than CLOSE_S."""
        if not await asyncio.to_thread(self._close_all):
            logger.warning("the OTLP endpoint did not take everything", extra={"seconds": CLOSE_S})

    def _close_all(self) -> bool:
        until = time.monotonic() + CLOSE_S
        closed: list[bool] = []

        def close(part: _Part) -> None:
            closed.append(part.close(max(0.0, until - time.monotonic())))

        threads = [threading.Thread(target=close, args=(part,)) for part in self._parts]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return all(closed)


def _weight(line: LogLine) -> int:
    return len(line.message) + LINE_OVERHEAD_BYTES


def _span_sender(export: Export, instance: str) -> Callable[[], Sender[Sequence[Span]]]:
    def opened() -> Sender[Sequence[Span]]:
        from controlplane.otlp import exporters, resource, spans

        exporter = exporters.span_exporter(export)
        send = spans.sender(exporter, resource.control_planes(instance))
        return Sender(send=send, give_up=exporter.shutdown)

    return opened


def _line_sender(export: Export, instance: str) -> Callable[[], Sender[Sequence[LogLine]]]:
    def opened() -> Sender[Sequence[LogLine]]:
        from controlplane.otlp import exporters, logs, resource

        exporter = exporters.log_exporter(export)
        send = logs.sender(exporter, resource.control_planes(instance))
        return Sender(send=send, give_up=exporter.shutdown)

    return opened


def _metric_sender(
    export: Export, instance: str, rhythm: Rhythm, tallies: Tallies
) -> Callable[[], Sender[State]]:
    start_ns = time.time_ns()

    def opened() -> Sender[State]:
        from controlplane.otlp import exporters, metrics, resource

        exporter = exporters.metric_exporter(export)
        collector = metrics.Collector(rhythm, start_ns)
        origin = resource.control_planes(instance)
        send = metrics.sender(exporter, collector, origin, tallies)
        return Sender(send=send, give_up=exporter.shutdown)

    return opened
