"""What is counted of invocations, and the text that Prometheus reads."""

from __future__ import annotations

import pytest

from controlplane.metrics.exposition import text
from controlplane.metrics.histogram import FINE_BOUNDS, Histogram, percentile
from controlplane.metrics.state import HostState, Ready, State
from controlplane.metrics.tallies import Tallies
from controlplane.metrics.url_tallies import KEYS_MAX, OTHERS, UrlTallies
from controlplane.model.invocation import StartLevel
from tests.unit.metrics.prometheus import Page, parse
from tests.unit.telemetry.builders import ARN, MS, TRACE_ID, phase, record

HELLO = {"faas_name": "hello", "emberd_resource": "hello:live", "faas_version": "3"}
FAAS = {"faas_name": "hello", "faas_version": "3", "faas_trigger": "other"}


def page_of(tallies: Tallies, state: State | None = None, *, openmetrics: bool = False) -> Page:
    written = text(tallies, state or State(), openmetrics=openmetrics)
    return parse(written, openmetrics=openmetrics)


def counted(*changes: dict[str, object]) -> Tallies:
    tallies = Tallies()
    for each in changes:
        tallies.measure(record(**each))
    return tallies


def test_an_error_is_an_invocation_and_a_throttle_is_none() -> None:
    page = page_of(
        counted(
            {},
            {"error_type": "Runtime.ExitError"},
            {"error_type": "TOO_MANY_REQUESTS", "start_level": None},
            {"error_type": "NO_HOST", "start_level": None},
        )
    )
    assert page.value("emberd_invocations_total", **HELLO) == 2
    assert page.value("emberd_errors_total", **HELLO) == 1
    assert page.value("emberd_throttles_total", **HELLO) == 1
    assert page.value("emberd_failures_total", **HELLO) == 1
    assert page.value("emberd_duration_seconds_count", **HELLO) == 2
    assert page.value("faas_invocations_total", **FAAS) == 1


def test_a_functions_own_error_is_never_taken_for_a_throttle() -> None:
    page = page_of(counted({"error_type": "TOO_MANY_REQUESTS"}))
    assert page.value("emberd_throttles_total", **HELLO) == 0
    assert page.value("emberd_errors_total", **HELLO) == 1


def test_a_duration_is_without_its_init() -> None:
    page = page_of(counted({"duration_ns": 20 * MS, "init_duration_ns": 300 * MS}))
    assert page.value("emberd_duration_seconds_sum", **HELLO) == pytest.approx(0.02)
    assert page.value("emberd_duration_seconds_bucket", **HELLO, le="0.01") == 0
    assert page.value("emberd_duration_seconds_bucket", **HELLO, le="0.025") == 1
    assert page.value("faas_init_duration_seconds_sum", **FAAS) == pytest.approx(0.3)


def test_a_resource_is_named_as_the_caller_wrote_it() -> None:
    page = page_of(counted({}, {"invoked_arn": ARN}))
    bare = {**HELLO, "emberd_resource": "hello"}
    assert page.value("emberd_invocations_total", **HELLO) == 1
    assert page.value("emberd_invocations_total", **bare) == 1
    assert page.value("faas_invocations_total", **FAAS) == 2


def test_every_start_level_but_warm_is_a_cold_start() -> None:
    page = page_of(counted(*({"start_level": level} for level in StartLevel)))
    assert page.value("faas_coldstarts_total", **FAAS) == 3
    for level in StartLevel:
        labels = {"faas_name": "hello", "emberd_start_level": level.value}
        assert page.value("emberd_starts_total", **labels) == 1


def test_a_restore_is_measured_where_there_was_one() -> None:
    restored = {"start_level": StartLevel.TEMPLATE, "phases": (phase("restore", 1, 31),)}
    page = page_of(counted(restored, {"invoked_arn": ARN}))
    assert page.value("emberd_restore_duration_seconds_sum", **HELLO) == pytest.approx(0.03)
    written = [labels for name, labels in page.samples if name.startswith("emberd_restore")]
    assert {dict(labels)["emberd_resource"] for labels in written} == {"hello:live"}


def test_requests_to_a_url_are_counted_by_what_they_were_answered() -> None:
    tallies = Tallies()
    for status in (200, 302, 403, 502):
        tallies.urls.measure("hello", "live", status, 0.02)
    page = page_of(tallies)
    live = {"faas_name": "hello", "emberd_resource": "hello:live"}
    assert page.value("emberd_url_requests_total", **live) == 4
    assert page.value("emberd_url_4xx_total", **live) == 1
    assert page.value("emberd_url_5xx_total", **live) == 1
    assert page.value("emberd_url_request_latency_seconds_sum", **live) == pytest.approx(0.08)


