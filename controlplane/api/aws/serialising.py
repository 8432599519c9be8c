"""From the members of an operation's output to an HTTP answer, by the model.

Operations give members by the model's names; where each goes (status, header, body, the whole body)
is the model's to say. A name that the model does not know is our mistake and raises, so that no
answer is silently short of something.
"""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncGenerator, Mapping, Sequence
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import cast

from controlplane.api.aws.answer import Answer
from controlplane.api.aws.eventstream import encode_events
from controlplane.api.aws.model import Member, Operation, Shape
from controlplane.api.aws.operation import Output

JSON_TYPE = "application/json"


def serialise_rest(operation: Operation, output: Output) -> Answer:
    """The answer of an operation of a rest-json service.

    Raises:
        ValueError: the output is not what the model says.
    """
    status, shape = operation.status, operation.output
    headers: dict[str, str] = {}
    if shape is None:
        return Answer(status=status, headers=headers)
    in_body: dict[str, object] = {}
    has_body = False
    for name, value in output.items():
        member = member_of(shape, name)
        if value is None or name == shape.payload:
            continue
        if member.location == "statusCode":
            status = cast("int", value)
        elif member.location == "header":
            headers[member.wire_name] = to_text(value, member.shape, "http-date")
        else:
            in_body[name] = value
    if shape.payload:
        return _with_payload(status, headers, shape.members[shape.payload], output)
    has_body = any(not member.location for member in shape.members.values())
    if not has_body or status == 204:
        return Answer(status=status, headers=headers)
    headers["Content-Type"] = JSON_TYPE
    return Answer(status=status, headers=headers, body=dump_json(to_json(in_body, shape)))


def dump_json(value: object) -> bytes:
    """Compact JSON in UTF-8."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def to_json(value: object, shape: Shape) -> object:
    """A value as JSON has it.

    Raises:
        ValueError: it is not of its shape.
    """
    match shape.kind:
        case "structure":
            given = cast("Mapping[str, object]", value)
            return {
                member_of(shape, name).wire_name: to_json(each, member_of(shape, name).shape)
                for name, each in given.items()
                if each is not None
            }
        case "list":
            element = cast("Member", shape.element).shape
            return [to_json(each, element) for each in cast("Sequence[object]", value)]
        case "map":
            element = cast("Member", shape.value).shape
            given = cast("Mapping[str, object]", value)
            return {name: to_json(each, element) for name, each in given.items()}
        case "timestamp":
            return _time(value, shape.timestamp_format or "epoch")
        case "blob":
            return base64.b64encode(cast("bytes", value)).decode()
    return value


def to_text(value: object, shape: Shape, timestamp_format: str) -> str:
    """A value as a header or an XML element has it."""
    match shape.kind:
        case "boolean":
            return "true" if value else "false"
        case "timestamp":
            return str(_time(value, shape.timestamp_format or timestamp_format))
        case "blob":
            return base64.b64encode(cast("bytes", value)).decode()
    return str(value)


def member_of(shape: Shape, name: str) -> Member:
    """The member of that name.

    Raises:
        ValueError: the shape has none.
    """
    try:
        return shape.members[name]
    except KeyError:
        raise ValueError(f"{shape.name} has no member {name}") from None


def _with_payload(status: int, headers: dict[str, str], member: Member, output: Output) -> Answer:
    value = output.get(member.name)
    shape = member.shape
    if status == 204:
        return Answer(status=status, headers=headers)
    if shape.event_stream:
        headers["Content-Type"] = "application/vnd.amazon.eventstream"
        events = cast("AsyncGenerator[Mapping[str, object], None]", value)
        return Answer(status=status, headers=headers, stream=encode_events(shape, events))
    if shape.kind == "blob":
        headers.setdefault("Content-Type", JSON_TYPE)
        return Answer(status=status, headers=headers, body=cast("bytes", value or b""))
    headers["Content-Type"] = JSON_TYPE
    return Answer(status=status, headers=headers, body=dump_json(to_json(value or {}, shape)))


def _time(value: object, timestamp_format: str) -> str | float:
    moment = cast("datetime", value).astimezone(UTC)
    match timestamp_format:
        case "http-date" | "rfc822":
            return format_datetime(moment, usegmt=True)
        case "date-time" | "iso8601":
            precision = "milliseconds" if moment.microsecond else "seconds"
            return moment.isoformat(timespec=precision).replace("+00:00", "Z")
    seconds = moment.timestamp()
    return int(seconds) if seconds.is_integer() else seconds
