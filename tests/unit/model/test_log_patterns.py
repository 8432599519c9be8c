"""Which lines a filter pattern wants."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.model.log_patterns import PATTERN_CHARACTERS_MAX, matcher
from emberd.wire.errors import InvalidArgumentError

LINES = (
    "[ERROR] Exception: no more umbrellas",
    "[WARN] slow: retried",
    "[ERROR] timeout: retried",
    "START RequestId: 1 Version: $LATEST",
)
JSON_LINE = (
    '{"level": "ERROR", "ms": 120, "ok": false, "gone": null, "tags": ["a", "b"],'
    ' "user": {"name": "Ada L", "first-login": true}}'
)


def wanted(pattern: str) -> list[int]:
    return [number for number, line in enumerate(LINES) if matcher(pattern)(line)]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("", [0, 1, 2, 3]),
        ("   ", [0, 1, 2, 3]),
        ("ERROR", [0, 2]),
        ("error", []),
        ("ERROR retried", [2]),
        ('"no more"', [0]),
        ('"[ERROR] timeout"', [2]),
        ("?WARN ?umbrellas", [0, 1]),
        ("ERROR -retried", [0]),
        ("-ERROR", [1, 3]),
        ('ERROR -"no more"', [2]),
        ("?WARN ERROR", [0, 2]),
        ('"$LATEST"', [3]),
        ("RequestId:", [3]),
    ],
)
def test_terms_and_phrases_choose_lines(pattern: str, expected: list[int]) -> None:
    assert wanted(pattern) == expected


def test_a_quotation_mark_in_a_phrase_is_escaped() -> None:
    assert matcher(r'"say \"hello\""')('they say "hello" to us')


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ('{ $.level = "ERROR" }', True),
        ('{ $.level = "WARN" }', False),
        ("{ $.level = ERROR }", True),
        ('{ $.level = "E*R" }', True),
        ('{ $.level = "*" }', True),
        ('{ $.level = "E*RR*OR" }', True),
        ('{ $.level = "ERR*RROR" }', False),
        ('{ $.level = "*X*" }', False),
        ('{ $.level != "WARN" }', True),
        ('{ $.nothing != "WARN" }', False),
        ("{ $.ms = 120 }", True),
        ("{ $.ms != 120 }", False),
        ("{ $.ms > 100 && $.ms <= 120 }", True),
        ("{ $.ms < 1.2e2 }", False),
        ("{ $.ms >= 121 || $.ok IS FALSE }", True),
        ("{ ($.ms >= 121 || $.ok IS TRUE) && $.level = ERROR }", False),
        ("{ $.gone IS NULL }", True),
        ("{ $.nothing IS NULL }", False),
        ("{ $.nothing NOT EXISTS }", True),
        ("{ $.gone NOT EXISTS }", False),
        ('{ $.tags[1] = "b" }', True),
        ("{ $.tags[2] NOT EXISTS }", True),
        ('{ $.user.name = "Ada *" }', True),
        ("{ $.user.first-login IS TRUE }", True),
        ("{ $.level > 1 }", False),
        ("{ $.ok = 0 }", False),
    ],
)
def test_json_lines_are_chosen_by_their_members(pattern: str, expected: bool) -> None:
    assert matcher(pattern)(JSON_LINE) is expected


@pytest.mark.parametrize("line", ["no JSON", "[1]", "{", '{"a":' * 5_000])
def test_a_line_that_is_no_json_object_matches_no_json_pattern(line: str) -> None:
    assert not matcher("{ $.level NOT EXISTS }")(line)


@pytest.mark.parametrize(
    "pattern",
    [
        '"not closed',
        'a"b',
        "%ERR.*%",
        "[ip, user]",
        "{",
        "{ }",
        "{ $.a }",
        "{ $.a = }",
        "{ $.a > x }",
        "{ a = 1 }",
        "{ $.a = 1",
        "{ $.a = 1 } more",
        "{ $.a IS MAYBE }",
        "{ $.a NOT THERE }",
        "{ $.a ~ 1 }",
        "{ " + "(" * 40 + "$.a = 1" + ")" * 40 + " }",
        "x" * (PATTERN_CHARACTERS_MAX + 1),
    ],
)
def test_what_is_no_pattern_is_refused(pattern: str) -> None:
    with pytest.raises(InvalidArgumentError, match="Invalid filter pattern") as caught:
        matcher(pattern)
    assert caught.value.reason == "INVALID_PARAMETER"


def test_a_shape_of_many_stars_takes_no_time() -> None:
    pattern = '{ $.a = "' + "*a" * 100 + '*b" }'
    assert not matcher(pattern)('{"a": "' + "a" * 100_000 + '"}')


def test_a_number_of_any_size_is_compared() -> None:
    assert matcher("{ $.a > 1e308 }")('{"a": 1' + "0" * 400 + "}")


@given(st.text(alphabet='{}()[]$.=<>!&|"?-% a1\\*', max_size=60), st.text(max_size=30))
def test_any_text_is_a_pattern_or_is_refused(pattern: str, line: str) -> None:
    try:
        wants = matcher(pattern)
    except InvalidArgumentError:
        return
    assert wants(line) in (True, False)
