"""Usage as Lambda bills it, and what it would cost."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest

from controlplane.cli.exits import BadParameterError
from controlplane.cli.pricing import DEFAULT, Used, bill, read_prices
from controlplane.cli.usage import _grouping, report
from controlplane.metrics import metering
from controlplane.metrics.metering import DAY_S, Meter
from emberd.telemetry.v1 import metrics_pb2 as pb
from tests.unit.telemetry.builders import T0, record

TODAY = T0 // 1_000_000_000 // DAY_S
PRICES = read_prices(DEFAULT)


def meter() -> Meter:
    return Meter(lambda name: {"team": f"of-{name}"})


def used(requests: int, gb_seconds: str, **changes: str) -> Used:
    plain = {"month": "2026-11", "group": "f", "architecture": "x86_64", **changes}
    return Used(requests=requests, gb_seconds=Decimal(gb_seconds), **plain)


def usage(name: str, day: str, requests: int, gb_s: int, **tags: str) -> pb.Usage:
    made = pb.Usage(function_name=name, architecture="x86_64", tags=tags, requests=requests)
    made.day_time.FromJsonString(f"{day}T00:00:00Z")
    made.gigabyte_duration.FromSeconds(gb_s)
    made.billed_duration.FromSeconds(8 * gb_s)
    return made


def test_usage_adds_up_by_day_function_and_architecture() -> None:
    one = meter()
    one.measure(record(billed_ms=34, memory_size_mb=128))
    one.measure(record(billed_ms=6, memory_size_mb=1024, error_type="Sandbox.Timedout"))
    one.measure(record(architecture="arm64"))
    one.measure(record(end_ns=T0 + DAY_S * 1_000_000_000))
    first, arm, tomorrow = one.take()
    assert (first.day, first.function_name, first.architecture) == (TODAY, "hello", "x86_64")
    assert (first.requests, first.billed_ms) == (2, 40)
    assert first.memory_mb_ms == 34 * 128 + 6 * 1024
    assert first.tags == {"team": "of-hello"}
    assert arm.architecture == "arm64"
    assert tomorrow.day == TODAY + 1
    assert one.take() == []


def test_what_never_ran_is_not_billed() -> None:
    one = meter()
    one.measure(record(start_level=None, error_type="TOO_MANY_REQUESTS"))
    assert one.take() == []


def test_what_could_not_be_written_is_there_the_next_time() -> None:
    one = meter()
    one.measure(record(billed_ms=10))
    taken = one.take()
    one.measure(record(billed_ms=5))
    one.give_back(taken)
    (both,) = one.take()
    assert (both.requests, both.billed_ms) == (2, 15)


def test_a_meter_that_nobody_empties_has_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metering, "PENDING_MAX", 2)
    one = meter()
    for name in ("a", "b", "c", "a"):
        one.measure(record(function_name=name))
    assert one.dropped == 1
    assert [(each.function_name, each.requests) for each in one.take()] == [("a", 2), ("b", 1)]


def test_a_month_within_the_free_tier_costs_nothing() -> None:
    made = bill(PRICES, [used(1_000_000, "400000")])
    assert made.costs["f"] == Decimal("0.2") + Decimal("400000") * Decimal("0.0000166667")
    assert made.total == 0


def test_lambdas_own_example_of_its_pricing_page() -> None:
    """Three million requests of 120 ms with 1,536 MB: 540,000 GB-s, of which 140,000 are paid."""
    made = bill(PRICES, [used(3_000_000, "540000")])
    assert round(made.total, 2) == Decimal("2.73")


def test_the_price_steps_down_and_the_free_tier_comes_every_month() -> None:
    price = Decimal("0.0000166667")
    made = bill(PRICES, [used(0, "7000000000")])
    full = 6_000_000_000 * price + 1_000_000_000 * Decimal("0.000015")
    assert made.costs["f"] == full
    assert made.total == full - 400_000 * Decimal("0.000015")
    months = bill(PRICES, [used(0, "400000"), used(0, "400000", month="2026-12")])
    assert months.total == 0


def test_both_architectures_share_one_free_tier() -> None:
    made = bill(PRICES, [used(0, "400000"), used(0, "400000", architecture="arm64")])
    x86, arm = Decimal("0.0000166667"), Decimal("0.0000133334")
    assert made.total == 200_000 * x86 + 200_000 * arm


def test_a_price_file_that_is_none_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "prices.json"
    path.write_text('{"currency": "EUR"}')
    with pytest.raises(BadParameterError, match="is no price file"):
        read_prices(path)
    with pytest.raises(BadParameterError, match="no price for riscv"):
        bill(PRICES, [used(1, "1", architecture="riscv")])


def test_another_price_file_says_its_own_currency(tmp_path: Path) -> None:
    path = tmp_path / "prices.json"
    read = json.loads(DEFAULT.read_text())
    read["currency"] = "EUR"
    read["request"] = "1"
    path.write_text(json.dumps(read))
    shown = report(
        [usage("a", "2026-11-01", 2_000_000, 0)], _grouping("function"), read_prices(path)
    )
    assert (shown.total["ToPay"], shown.total["Currency"]) == ("1000000.000000", "EUR")


def test_a_report_groups_by_function_tag_and_day() -> None:
    usages = [
        usage("a", "2026-11-01", 1, 100, team="red"),
        usage("a", "2026-11-02", 1, 100, team="red"),
        usage("b", "2026-11-02", 5, 300),
    ]
    by = {
        grouping: [
            (row["Group"], row["Requests"], row["GBSeconds"])
            for row in report(usages, _grouping(grouping), PRICES).rows
        ]
        for grouping in ("function", "tag:team", "day")
    }
    assert by["function"] == [("b", 5, 300.0), ("a", 2, 200.0)]
    assert by["tag:team"] == [("(none)", 5, 300.0), ("red", 2, 200.0)]
    assert by["day"] == [("2026-11-02", 6, 400.0), ("2026-11-01", 1, 100.0)]
    total = report(usages, _grouping("day"), PRICES).total
    assert (total["Requests"], total["GBSeconds"], total["BilledSeconds"]) == (7, 500.0, 4000.0)
    assert total["ToPay"] == "0.000000"


@pytest.mark.parametrize("by", ["week", "tag:", "tag"])
def test_a_grouping_that_is_none_is_refused(by: str) -> None:
    with pytest.raises(BadParameterError, match="use function, day or tag:KEY"):
        _grouping(by)
