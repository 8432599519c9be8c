"""Spans, log lines and metrics out over OTLP, each as far as it is wanted."""

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
from controlplane.otlp import exporters, logs, spans
from controlplane.otlp.metrics import OtlpMetrics, Rhythm
from controlplane.otlp.outbox import Limits, Outbox
from controlplane.otlp.resource import control_planes
from controlplane.otlp.wanted import Signal, Wanted

logger = logging.getLogger(__name__)

CLOSE_S = 2.0
"""How long a stop lets the endpoints take what is left."""

SPAN_DELAY_MS, LOG_DELAY_MS = 5_000, 1_000
"""OpenTelemetry's defaults for OTEL_BSP_SCHEDULE_DELAY and OTEL_BLRP_SCHEDULE_DELAY."""


class _Closing(Protocol):
    def close(self, timeout_s: float) -> bool:
        """Finish; blocks. Whether that was done in time."""


class _Exporter(Protocol):
    def shutdown(self) -> None:
        """Give up what is being sent."""


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
        self._resource = control_planes(service_instance)
        self._parts: list[tuple[_Closing, _Exporter]] = []
        exports = wanted.exports
        self._spans: Outbox[Span] | None = None
        if export := exports.get(Signal.TRACES):
            exporter = exporters.span_exporter(export)
            limits = Limits.read(os.environ, "OTEL_BSP", delay_ms=SPAN_DELAY_MS)
            send = spans.sender(exporter, self._resource)
            self._spans = Outbox(send, limits, name="otlp-spans")
            self._parts.append((self._spans, exporter))
        self._logs: Outbox[LogLine] | None = None
        if export := exports.get(Signal.LOGS):
            taker = exporters.log_exporter(export)
            limits = Limits.read(os.environ, "OTEL_BLRP", delay_ms=LOG_DELAY_MS)
            send_lines = logs.sender(taker, self._resource)
            self._logs = Outbox(send_lines, limits, name="otlp-logs", weigh=logs.weight)
            self._parts.append((self._logs, taker))
        self._metrics: OtlpMetrics | None = None
        if export := exports.get(Signal.METRICS):
            meter = exporters.metric_exporter(export)
            rhythm = Rhythm.read(os.environ)
            self._metrics = OtlpMetrics(meter, rhythm, self._resource, tallies, read_state)
            self._parts.append((self._metrics, meter))

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

        def close(part: _Closing) -> None:
            closed.append(part.close(max(0.0, until - time.monotonic())))

        threads = [threading.Thread(target=close, args=(part,)) for part, _ in self._parts]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for _, exporter in self._parts:
            # Ends the retry that still waits, so that no thread outlives the program.
            exporter.shutdown()
        return all(closed)
