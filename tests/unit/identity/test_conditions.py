"""Operators of conditions, one by one."""

from __future__ import annotations

import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from controlplane.identity.conditions import read_condition
from controlplane.identity.patterns import arn_matches, glob


def holds(operator: str, wanted: str | list[str], *values: str, key: str = "k") -> bool:
    """Whether an operator holds for a call that has these values under the key."""
    texts = (wanted,) if isinstance(wanted, str) else tuple(wanted)
    return read_condition(operator, key, texts).holds({"k": values} if values else {})


@pytest.mark.parametrize(
    ("operator", "wanted", "value", "expected"),
    [
        ("StringEquals", "a", "a", True),
        ("StringEquals", "a", "A", False),
        ("StringEquals", "a*", "ab", False),
        ("StringEquals", ["a", "b"], "b", True),
        ("StringNotEquals", ["a", "b"], "b", False),
        ("StringNotEquals", ["a", "b"], "c", True),
        ("StringEqualsIgnoreCase", "a", "A", True),
        ("StringNotEqualsIgnoreCase", "a", "A", False),
        ("StringLike", "a*c?", "abbbcd", True),
        ("StringNotLike", "a*", "ab", False),
        ("ArnLike", "arn:aws:s3:::photos*", "arn:aws:s3:::photos-1", True),
        ("ArnLike", "arn:aws:s3:::photos", "arn:aws:s3:::photos-1", False),
        ("ArnEquals", "arn:aws:sns:*:1:t", "arn:aws:sns:us-east-1:1:t", True),
        ("ArnLike", "arn:aws:sns:*:t", "arn:aws:sns:us-east-1:1:t", False),
        ("ArnNotLike", "arn:aws:sns:*:1:t", "arn:aws:sns:us-east-1:1:t", False),
        ("NumericEquals", "10", "10.0", True),
        ("NumericLessThan", "10", "9", True),
        ("NumericLessThan", "10", "10", False),
        ("NumericLessThanEquals", "10", "10", True),
        ("NumericGreaterThan", "10", "ten", False),
        ("NumericNotEquals", "10", "11", True),
        ("Bool", "true", "True", True),
        ("Bool", "false", "true", False),
        ("IpAddress", "10.0.0.0/8", "10.1.2.3", True),
        ("IpAddress", "10.0.0.0/8", "11.1.2.3", False),
        ("NotIpAddress", "10.0.0.0/8", "11.1.2.3", True),
        ("IpAddress", "2001:db8::/32", "2001:db8::1", True),
        ("IpAddress", "nonsense", "10.1.2.3", False),
        ("DateGreaterThan", "2026-01-01T00:00:00Z", "2026-11-25T20:00:00Z", True),
        ("DateLessThan", "2026-01-01T00:00:00Z", "1795600000", False),
        ("DateEquals", "2026-01-01", "2026-01-01T00:00:00+00:00", True),
        ("BinaryEquals", "QUJD", "QUJD", True),
    ],
)
def test_an_operator_compares_as_its_name_says(
    operator: str, wanted: str | list[str], value: str, expected: bool
) -> None:
    assert holds(operator, wanted, value) is expected


def test_a_missing_key_fails_an_operator_and_satisfies_one_that_negates() -> None:
    assert not holds("StringEquals", "a")
    assert holds("StringNotEquals", "a")
    assert holds("StringEqualsIfExists", "a")
    assert not holds("StringEqualsIfExists", "a", "b")


def test_null_asks_whether_a_key_is_missing() -> None:
    assert holds("Null", "true")
    assert not holds("Null", "true", "a")
    assert holds("Null", "false", "a")


def test_sets_are_asked_for_all_or_for_any_of_their_values() -> None:
    assert holds("ForAllValues:StringEquals", ["a", "b"], "a", "b")
    assert not holds("ForAllValues:StringEquals", ["a", "b"], "a", "c")
    assert holds("ForAllValues:StringEquals", "a")
    assert holds("ForAnyValue:StringEquals", "a", "c", "a")
    assert not holds("ForAnyValue:StringEquals", "a", "c")
    assert not holds("ForAnyValue:StringEquals", "a")
    assert holds("ForAnyValue:StringNotEquals", "a", "a", "b")
    assert not holds("StringNotEquals", "a", "a", "b")


def test_a_key_is_the_same_in_any_case() -> None:
    assert holds("StringEquals", "a", "a", key="K")


@pytest.mark.parametrize("operator", ["Equals", "StringLikes", "", "NullIfExists"])
def test_an_operator_that_does_not_exist_is_refused(operator: str) -> None:
    with pytest.raises(ValueError, match="Invalid Condition type"):
        read_condition(operator, "k", ("a",))


@given(st.text(max_size=30))
@example("\ue000")
@example("\ue001")
def test_a_pattern_without_wildcards_fits_itself_alone(text: str) -> None:
    plain = text.replace("*", "").replace("?", "")
    assert glob(plain).fullmatch(plain)
    assert not glob(plain).fullmatch(plain + "x")


@given(st.text(max_size=20), st.text(max_size=20), st.text(max_size=20))
def test_a_star_stands_for_anything_at_all(before: str, between: str, after: str) -> None:
    def plain(text: str) -> str:
        return text.replace("*", "").replace("?", "")

    assert glob(f"{plain(before)}*{plain(after)}").fullmatch(plain(before) + between + plain(after))


@given(st.text("ab*?", max_size=8), st.text("ab", max_size=8))
def test_patterns_match_as_the_obvious_slow_matcher_has_it(pattern: str, text: str) -> None:
    def slow(pattern: str, text: str) -> bool:
        if not pattern:
            return not text
        if pattern[0] == "*":
            return slow(pattern[1:], text) or bool(text and slow(pattern, text[1:]))
        return bool(text) and pattern[0] in ("?", text[0]) and slow(pattern[1:], text[1:])

    assert (glob(pattern).fullmatch(text) is not None) is slow(pattern, text)


def test_many_stars_cost_no_more_than_a_few() -> None:
    begun = time.process_time()
    assert not arn_matches("arn:aws:s3:::" + "a*" * 60 + "b", "arn:aws:s3:::" + "a" * 2_000)
    assert time.process_time() - begun < 0.5
