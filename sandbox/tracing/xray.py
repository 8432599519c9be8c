"""Documents of the X-Ray SDK as it sends them to its daemon, read into spans. Pure.

A datagram is a line that says what follows, {"format":"json","version":1}, and one document: a
segment or a subsegment with others inside. In Lambda an SDK sends subsegments of the segment that
the platform makes; their trace_id and parent_id come from _X_AMZN_TRACE_ID.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from itertools import islice

from sandbox.tracing.spans import (
    STACKTRACE_MAX,
    TEXT_MAX,
    Event,
    FunctionSpan,
    Kind,
    MalformedError,
    attributes_of,
    clean,
    span_id_of,
    trace_id_of,
)

DOCUMENT_BYTES_MAX = 64 * 1024
"""X-Ray's own limit."""
SPANS_MAX = 200
"""Of one document."""
DEPTH_MAX = 32

_ROOT = re.compile(r"1-([0-9a-f]{8})-([0-9a-f]{24})")
_HEADER_MAX = 256

Document = Mapping[str, object]
_NOTHING: Document = {}


def read_datagram(data: bytes) -> list[FunctionSpan]:
    """The spans of one datagram; none for a segment that is still in progress.

    Raises:
        MalformedError: it is no document of X-Ray's.
    """
    header, newline, text = data.partition(b"\n")
    if not newline or len(header) > _HEADER_MAX or len(data) > DOCUMENT_BYTES_MAX:
        raise MalformedError("a datagram is a header line and one document of at most 64 KB")
    if _object(header).get("format") != "json":
        raise MalformedError("the header must say that the format is json")
    document = _object(text)
    root = document.get("trace_id")
    match = _ROOT.fullmatch(root) if isinstance(root, str) else None
    if match is None:
        raise MalformedError("a document needs a trace_id of the form 1-8hex-24hex")
    trace_id = trace_id_of(match[1] + match[2])
    parent = document.get("parent_id")
    parent_id = "" if parent is None else span_id_of(parent)
    try:
        parts = list(islice(_walk(document, parent_id), SPANS_MAX + 1))
        if len(parts) > SPANS_MAX:
            raise MalformedError("a document has too many parts")
        spans = (_span(each, trace_id, above) for each, above in parts)
        return [each for each in spans if each is not None]
    except RecursionError:
        raise MalformedError("a document is too deep") from None


def _object(text: bytes) -> dict[str, object]:
    try:
        read = json.loads(text)
    except (ValueError, RecursionError):
        raise MalformedError("it is no JSON") from None
    if not isinstance(read, dict):
        raise MalformedError("it is no JSON object")
    return read


def _walk(document: Document, parent_id: str) -> Iterator[tuple[Document, str]]:
    """A document and all inside it, each with the id of the one around it."""
    stack: list[tuple[Document, str, int]] = [(document, parent_id, 0)]
    while stack:
        each, above, depth = stack.pop()
        yield each, above
        inside = each.get("subsegments", ())
        if not inside:
            continue
        if not isinstance(inside, list) or depth >= DEPTH_MAX:
            raise MalformedError("subsegments are a list, and not this deep")
        own_id = span_id_of(each.get("id"))
        for part in inside:
            if not isinstance(part, dict):
                raise MalformedError("a subsegment is an object")
            stack.append((part, own_id, depth + 1))


def _span(document: Document, trace_id: str, parent_id: str) -> FunctionSpan | None:
    if document.get("in_progress"):
        return None
    end_ns = _time_ns(document.get("end_time"))
    error_type, message, events = _failure(document, end_ns)
    remote = document.get("namespace") in ("aws", "remote")
    name = document.get("name")
    return FunctionSpan(
        trace_id=trace_id,
        span_id=span_id_of(document.get("id")),
        parent_span_id=parent_id,
        name=clean(name, TEXT_MAX) if isinstance(name, str) and name else "(unnamed)",
        kind=Kind.CLIENT if remote else Kind.INTERNAL,
        start_ns=_time_ns(document.get("start_time")),
        end_ns=end_ns,
        attributes=attributes_of(_attributes(document)),
        error_type=error_type,
        error_message=message,
        events=events,
    )


def _time_ns(seconds: object) -> int:
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        raise MalformedError("a time is a number of seconds")
    # No float is made of it before: an integer of JSON may be larger than any.
    if not 0 < seconds < 2**33:
        raise MalformedError("a time is a number of seconds since the epoch")
    # A float of today has no more than a quarter of a microsecond to give.
    return round(seconds * 1e6) * 1000


def _attributes(document: Document) -> Iterator[tuple[object, object]]:
    """In OpenTelemetry's names where it has some."""
    request = _part(_part(document, "http"), "request")
    response = _part(_part(document, "http"), "response")
    aws, sql = _part(document, "aws"), _part(document, "sql")
    yield "http.request.method", request.get("method")
    yield "url.full", request.get("url")
    yield "http.response.status_code", response.get("status")
    yield "rpc.method", aws.get("operation")
    yield "cloud.region", aws.get("region")
    yield "aws.request_id", aws.get("request_id")
    yield "db.system.name", sql.get("database_type")
    yield "db.query.text", sql.get("sanitized_query")
    yield from _part(document, "annotations").items()
    for namespace, values in _part(document, "metadata").items():
        yield f"xray.metadata.{namespace}", values


def _failure(document: Document, end_ns: int) -> tuple[str, str, tuple[Event, ...]]:
    """Why it failed, in a word and for people, and its exceptions."""
    marks = [mark for mark in ("fault", "error", "throttle") if document.get(mark) is True]
    told = _part(document, "cause").get("exceptions")
    exceptions = [each for each in told if isinstance(each, dict)] if isinstance(told, list) else []
    if not marks and not exceptions:
        return "", "", ()
    events = tuple(
        Event(name="exception", time_ns=end_ns, attributes=attributes_of(_exception(each)))
        for each in exceptions[:4]
    )
    first = events[0].attributes if events else {}
    error_type = str(first.get("exception.type", "")) or (marks[0] if marks else "error")
    return error_type, str(first.get("exception.message", "")), events


def _exception(exception: Document) -> Iterator[tuple[str, object]]:
    yield "exception.type", exception.get("type")
    yield "exception.message", exception.get("message")
    stack = exception.get("stack")
    if isinstance(stack, list):
        frames = (each for each in stack if isinstance(each, dict))
        lines = (
            f"{each.get('path', '?')}:{each.get('line', '?')} {each.get('label', '')}"
            for each in frames
        )
        yield "exception.stacktrace", "\n".join(lines)[:STACKTRACE_MAX]


def _part(document: Document, name: str) -> Document:
    part = document.get(name)
    return part if isinstance(part, dict) else _NOTHING
