"""A view of `emberd top` on a terminal: the tables of its text, in colours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from controlplane.cli.output import Json, cell_text

COLOURS = {
    "Errors": "red",
    "Throttles": "yellow",
    "Cold": "blue",
    "Waiting": "yellow",
    "Running": "green",
    "Warm": "cyan",
    "Parked": "cyan",
}
"""Of what is not zero, by column."""


def picture(
    shown: Mapping[str, Json], hosts: Sequence[str], functions: Sequence[str]
) -> RenderableType:
    """Head, hosts, functions."""
    head = Text.assemble(
        (f"{shown['PerSecond']} invocations/s", "bold"),
        f"   {shown['Running']} running   ",
        (str(shown["Time"]), "dim"),
    )
    return Group(
        head,
        Text(),
        _table(shown["Hosts"], hosts),
        Text(),
        _table(shown["Functions"], functions),
    )


def _table(rows: Json, columns: Sequence[str]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    for column in columns:
        words = column in (columns[0], "State")
        table.add_column(column, justify="left" if words else "right", no_wrap=True)
    for row in rows if isinstance(rows, list) else []:
        table.add_row(*(_cell(row.get(column), column) for column in columns))
    return table


def _cell(value: Json, column: str) -> Text:
    return Text(cell_text(value), style=COLOURS.get(column, "") if value else "")
