"""Which spans of a sandbox belong to an invocation that it got, and how many it may send. Pure.

The socket that a span came in on says whose it is; the trace id says of which invocation. Anything
else is refused and counted: nobody writes into the trace of another.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from sandbox.tracing.context import TraceContext
from sandbox.tracing.spans import FunctionSpan

INVOCATIONS_KEPT = 16
"""A span may come that much later than its own invocation: SDKs send in the background."""
SPANS_PER_INVOCATION = 500
CHARACTERS_PER_INVOCATION = 512 * 1024

PAST_NS = 3_600 * 10**9
FUTURE_NS = 60 * 10**9
"""Times beyond these are mistakes or worse: one of them would stretch the picture of a trace."""


class Refusal(Enum):
    """Why a span is not taken."""

    FOREIGN = "of no invocation that this sandbox had"
    UNSAMPLED = "of an invocation whose trace is not kept"
    FULL = "too many of one invocation"
    UNTIMELY = "of another time"
    TAKEN = "with the id of the invocation's own span"


@dataclass(slots=True)
class _Entry:
    invocation_id: str
    context: TraceContext
    spans: int = 0
    characters: int = 0


class TraceBook:
    """The newest invocations of one sandbox by their traces."""

    def __init__(self) -> None:
        self._entries: dict[str, _Entry] = {}

    def begin(self, invocation_id: str, context: TraceContext | None) -> None:
        """The sandbox gets an invocation; an older one of the same trace is over."""
        if context is None:
            return
        self._entries.pop(context.trace_id, None)
        self._entries[context.trace_id] = _Entry(invocation_id, context)
        if len(self._entries) > INVOCATIONS_KEPT:
            del self._entries[next(iter(self._entries))]

    def judge(self, span: FunctionSpan, now_ns: int) -> tuple[str, str] | Refusal:
        """The id of the invocation that it belongs to and of that one's own span, or why not."""
        entry = self._entries.get(span.trace_id)
        if entry is None:
            return Refusal.FOREIGN
        if not entry.context.sampled:
            return Refusal.UNSAMPLED
        if span.span_id == entry.context.span_id:
            return Refusal.TAKEN
        if not now_ns - PAST_NS <= span.start_ns <= span.end_ns <= now_ns + FUTURE_NS:
            return Refusal.UNTIMELY
        size = characters_of(span)
        entry.spans += 1
        entry.characters += size
        if entry.spans > SPANS_PER_INVOCATION or entry.characters > CHARACTERS_PER_INVOCATION:
            return Refusal.FULL
        return entry.invocation_id, entry.context.span_id


def characters_of(span: FunctionSpan) -> int:
    """About what a span measures on its way."""
    size = 128 + len(span.name) + len(span.error_message) + len(span.error_type)
    for attributes in (span.attributes, *(each.attributes for each in span.events)):
        size += 16
        for key, value in attributes.items():
            size += 8 + len(key) + (len(value) if isinstance(value, str) else 8)
    return size + 64 * len(span.links)
