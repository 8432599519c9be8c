"""The families of `controlplane.metrics`, sent every minute.

They are read where they are counted anyway, instead of handing every measurement to the SDK's
instruments as well: that took 40 us of an invocation, this takes none.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from opentelemetry.sdk.metrics import Exemplar
from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    Gauge,
    HistogramDataPoint,
    Metric,
    MetricExportResult,
    MetricsData,
    NumberDataPoint,
    ResourceMetrics,
    ScopeMetrics,
    Sum,
)
from opentelemetry.sdk.metrics.export import Histogram as HistogramData

from controlplane.metrics.families import FAMILIES, Family, Kind, Labels
from controlplane.metrics.histogram import Histogram
from controlplane.metrics.state import State
from controlplane.metrics.tallies import Tallies
from controlplane.otlp.resource import SCOPE

if TYPE_CHECKING:
    from opentelemetry.sdk.metrics.export import MetricExporter
    from opentelemetry.sdk.resources import Resource

logger = logging.getLogger(__name__)

LOOP_S = 1.0
"""How long the thread waits for the event loop to read the state."""

INTERVAL_S = 60.0
"""OpenTelemetry's default for OTEL_METRIC_EXPORT_INTERVAL."""

Series = tuple[str, tuple[tuple[str, str], ...]]
"""A family's name and one set of labels."""

