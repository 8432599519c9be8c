"""What a function tells of its own work, whichever way it came: small, typed, cut to size. Pure.

Everything here was written by a stranger. A reader of one format fills in what it understood; the
book then decides whether it belongs to an invocation of that sandbox.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum

ATTRIBUTES_MAX = 64
EVENTS_MAX = 16
LINKS_MAX = 16
KEY_MAX = 128
TEXT_MAX = 1024
STACKTRACE_MAX = 8 * 1024

Value = str | int | float | bool

_INTEGER_MAX = 2**63
_TRACE_ID = re.compile(r"(?!0{32})[0-9a-f]{32}")
_SPAN_ID = re.compile(r"(?!0{16})[0-9a-f]{16}")


class MalformedError(Exception):
    """It is not what it should be; its message says why."""


class Kind(Enum):
    """Whose work a span is."""

    INTERNAL = "internal"
    SERVER = "server"
    CLIENT = "client"
    PRODUCER = "producer"
    CONSUMER = "consumer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened during a span."""

    name: str
    time_ns: int
    attributes: dict[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionSpan:
    """One timed part of what a function did."""

    trace_id: str
    """32 hexadecimal digits."""
    span_id: str
    """16 hexadecimal digits."""
    parent_span_id: str = ""
    """Empty for the invocation's own span."""
    name: str
    kind: Kind = Kind.INTERNAL
    start_ns: int
    """Nanoseconds since the epoch."""
    end_ns: int
    attributes: dict[str, Value] = field(default_factory=dict)
    error_type: str = ""
    """Why it failed, or empty."""
    error_message: str = ""
    events: tuple[Event, ...] = ()
    links: tuple[tuple[str, str], ...] = ()
    """Trace and span ids of others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpanRecord:
    """A span with the invocation it belongs to, on its way out of the host."""

    function_name: str
    version: str
    invocation_id: str
    span: FunctionSpan


def trace_id_of(text: object) -> str:
    """A trace id.

    Raises:
        MalformedError: it is none.
    """
    if isinstance(text, str) and _TRACE_ID.fullmatch(text):
        return text
    raise MalformedError("a trace id is 32 hexadecimal digits")


def span_id_of(text: object) -> str:
    """A span id.

    Raises:
        MalformedError: it is none.
    """
    if isinstance(text, str) and _SPAN_ID.fullmatch(text):
        return text
    raise MalformedError("a span id is 16 hexadecimal digits")


def attributes_of(pairs: Iterable[tuple[object, object]]) -> dict[str, Value]:
    """As many attributes as a span may have; what has no value is left out."""
    attributes: dict[str, Value] = {}
    for key, value in pairs:
        if len(attributes) >= ATTRIBUTES_MAX:
            break
        known = value_of(value, STACKTRACE_MAX if key == "exception.stacktrace" else TEXT_MAX)
        if isinstance(key, str) and key and known is not None:
            attributes[clean(key, KEY_MAX)] = known
    return attributes


def value_of(value: object, text_max: int = TEXT_MAX) -> Value | None:
    """A value that may travel: text, a number, yes or no; of anything else its JSON."""
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value if -_INTEGER_MAX <= value < _INTEGER_MAX else clean(hex(value), text_max)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, str):
        return clean(value, text_max)
    if isinstance(value, list | dict):
        return clean(json.dumps(value, separators=(",", ":"), default=str), text_max)
    return None


def clean(text: str, most: int) -> str:
    """The beginning of a text, without what is no Unicode."""
    return text[:most].encode("utf-8", "replace").decode("utf-8")
