"""Spans as a tree with bars: pure text, so that a test can read it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

NS_PER_MS = 1_000_000
FULL = "\u2588"
INDENT = "  "
PHASES = frozenset(
    (
        *("front", "schedule", "attempt", "dispatch", "queue", "artifact"),
        *("sandbox", "restore", "init", "invoke", "response"),
    )
)
"""What an invocation goes through."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One span, as far as a picture needs it."""

    span_id: str
    parent_span_id: str
    name: str
    start_ns: int
    end_ns: int
    error: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the picture."""

    name: str
    """Indented by its depth."""
    offset: str
    duration: str
    bar: str
    error: bool
    phase: str
    """The part of an invocation to which it belongs; empty for the invocation itself."""


def waterfall(parts: Sequence[Part], width: int) -> list[Row]:
    """The rows of a trace: parents before children, children by their start.

    Args:
        parts: The spans; a parent that is not among them makes its child a root.
        width: Columns for the bars.
    """
    if not parts:
        return []
    begin_ns = min(part.start_ns for part in parts)
    total_ns = max(1, max(part.end_ns for part in parts) - begin_ns)
    return [
        Row(
            name=INDENT * depth + part.name,
            offset=milliseconds(part.start_ns - begin_ns),
            duration=milliseconds(part.end_ns - part.start_ns),
            bar=_bar(part, begin_ns, total_ns, width),
            error=part.error,
            phase=phase,
        )
        for depth, phase, part in _tree(parts)
    ]


def milliseconds(ns: int) -> str:
    """A duration with two digits after the point."""
    return f"{ns / NS_PER_MS:.2f} ms"


def _tree(parts: Sequence[Part]) -> Iterator[tuple[int, str, Part]]:
    """Each part with its depth and its phase: itself, or the nearest one that it is below."""
    ordered = sorted(parts, key=lambda part: (part.start_ns, -part.end_ns))
    known = {part.span_id for part in ordered}
    children: defaultdict[str, list[Part]] = defaultdict(list)
    roots: list[Part] = []
    for part in ordered:
        inside = part.parent_span_id in known and part.parent_span_id != part.span_id
        (children[part.parent_span_id] if inside else roots).append(part)
    shown: set[str] = set()
    # Whatever a circle of parents hides from the roots still appears, each span once.
    for root in (*roots, *ordered):
        stack = [(0, "", root)]
        while stack:
            depth, phase, part = stack.pop()
            if part.span_id in shown:
                continue
            shown.add(part.span_id)
            yield depth, phase, part
            stack += [
                (depth + 1, child.name if child.name in PHASES else phase, child)
                for child in reversed(children[part.span_id])
            ]


def _bar(part: Part, begin_ns: int, total_ns: int, width: int) -> str:
    first = min(width - 1, (part.start_ns - begin_ns) * width // total_ns)
    # Rounded up, so that what was short is still seen.
    last = -(-(part.end_ns - begin_ns) * width // total_ns)
    return " " * first + FULL * max(1, min(width, last) - first)
