"""Draws what was measured: how much of each sample was done after how long.

A table shows four percentiles; two humps, a long tail or a step are seen here alone.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

from benchmarks.figures import Result

MISSING = "no plot: matplotlib is missing (make bench installs it)"


def is_possible() -> bool:
    """Whether the library that draws is there; it is no part of emberd."""
    return importlib.util.find_spec("matplotlib") is not None


def draw(result: Result, path: Path) -> None:
    """Write an SVG: time on a logarithmic axis, the share of samples that took no longer."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 5), layout="constrained")
    axes = figure.subplots()
    for each in result.samples:
        values_ms = [value / 1e6 for value in sorted(each.values_ns)]
        shares = [100 * (number + 1) / len(values_ms) for number in range(len(values_ms))]
        axes.step(values_ms, shares, where="post", label=f"{each.name} ({len(values_ms)})")
    axes.set(xscale="log", xlabel="ms", ylabel="% took no longer", title=result.question)
    axes.grid(visible=True, which="both", alpha=0.2)
    axes.legend(fontsize="small")
    figure.savefig(path)
