"""Numbers from samples."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.figures import Figure, Result, Samples, percentile, ratio_of_medians
from benchmarks.report import duration


@pytest.mark.parametrize(
    ("percent", "expected"), [(1, 1), (50, 50), (90, 90), (99, 99), (99.5, 100), (100, 100)]
)
def test_a_percentile_is_the_nearest_rank(percent: float, expected: int) -> None:
    assert percentile(range(100, 0, -1), percent) == expected


@given(values=st.lists(st.integers(), min_size=1), percent=st.floats(0, 100))
def test_a_percentile_is_one_of_the_values(values: list[int], percent: float) -> None:
    found = percentile(values, percent)
    assert found in values
    assert sum(each <= found for each in values) >= len(values) * percent / 100


def test_a_ratio_of_medians_has_an_interval_around_it() -> None:
    ours = [[20, 22, 24], [21, 22, 23], [18, 20, 30]]
    theirs = [[10, 11, 12], [10, 11, 13], [11, 10, 9]]
    figure = ratio_of_medians("a / b", ours, theirs)
    assert figure.value == 2.0
    assert figure.low is not None
    assert figure.high is not None
    assert figure.low <= figure.value <= figure.high


def test_sides_with_different_numbers_of_rounds_are_not_compared() -> None:
    with pytest.raises(ValueError, match="zip"):
        ratio_of_medians("a / b", [[1], [2]], [[1]])


def test_a_result_is_written_with_raw_samples_and_its_environment() -> None:
    result = Result(
        name="n",
        question="q?",
        samples=(Samples(name="s", values_ns=(3, 1, 2), discarded=1),),
        figures=(Figure(name="f", value=1.5, unit="x"),),
    )
    document = json.loads(json.dumps(result.document({"kernel": "6.1"})))
    assert document["samples"][0]["values_ns"] == [3, 1, 2]
    assert document["samples"][0]["discarded"] == 1
    assert document["environment"] == {"kernel": "6.1"}


@pytest.mark.parametrize(
    ("taken_ns", "text"),
    [(8_300, "8.3 us"), (1_200_000, "1.20 ms"), (2_500_000_000, "2.50 s")],
)
def test_a_duration_is_shown_in_the_unit_that_suits_it(taken_ns: int, text: str) -> None:
    assert duration(taken_ns) == text
