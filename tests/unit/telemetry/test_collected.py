"""What leaves at each collection of metrics: everything since the start, or what is new."""

from __future__ import annotations

from opentelemetry.sdk.metrics.export import Histogram, Metric, Sum

from controlplane.metrics.state import State
from controlplane.metrics.tallies import Tallies
from controlplane.otlp.metrics import Collector
from controlplane.otlp.rhythm import Rhythm
from tests.unit.telemetry.builders import MS, T0, TRACE_ID, record

START = T0 - 1


def collected(collector: Collector, tallies: Tallies, now_ns: int) -> dict[str, Metric]:
    return {each.name: each for each in collector.collect(tallies, State(), now_ns)}


def count_of(metric: Metric) -> tuple[float, int]:
    assert isinstance(metric.data, Sum)
    (point,) = metric.data.data_points
    return point.value, point.start_time_unix_nano


def durations_of(metric: Metric) -> tuple[int, float, int, int]:
    assert isinstance(metric.data, Histogram)
    (point,) = metric.data.data_points
    return point.count, round(point.sum, 6), point.start_time_unix_nano, len(point.exemplars)


def rhythm(wish: str) -> Rhythm:
    return Rhythm.read({"OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE": wish})


def twice(wish: str) -> tuple[dict[str, Metric], dict[str, Metric]]:
    """One invocation before the first collection, two before the second."""
    tallies, collector = Tallies(), Collector(rhythm(wish), START)
    tallies.measure(record(duration_ns=9 * MS, end_ns=T0 + 1))
    first = collected(collector, tallies, T0 + 10)
    tallies.measure(record(duration_ns=20 * MS, end_ns=T0 + 11))
    tallies.measure(record(duration_ns=30 * MS, end_ns=T0 + 12, sampled=False))
    return first, collected(collector, tallies, T0 + 20)


def test_cumulative_values_count_since_the_start() -> None:
    first, second = twice("")
    assert count_of(first["emberd.invocations"]) == (1, START)
    assert count_of(second["emberd.invocations"]) == (3, START)
    assert durations_of(second["emberd.duration"]) == (3, 0.059, START, 2)


def test_delta_values_count_since_the_last_collection() -> None:
    first, second = twice("delta")
    assert count_of(first["emberd.invocations"]) == (1, START)
    assert count_of(second["emberd.invocations"]) == (2, T0 + 10)
    assert durations_of(first["emberd.duration"]) == (1, 0.009, START, 1)
    # Of the two new ones, the trace of one is kept; the old example is not told again.
    assert durations_of(second["emberd.duration"]) == (2, 0.05, T0 + 10, 1)


def test_an_exemplar_names_its_trace_and_its_span() -> None:
    first, _ = twice("lowmemory")
    assert isinstance(first["emberd.duration"].data, Histogram)
    (exemplar,) = first["emberd.duration"].data.data_points[0].exemplars
    assert exemplar.trace_id == int(TRACE_ID, 16)
    assert exemplar.span_id == int(record().span_id, 16)


def test_an_interval_that_makes_no_sense_is_a_minute() -> None:
    for given, seconds in (("5000", 5), ("0", 60), ("often", 60), ("", 60)):
        assert Rhythm.read({"OTEL_METRIC_EXPORT_INTERVAL": given}).interval_s == seconds
