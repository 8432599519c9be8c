"""How many sandboxes wait parked: what the last minute's largest burst took, within limits."""

from __future__ import annotations

from sandbox.process.demand import BURST_S, REMEMBERED_S, Demand


def test_without_demand_the_least_wait() -> None:
    demand = Demand(least=2, most=100)
    assert demand.wanted("python", 5.0) == 2
    assert not demand.is_remembered


def test_a_burst_is_kept_ready_for_a_minute_and_no_longer() -> None:
    demand = Demand(least=2, most=100)
    for number in range(50):
        demand.took("python", 1000 + number * (BURST_S - 1) / 50)
    assert demand.wanted("python", 1001.0) == 50
    assert demand.wanted("python", 1000.0 + REMEMBERED_S) == 50
    assert demand.wanted("python", 1003.0 + REMEMBERED_S) == 2
    assert not demand.is_remembered


def test_what_is_spread_over_the_minute_is_no_burst() -> None:
    """One a second: the next is made long before the one after is asked for."""
    demand = Demand(least=2, most=100)
    for second in range(60):
        demand.took("python", float(second))
    assert demand.wanted("python", 59.0) == BURST_S


def test_the_largest_burst_counts_and_not_the_newest() -> None:
    demand = Demand(least=2, most=100)
    for at_s, taken in ((0.0, 10), (20.0, 40), (40.0, 5)):
        for _ in range(taken):
            demand.took("python", at_s)
    assert demand.wanted("python", 41.0) == 40
    assert demand.wanted("python", 20.0 + REMEMBERED_S + 1) == 5


def test_no_burst_wants_more_than_the_most_nor_of_another_kind() -> None:
    demand = Demand(least=2, most=30)
    for _ in range(500):
        demand.took("python", 7.0)
    assert demand.wanted("python", 8.0) == 30
    assert demand.wanted("node", 8.0) == 2


def test_a_host_that_keeps_none_for_bursts_keeps_the_least() -> None:
    demand = Demand(least=2, most=0)
    for _ in range(9):
        demand.took("python", 7.0)
    assert demand.wanted("python", 8.0) == 2