def test_urls_beyond_the_bound_share_one_tally() -> None:
    urls = UrlTallies()
    for number in range(KEYS_MAX + 5):
        urls.measure(f"f{number}", "", 200, 0.1)
    found = dict(urls)
    assert len(found) == KEYS_MAX + 1
    assert found[OTHERS].requests == 5


def test_provisioned_and_spilled_over_invocations_are_told_apart() -> None:
    page = page_of(counted({"provisioned": True}, {"provisioned": False}, {}))
    ready, spilled = "provisioned_concurrency", "provisioned_concurrency_spillover"
    assert page.value(f"emberd_{ready}_invocations_total", **HELLO) == 1
    assert page.value(f"emberd_{spilled}_invocations_total", **HELLO) == 1


def test_the_state_shows_hosts_pools_and_concurrency() -> None:
    host = HostState(
        host_id="h",
        running=2,
        idle=3,
        sandboxes=6,
        sandboxes_max=9,
        memory_charged_bytes=5,
        memory_bytes=50,
        draining=True,
        parked=2,
        runtime_templates=1,
        function_templates=3,
        starts_waiting=4,
        disk_free_bytes=500,
    )
    ready = Ready(function_name="hello", qualifier="live", in_use=1, allocated=4)
    state = State(
        running=2,
        unreserved=1,
        claimed=11,
        by_function={"hello": 2},
        ready=(ready,),
        hosts=(host,),
        dropped={"records": 4},
    )
    page = page_of(Tallies(), state)
    assert page.value("emberd_concurrent_executions") == 2
    assert page.value("emberd_concurrent_executions", faas_name="hello") == 2
    assert page.value("emberd_unreserved_concurrent_executions") == 1
    assert page.value("emberd_claimed_account_concurrency") == 11
    live = {"faas_name": "hello", "emberd_resource": "hello:live"}
    assert page.value("emberd_provisioned_concurrent_executions", **live) == 1
    assert page.value("emberd_provisioned_concurrency_utilization_ratio", **live) == 0.25
    assert page.value("emberd_hosts", emberd_host_state="draining") == 1
    warm = {"host_id": "h", "emberd_sandbox_state": "warm"}
    assert page.value("emberd_host_sandboxes", **warm) == 3
    assert page.value("emberd_host_sandboxes", **{**warm, "emberd_sandbox_state": "other"}) == 1
    assert page.value("emberd_host_sandboxes", **{**warm, "emberd_sandbox_state": "parked"}) == 2
    runtimes = {"host_id": "h", "emberd_template_kind": "runtime"}
    assert page.value("emberd_host_templates", **runtimes) == 1
    functions = {**runtimes, "emberd_template_kind": "function"}
    assert page.value("emberd_host_templates", **functions) == 3
    assert page.value("emberd_host_starts_waiting", host_id="h") == 4
    assert page.value("emberd_host_disk_free_bytes", host_id="h") == 500
    assert page.value("emberd_telemetry_dropped_total", emberd_kind="records") == 4


def test_openmetrics_shows_the_trace_of_a_kept_invocation() -> None:
    page = page_of(counted({}, {"sampled": False, "duration_ns": 8000 * MS}), openmetrics=True)
    assert page.types["emberd_invocations"] == "counter"
    durations = [
        (dict(labels)["le"], written)
        for (name, labels), written in page.exemplars.items()
        if name == "emberd_duration_seconds_bucket"
    ]
    assert len(durations) == 1
    assert durations[0][0] == "0.01"
    assert TRACE_ID in durations[0][1]


def test_a_label_cannot_break_out_of_its_quotes() -> None:
    name = 'a"b\\c\nd'
    page = page_of(counted({"function_name": name}))
    assert any('a\\"b\\\\c\\nd' in dict(labels).values() for _, labels in page.samples)


def test_more_keys_than_the_bound_share_one_tally() -> None:
    tallies = Tallies(keys_max=2)
    for name in ("a", "b", "c", "d"):
        tallies.measure(record(function_name=name))
    assert [(key.function_name, tally.invocations) for key, tally in tallies] == [
        ("a", 1),
        ("b", 1),
        ("(others)", 2),
    ]


def test_a_percentile_is_off_by_less_than_its_bucket() -> None:
    histogram = Histogram(FINE_BOUNDS)
    for step in range(1, 1001):
        histogram.add(step / 1000)
    assert percentile(FINE_BOUNDS, histogram.counts, 0.5) == pytest.approx(0.5, rel=0.05)
    assert percentile(FINE_BOUNDS, histogram.counts, 0.99) == pytest.approx(0.99, rel=0.05)
    assert percentile(FINE_BOUNDS, [0] * 58, 0.5) == 0.0


def test_beyond_the_last_bound_a_percentile_is_that_bound() -> None:
    histogram = Histogram((1.0, 2.0))
    histogram.add(50.0)
    assert percentile(histogram.bounds, histogram.counts, 0.99) == 2.0
