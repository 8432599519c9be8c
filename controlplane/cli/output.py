"""--output and --query, the same on every command that lists something.

json    the whole answer, as Lambda's own tools shape it
table   aligned columns for people
text    values between tabs for scripts
"""

from __future__ import annotations

import functools
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Concatenate, ParamSpec, TypeAlias, TypeVar

import click

from controlplane.cli.exits import BadParameterError
from controlplane.cli.printable import printable

Json: TypeAlias = "str | int | float | bool | Sequence[Json] | Mapping[str, Json] | None"
P = ParamSpec("P")
R = TypeVar("R")

FORMATS = ("json", "table", "text")


class Output:
    """How a command's answer is written to stdout."""

    def __init__(self, form: str, query: str | None) -> None:
        self._form = form
        self._query = query

    def show(self, answer: Json, *, rows: str = "", columns: Sequence[str] = ()) -> None:
        """Write the answer.

        Args:
            answer: The whole of it; JSON shows this.
            rows: The key of the answer that a table is made of; empty for all of it.
            columns: Which keys of a row a table shows, in this order; empty for all.
        """
        if self._query is not None:
            answer, rows, columns = self._queried(answer), "", ()
        if self._form == "json":
            text = json_text(answer)
        else:
            shown = answer[rows] if rows and isinstance(answer, Mapping) else answer
            text = (table_text if self._form == "table" else tabbed_text)(shown, columns)
        sys.stdout.write(text + "\n" if text else "")

    def _queried(self, answer: Json) -> Json:
        import jmespath

        try:
            found: Json = jmespath.search(self._query, answer)
        except jmespath.exceptions.JMESPathError as error:
            raise BadParameterError(f"--query {self._query!r} is no JMESPath: {error}") from error
        return found


def with_output(command: Callable[Concatenate[Output, P], R]) -> Callable[P, R]:
    """Give a command --output and --query; it gets an Output as its first argument."""

    @click.option(
        "--output",
        "form",
        type=click.Choice(FORMATS),
        default="table",
        envvar="EMBERD_OUTPUT",
        show_default=True,
        help="How to print the answer.",
    )
    @click.option("--query", metavar="JMESPATH", help="Print only this part of the answer.")
    @functools.wraps(command)
    def with_form(*args: P.args, **kwargs: P.kwargs) -> R:
        form, query = kwargs.pop("form"), kwargs.pop("query")
        return command(Output(str(form), None if query is None else str(query)), *args, **kwargs)

    return with_form


def json_text(answer: Json) -> str:
    """Indented JSON in which no control character is left as it is."""
    text = json.dumps(answer, indent=4, ensure_ascii=False)
    return "".join(f"\\u{ord(each):04x}" if 0x7F <= ord(each) < 0xA0 else each for each in text)


def table_text(answer: Json, columns: Sequence[str] = ()) -> str:
    """Aligned columns with a head; a single mapping becomes two columns without one."""
    rows = _rows(answer)
    if rows is None:
        return _pairs(answer) if isinstance(answer, Mapping) else _lines(answer)
    if not rows and not columns:
        return ""
    heads = list(columns) or _keys(rows)
    cells = [heads, *[[cell_text(row.get(head)) for head in heads] for row in rows]]
    widths = [max(len(row[index]) for row in cells) for index in range(len(heads))]
    return "\n".join(_aligned(row, widths) for row in cells)


def tabbed_text(answer: Json, columns: Sequence[str] = ()) -> str:
    """One row a line, values between tabs, None where a value is missing."""
    rows = _rows(answer)
    if rows is not None:
        return "\n".join(
            "\t".join(cell_text(row.get(key), none="None") for key in (columns or sorted(row)))
            for row in rows
        )
    if isinstance(answer, Mapping):
        return "\t".join(cell_text(answer[key], none="None") for key in sorted(answer))
    if isinstance(answer, Sequence) and not isinstance(answer, str):
        return "\t".join(cell_text(each, none="None") for each in answer)
    return cell_text(answer, none="None")


def _rows(answer: Json) -> list[Mapping[str, Json]] | None:
    """The answer as rows, where it is a list of nothing but mappings."""
    if isinstance(answer, str) or not isinstance(answer, Sequence):
        return None
    rows = [each for each in answer if isinstance(each, Mapping)]
    return rows if len(rows) == len(answer) else None


def _keys(rows: list[Mapping[str, Json]]) -> list[str]:
    return list(dict.fromkeys(key for row in rows for key in row))


def _pairs(answer: Mapping[str, Json]) -> str:
    width = max((len(key) for key in answer), default=0)
    return "\n".join(f"{key.ljust(width)}  {cell_text(answer[key])}".rstrip() for key in answer)


def _lines(answer: Json) -> str:
    if isinstance(answer, Sequence) and not isinstance(answer, str):
        return "\n".join(cell_text(each) for each in answer)
    return cell_text(answer)


def _aligned(row: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def cell_text(value: Json, none: str = "") -> str:
    """One value on one line."""
    if value is None:
        return none
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, Sequence) and all(isinstance(each, str) for each in value):
        return printable(", ".join(str(each) for each in value))
    return printable(json.dumps(value, ensure_ascii=False))
