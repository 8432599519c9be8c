"""The families of `controlplane.metrics`, sent every minute.

They are read where they are counted anyway, instead of handing every measurement to the SDK's
instruments as well: that took 40 us of an invocation, this takes none.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
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
from controlplane.otlp.rhythm import Rhythm

if TYPE_CHECKING:
    from opentelemetry.sdk.metrics.export import MetricExporter
    from opentelemetry.sdk.resources import Resource

Series = tuple[str, tuple[tuple[str, str], ...]]
"""A family's name and one set of labels."""

UNKNOWN = cast("float", None)
"""The SDK wants a smallest and a largest measurement; on the wire both may be absent."""


def sender(
    exporter: MetricExporter, collector: Collector, resource: Resource, tallies: Tallies
) -> Callable[[State], bool]:
    """Collects and sends; blocks through the exporter's own retries."""

    def send(state: State) -> bool:
        metrics = collector.collect(tallies, state, time.time_ns())
        scope = ScopeMetrics(SCOPE, metrics, "")
        data = MetricsData([ResourceMetrics(resource, [scope], "")])
        return exporter.export(data) is MetricExportResult.SUCCESS

    return send


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


def _temporality(*, delta: bool) -> AggregationTemporality:
    return AggregationTemporality.DELTA if delta else AggregationTemporality.CUMULATIVE