UNKNOWN = cast("float", None)
"""The SDK wants a smallest and a largest measurement; on the wire both may be absent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rhythm:
    """How often, and since when values count."""

    interval_s: float
    counters_delta: bool
    histograms_delta: bool

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> Rhythm:
        """From OTEL_METRIC_EXPORT_INTERVAL and the temporality that is preferred."""
        try:
            interval_s = float(environment.get("OTEL_METRIC_EXPORT_INTERVAL", "")) / 1000
        except ValueError:
            interval_s = INTERVAL_S
        wish = environment.get("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", "")
        wish = wish.strip().lower()
        return cls(
            interval_s=interval_s if interval_s > 0 else INTERVAL_S,
            # Counters are read, not told: to OpenTelemetry they are observable ones.
            counters_delta=wish == "delta",
            histograms_delta=wish in ("delta", "lowmemory"),
        )


class OtlpMetrics:
    """Collects and sends on a thread of its own."""

    def __init__(
        self,
        exporter: MetricExporter,
        rhythm: Rhythm,
        resource: Resource,
        tallies: Tallies,
        read_state: Callable[[], State],
    ) -> None:
        """Made on the event loop, where read_state is called too."""
        self._exporter = exporter
        self._rhythm = rhythm
        self._resource = resource
        self._collector = Collector(rhythm, time.time_ns())
        self._tallies = tallies
        self._state = _StateFromThread(read_state)
        self._ended = threading.Event()
        self.failed = 0
        """Times that the endpoint did not take them."""
        self._thread = threading.Thread(target=self._run, name="otlp-metrics", daemon=True)
        self._thread.start()

    def close(self, timeout_s: float) -> bool:
        """Send once more; blocks. Whether that was done in time."""
        self._ended.set()
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        last = False
        while not last:
            last = self._ended.wait(self._rhythm.interval_s)
            arrived = False
            try:
                arrived = self._send()
            except Exception:
                # The next collection is none the worse for it.
                logger.exception("metrics could not be sent")
            if not arrived:
                self.failed += 1

    def _send(self) -> bool:
        metrics = self._collector.collect(self._tallies, self._state.read(), time.time_ns())
        scope = ScopeMetrics(SCOPE, metrics, "")
        data = MetricsData([ResourceMetrics(self._resource, [scope], "")])
        return self._exporter.export(data) is MetricExportResult.SUCCESS


class Collector:
    """Turns families into metrics; remembers what it needs for differences."""

    def __init__(self, rhythm: Rhythm, start_ns: int) -> None:
        self._rhythm = rhythm
        self._start_ns = start_ns
        self._last_ns = start_ns
        self._counts: dict[Series, float] = {}
        self._histograms: dict[Series, tuple[list[int], float]] = {}

    def collect(self, tallies: Tallies, state: State, now_ns: int) -> list[Metric]:
        """All families that have something to say."""
        metrics = [
            Metric(family.name, family.help, family.unit, data)
            for family in FAMILIES
            if (data := self._data(family, tallies, state, now_ns)).data_points
        ]
        self._last_ns = now_ns
        return metrics

    def _data(
        self, family: Family, tallies: Tallies, state: State, now_ns: int
    ) -> Sum | Gauge | HistogramData:
        points = family.read(tallies, state)
        if family.kind is Kind.HISTOGRAM:
            found = list(self._sizes(family.name, points, now_ns))
            return HistogramData(found, _temporality(delta=self._rhythm.histograms_delta))
        delta = self._rhythm.counters_delta and family.kind is Kind.COUNTER
        numbers = [
            NumberDataPoint(
                dict(labels),
                self._last_ns if delta else self._start_ns,
                now_ns,
                self._grown(family.name, labels, value) if delta else value,
            )
            for labels, value in points
            if not isinstance(value, Histogram)
        ]
        if family.kind is Kind.GAUGE:
            return Gauge(numbers)
        return Sum(numbers, _temporality(delta=delta), is_monotonic=True)

    def _sizes(
        self, name: str, points: Iterator[tuple[Labels, float | Histogram]], now_ns: int
    ) -> Iterator[HistogramDataPoint]:
        delta = self._rhythm.histograms_delta
        for labels, histogram in points:
            if not isinstance(histogram, Histogram):
                continue
            counts, total = list(histogram.counts), histogram.sum
            if delta:
                counts, total = self._grown_histogram(name, labels, counts, total)
            yield HistogramDataPoint(
                attributes=dict(labels),
                start_time_unix_nano=self._last_ns if delta else self._start_ns,
                time_unix_nano=now_ns,
                count=sum(counts),
                sum=total,
                bucket_counts=counts,
                explicit_bounds=list(histogram.bounds),
                min=UNKNOWN,
                max=UNKNOWN,
                exemplars=[
                    Exemplar(
                        {}, each.value, each.time_ns, int(each.span_id, 16), int(each.trace_id, 16)
                    )
                    for each in list(histogram.exemplars.values())
                    if each.time_ns >= self._last_ns or not delta
                ],
            )

    def _grown(self, name: str, labels: Labels, value: float) -> float:
        key = name, tuple(labels.items())
        before = self._counts.get(key, 0)
        self._counts[key] = value
        return value - before

    def _grown_histogram(
        self, name: str, labels: Labels, counts: list[int], total: float
    ) -> tuple[list[int], float]:
        key = name, tuple(labels.items())
        none = [0] * len(counts), 0.0
        before, before_total = self._histograms.get(key, none)
        self._histograms[key] = counts, total
        grown = [now - then for now, then in zip(counts, before, strict=True)]
        return grown, total - before_total


class _StateFromThread:
    """Lets a thread have the state, which the event loop reads."""

    def __init__(self, read_state: Callable[[], State]) -> None:
        self._read_state = read_state
        self._loop = asyncio.get_running_loop()
        self._newest = State()

    def read(self) -> State:
        """The state, or an older one while the loop is too busy or has ended."""
        done: concurrent.futures.Future[State] = concurrent.futures.Future()
        try:
            self._loop.call_soon_threadsafe(lambda: done.set_result(self._read_state()))
            self._newest = done.result(LOOP_S)
        except (RuntimeError, TimeoutError):
            pass  # numbers of a moment ago are better than none
        return self._newest


def _temporality(*, delta: bool) -> AggregationTemporality:
    return AggregationTemporality.DELTA if delta else AggregationTemporality.CUMULATIVE
