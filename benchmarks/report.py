"""Results as files and as tables."""

from __future__ import annotations

import json
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.figures import Figure, Result, Samples, Value

PERCENTILES = (50, 90, 99, 100)


def write(result: Result, environment: dict[str, Value], folder: Path) -> Path:
    """Write raw samples, figures and environment; returns the file."""
    folder.mkdir(parents=True, exist_ok=True)
    stamp = str(environment["time"]).replace(":", "").replace("-", "")[:15]
    path = folder / f"{stamp}-{result.name}.json"
    path.write_text(json.dumps(result.document(environment), indent=1) + "\n")
    return path


def show(result: Result, console: Console) -> None:
    """Print it for people."""
    console.print(f"\n[bold]{result.name}[/bold]  {result.question}")
    if result.samples:
        console.print(_samples_table(result.samples))
    if result.figures:
        console.print(_figures_table(result.figures))


def _samples_table(samples: tuple[Samples, ...]) -> Table:
    table = Table("measured", "count", "left out", *_HEADINGS, box=None, header_style="dim")
    for each in samples:
        cells = [duration(each.percentile_ns(percent)) for percent in PERCENTILES]
        table.add_row(each.name, str(len(each.values_ns)), str(each.discarded), *cells)
    return table


def _figures_table(figures: tuple[Figure, ...]) -> Table:
    table = Table("figure", "value", "95 %", "", box=None, header_style="dim")
    for each in figures:
        span = "" if each.low is None or each.high is None else f"{each.low:.2f}-{each.high:.2f}"
        table.add_row(each.name, f"{each.value:,.2f} {each.unit}", span, each.note)
    return table


_HEADINGS = ("p50", "p90", "p99", "max")


def duration(taken_ns: int) -> str:
    """Nanoseconds in the unit that suits them."""
    if taken_ns < 1_000_000:
        return f"{taken_ns / 1e3:.1f} us"
    if taken_ns < 1_000_000_000:
        return f"{taken_ns / 1e6:.2f} ms"
    return f"{taken_ns / 1e9:.2f} s"
