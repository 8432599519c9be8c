"""--output and --query: json, table and text of the same answer."""

from __future__ import annotations

import json

import pytest

from controlplane.cli.exits import BadParameterError
from controlplane.cli.output import Output, json_text, tabbed_text, table_text

ANSWER = {
    "Functions": [
        {"FunctionName": "a", "MemorySize": 128, "Description": None},
        {"FunctionName": "longer", "MemorySize": 1769, "Description": "two\nlines"},
    ]
}
COLUMNS = ("FunctionName", "MemorySize")


def shown(capsys: pytest.CaptureFixture[str], form: str, query: str | None = None) -> str:
    Output(form, query).show(ANSWER, rows="Functions", columns=COLUMNS)
    return capsys.readouterr().out


def test_json_is_the_whole_answer(capsys: pytest.CaptureFixture[str]) -> None:
    assert json.loads(shown(capsys, "json")) == ANSWER


def test_a_table_is_aligned_under_its_head(capsys: pytest.CaptureFixture[str]) -> None:
    assert shown(capsys, "table") == (
        "FunctionName  MemorySize\na             128\nlonger        1769\n"
    )


def test_text_has_one_row_a_line_and_tabs_between(capsys: pytest.CaptureFixture[str]) -> None:
    assert shown(capsys, "text") == "a\t128\nlonger\t1769\n"


@pytest.mark.parametrize(
    ("form", "text"),
    [("json", '[\n    "a",\n    "longer"\n]\n'), ("table", "a\nlonger\n"), ("text", "a\tlonger\n")],
)
def test_a_query_chooses_a_part_in_every_format(
    capsys: pytest.CaptureFixture[str], form: str, text: str
) -> None:
    assert shown(capsys, form, "Functions[].FunctionName") == text


def test_a_single_value_is_printed_bare_as_text(capsys: pytest.CaptureFixture[str]) -> None:
    assert shown(capsys, "text", "Functions[0].MemorySize") == "128\n"


def test_a_query_that_finds_nothing_says_none(capsys: pytest.CaptureFixture[str]) -> None:
    assert shown(capsys, "text", "Nothing") == "None\n"
    assert shown(capsys, "json", "Nothing") == "null\n"


def test_a_malformed_query_is_a_bad_parameter() -> None:
    with pytest.raises(BadParameterError, match="no JMESPath"):
        Output("json", "Functions[").show(ANSWER)


def test_no_format_lets_a_control_character_through() -> None:
    hostile = {"Description": "\x1b[2J\x9b31m\x7f"}
    for text in (json_text(hostile), table_text([hostile]), tabbed_text([hostile])):
        assert not any(each in text for each in "\x1b\x9b\x7f")


def test_a_table_of_nothing_still_has_its_head() -> None:
    assert table_text([], COLUMNS) == "FunctionName  MemorySize"
