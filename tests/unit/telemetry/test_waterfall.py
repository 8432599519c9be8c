"""A trace as a picture of text."""

from __future__ import annotations

from controlplane.cli.trace import COLOURS
from controlplane.cli.waterfall import PHASES, Part, waterfall

MS = 1_000_000


def part(name: str, start_ms: float, end_ms: float, parent: str = "", error: bool = False) -> Part:
    return Part(
        span_id=name,
        parent_span_id=parent,
        name=name,
        start_ns=int(start_ms * MS),
        end_ns=int(end_ms * MS),
        error=error,
    )


def test_children_follow_their_parent_by_their_start() -> None:
    parts = [
        part("invoke", 6, 10, "hello"),
        part("mounts", 2, 3, "sandbox"),
        part("sandbox", 1, 6, "hello"),
        part("hello", 0, 10, "caller elsewhere", error=True),
    ]
    rows = waterfall(parts, 10)
    assert [row.name for row in rows] == ["hello", "  sandbox", "    mounts", "  invoke"]
    assert [row.bar for row in rows] == ["█" * 10, " █████", "  █", "      ████"]
    assert [(row.offset, row.duration) for row in rows[:2]] == [
        ("0.00 ms", "10.00 ms"),
        ("1.00 ms", "5.00 ms"),
    ]
    assert [row.error for row in rows] == [True, False, False, False]
    assert [row.phase for row in rows] == ["", "sandbox", "sandbox", "invoke"]


def test_a_span_too_short_for_a_column_is_still_seen() -> None:
    rows = waterfall([part("hello", 0, 1000), part("end", 1000, 1000, "hello")], 10)
    assert rows[1].bar == " " * 9 + "█"


def test_spans_that_are_each_others_parent_appear_once() -> None:
    rows = waterfall([part("a", 0, 1, "b"), part("b", 0, 1, "a"), part("self", 0, 1, "self")], 10)
    assert sorted(row.name.strip() for row in rows) == ["a", "b", "self"]


def test_a_function_that_a_function_called_has_phases_of_its_own() -> None:
    parts = [
        part("outer", 0, 10),
        part("invoke", 1, 9, "outer"),
        part("its own span", 2, 8, "invoke"),
        part("inner", 3, 7, "its own span"),
        part("init", 4, 5, "inner"),
    ]
    assert [row.phase for row in waterfall(parts, 10)] == ["", *["invoke"] * 3, "init"]


def test_every_phase_has_a_colour() -> None:
    assert set(COLOURS) == {"", *PHASES}


def test_nothing_makes_no_rows() -> None:
    assert waterfall([], 10) == []
