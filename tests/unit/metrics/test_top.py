"""What `emberd top` makes of two looks."""

from __future__ import annotations

import pytest

from controlplane.cli.top import _went_on, drawn, view
from controlplane.metrics.histogram import FINE_BOUNDS, Histogram
from emberd.telemetry.v1 import metrics_pb2 as pb


def look(second: int, *functions: pb.FunctionLoad) -> pb.GetLoadResponse:
    made = pb.GetLoadResponse(functions=functions, concurrent_executions=2)
    made.read_time.FromSeconds(second)
    for bound in FINE_BOUNDS:
        made.duration_bounds.add().FromNanoseconds(round(bound * 1e9))
    made.hosts.add(host_id="host-1", warm_sandboxes=3, memory_bytes=64 << 20)
    return made


def load(name: str, durations: list[float], *, errors: int = 0, cold: int = 0) -> pb.FunctionLoad:
    histogram = Histogram(FINE_BOUNDS)
    for each in durations:
        histogram.add(each)
    return pb.FunctionLoad(
        function_name=name,
        invocations=len(durations),
        errors=errors,
        duration_counts=histogram.counts,
        starts={"parked": cold, "warm": len(durations) - cold},
    )


def test_rates_and_percentiles_are_those_of_the_interval() -> None:
    before = look(10, load("slow", [5.0] * 10, errors=4, cold=3), load("idle", [1.0]))
    after = look(
        12,
        load("slow", [5.0] * 10 + [0.01] * 20, errors=5, cold=4),
        load("idle", [1.0]),
        load("new", [0.1] * 2),
    )
    shown = view(before, after)
    slow, new, idle = shown["Functions"]  # type: ignore[misc]
    assert (slow["Function"], slow["PerSecond"], slow["Errors"], slow["Cold"]) == (
        *("slow", 10.0),
        *(1, 1),
    )
    assert slow["P50Ms"] == pytest.approx(10, rel=0.34)
    assert slow["P99Ms"] == pytest.approx(10, rel=0.34)
    assert (new["Function"], new["PerSecond"]) == ("new", 1.0)
    assert (idle["PerSecond"], idle["P50Ms"], idle["Invocations"]) == (0.0, None, 1)
    assert (shown["PerSecond"], shown["Running"]) == (11.0, 2)
    assert shown["Hosts"][0]["Warm"] == 3  # type: ignore[index, call-overload]


def test_the_picture_has_a_line_for_each_function_and_host() -> None:
    text = drawn(view(look(1), look(2, load("hello", [0.1]), load("\x1b[31mred", [0.1]))))
    assert "host-1" in text
    assert "hello" in text
    assert "\x1b" not in text


def test_counters_that_went_down_belong_to_another_life() -> None:
    assert _went_on(look(1, load("a", [1.0])), look(2, load("a", [1.0] * 2)))
    assert not _went_on(look(1, load("a", [1.0] * 2)), look(2, load("a", [1.0])))
    assert not _went_on(look(1, load("a", [1.0])), look(2))
