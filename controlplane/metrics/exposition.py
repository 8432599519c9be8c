"""Families as text for Prometheus: its own format 0.0.4, and OpenMetrics 1.0 with exemplars."""

from __future__ import annotations

from collections.abc import Iterator

from controlplane.metrics.families import FAMILIES, Family, Kind, Labels
from controlplane.metrics.histogram import NS_PER_S, Exemplar, Histogram
from controlplane.metrics.state import State
from controlplane.metrics.tallies import Tallies

PLAIN = "text/plain; version=0.0.4; charset=utf-8"
OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"

_SUFFIXES = {"s": "_seconds", "By": "_bytes", "1": "_ratio"}


def wants_openmetrics(accept: str) -> bool:
    """Whether an Accept header names OpenMetrics, as Prometheus's does."""
    return "application/openmetrics-text" in accept


def text(tallies: Tallies, state: State, *, openmetrics: bool) -> str:
    """The whole page."""
    return "".join(f"{line}\n" for line in lines(tallies, state, openmetrics=openmetrics))


def lines(tallies: Tallies, state: State, *, openmetrics: bool) -> Iterator[str]:
    """The same line by line, for those who must do other things in between."""
    for family in FAMILIES:
        yield from _lines(family, tallies, state, openmetrics=openmetrics)
    if openmetrics:
        yield "# EOF"


def _lines(family: Family, tallies: Tallies, state: State, *, openmetrics: bool) -> Iterator[str]:
    name = family.name.replace(".", "_")
    suffix = _SUFFIXES.get(family.unit, "")
    name = name if name.endswith(suffix) else name + suffix
    sample = f"{name}_total" if family.kind is Kind.COUNTER else name
    head = name if openmetrics else sample
    yield f"# HELP {head} {family.help}"
    yield f"# TYPE {head} {family.kind.value}"
    for labels, value in family.read(tallies, state):
        if isinstance(value, Histogram):
            yield from _histogram(name, labels, value, openmetrics=openmetrics)
        else:
            yield f"{sample}{_labels(labels)} {_number(value)}"


def _histogram(
    name: str, labels: Labels, histogram: Histogram, *, openmetrics: bool
) -> Iterator[str]:
    inner = _pairs(labels)
    below = 0
    for bucket, count in enumerate(histogram.counts):
        below += count
        last = bucket == len(histogram.bounds)
        bound = "+Inf" if last else repr(float(histogram.bounds[bucket]))
        line = f'{name}_bucket{{{inner},le="{bound}"}} {below}'
        exemplar = histogram.exemplars.get(bucket) if openmetrics else None
        yield line if exemplar is None else line + _exemplar(exemplar)
    yield f"{name}_sum{{{inner}}} {histogram.sum!r}"
    yield f"{name}_count{{{inner}}} {below}"


def _exemplar(exemplar: Exemplar) -> str:
    moment = f"{exemplar.time_ns / NS_PER_S:.3f}"
    return f' # {{trace_id="{exemplar.trace_id}"}} {exemplar.value!r} {moment}'


def _labels(labels: Labels) -> str:
    return f"{{{_pairs(labels)}}}" if labels else ""


def _pairs(labels: Labels) -> str:
    return ",".join(f'{key.replace(".", "_")}="{_escaped(value)}"' for key, value in labels.items())


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _number(value: float) -> str:
    return repr(value)
