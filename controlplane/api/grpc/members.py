"""Members of Lambda's shapes as fields of messages, and messages as the dicts operations take.

The model drives it, so no shape is written by hand. A list or map that is empty in a message counts
as not given: protobuf cannot tell the two apart.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, TypeAlias

from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from controlplane.api.aws.model import Member, Shape

DURATION_SUFFIX = "InSeconds"
"""Whole seconds in Lambda's model; a Duration in a message, which needs no unit in its name."""

_WORD = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")

# What the fields of a message hold, by its descriptor; generated classes know no common type.
_Value: TypeAlias = Any


def field_name(member: Member) -> str:
    """The field of a member: FunctionUrlAuthType is function_url_auth_type."""
    return _WORD.sub("_", member.name.removesuffix(DURATION_SUFFIX)).lower()


def is_duration(member: Member) -> bool:
    """Whether a member counts seconds."""
    return member.name.endswith(DURATION_SUFFIX)


def members_of(message: Message, shape: Shape) -> dict[str, object]:
    """A message as the dict that an operation takes."""
    given: dict[str, object] = {}
    for name, member in shape.members.items():
        field = field_name(member)
        if member.shape.kind in ("list", "map"):
            if len(getattr(message, field)):
                given[name] = _container(getattr(message, field), member.shape)
        elif message.HasField(field):
            given[name] = _read(getattr(message, field), member)
    return given


def fill(message: Message, output: Mapping[str, object], shape: Shape) -> None:
    """Put an operation's output into a message; None is left out."""
    for name, member in shape.members.items():
        value: _Value = output.get(name)
        if value is None:
            continue
        field = field_name(member)
        kind = member.shape.kind
        if kind == "structure":
            inner = getattr(message, field)
            inner.SetInParent()
            fill(inner, value, member.shape)
        elif kind == "list":
            _fill_list(getattr(message, field), value, member.shape)
        elif kind == "map":
            _fill_map(getattr(message, field), value, member.shape)
        elif kind == "timestamp":
            getattr(message, field).CopyFrom(_timestamp(value))
        elif is_duration(member):
            getattr(message, field).FromSeconds(value)
        else:
            setattr(message, field, value)


def _container(held: _Value, shape: Shape) -> object:
    if shape.kind == "list":
        assert shape.element is not None
        return [_read(each, shape.element) for each in held]
    assert shape.value is not None
    return {key: _read(held[key], shape.value) for key in held}


def _read(value: _Value, member: Member) -> object:
    if member.shape.kind == "structure":
        return members_of(value, member.shape)
    if member.shape.kind == "timestamp":
        return value.ToDatetime(tzinfo=UTC)
    return value.ToSeconds() if is_duration(member) else value


def _fill_list(held: _Value, values: _Value, shape: Shape) -> None:
    assert shape.element is not None
    for each in values:
        if shape.element.shape.kind == "structure":
            fill(held.add(), each, shape.element.shape)
        else:
            held.append(each)


def _fill_map(held: _Value, values: _Value, shape: Shape) -> None:
    assert shape.value is not None
    for key, each in values.items():
        if shape.value.shape.kind == "structure":
            fill(held[key], each, shape.value.shape)
        else:
            held[key] = each


def _timestamp(value: datetime) -> Timestamp:
    made = Timestamp()
    made.FromDatetime(value)
    return made
