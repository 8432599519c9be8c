"""A strict reader of Prometheus's text formats: what a scraper would refuse is an error here."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
_LABEL = r'[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*"'
_SAMPLE = re.compile(
    rf"(?P<name>{_NAME})(?:\{{(?P<labels>{_LABEL}(?:,{_LABEL})*)\}})? (?P<value>\S+)"
    rf"(?P<exemplar> # \{{{_LABEL}\}} \S+ \S+)?"
)
_PAIR = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"')
_SUFFIXES = {
    "counter": ("_total",),
    "gauge": ("",),
    "histogram": ("_bucket", "_sum", "_count"),
}

Key = tuple[str, frozenset[tuple[str, str]]]


@dataclass
class Page:
    samples: dict[Key, float] = field(default_factory=dict)
    types: dict[str, str] = field(default_factory=dict)
    exemplars: dict[Key, str] = field(default_factory=dict)

    def value(self, sample: str, /, **labels: str) -> float:
        return self.samples[sample, frozenset(labels.items())]


def parse(text: str, *, openmetrics: bool) -> Page:
    assert text.endswith("\n")
    lines = text[:-1].split("\n")
    if openmetrics:
        assert lines.pop() == "# EOF"
    page, family, helped = Page(), "", ""
    for line in lines:
        if line.startswith("# HELP "):
            helped = line.split(" ", 3)[2]
        elif line.startswith("# TYPE "):
            _, _, family, kind = line.split(" ")
            assert family == helped, "help and type stand together"
            assert family not in page.types, f"{family} comes twice"
            page.types[family] = kind
        else:
            _sample(page, family, line, openmetrics=openmetrics)
    for family, kind in page.types.items():
        if kind == "histogram":
            _check_buckets(page, family)
    return page


def _sample(page: Page, family: str, line: str, *, openmetrics: bool) -> None:
    match = _SAMPLE.fullmatch(line)
    assert match is not None, line
    kind = page.types[family]
    base = family if openmetrics or kind != "counter" else family.removesuffix("_total")
    assert match["name"] in {base + suffix for suffix in _SUFFIXES[kind]}, line
    pairs = _PAIR.findall(match["labels"] or "")
    assert len(dict(pairs)) == len(pairs), f"a label twice: {line}"
    key = match["name"], frozenset(pairs)
    assert key not in page.samples, f"twice: {line}"
    page.samples[key] = float(match["value"])
    if match["exemplar"]:
        assert openmetrics
        assert match["name"].endswith(("_bucket", "_total"))
        page.exemplars[key] = match["exemplar"]


def _check_buckets(page: Page, family: str) -> None:
    series: dict[frozenset[tuple[str, str]], list[tuple[float, float]]] = {}
    for (name, labels), value in page.samples.items():
        if name == f"{family}_bucket":
            bound = float(dict(labels)["le"])
            rest = frozenset(each for each in labels if each[0] != "le")
            series.setdefault(rest, []).append((bound, value))
    for labels, buckets in series.items():
        assert [bound for bound, _ in buckets] == sorted(bound for bound, _ in buckets)
        counts = [value for _, value in buckets]
        assert counts == sorted(counts), "buckets add up"
        assert buckets[-1] == (float("inf"), page.samples[f"{family}_count", labels])
        assert (f"{family}_sum", labels) in page.samples
