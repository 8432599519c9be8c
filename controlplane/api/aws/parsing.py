"""From the bytes of a request to the members of an operation's input, by the model.

What is read but breaks a constraint is another module's matter.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import NoReturn, TypeAlias, cast

from controlplane.api.aws.model import Member, Operation, Shape
from controlplane.api.aws.values import from_json, from_text, unreadable

Request: TypeAlias = dict[str, object]
"""Members of an input shape by their names in the model."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """A request taken apart."""

    uri: Mapping[str, str]
    query: Sequence[tuple[str, str]]
    headers: Mapping[str, str]
    """Names in any case, if the mapping takes them so."""
    body: bytes


def parse_rest(operation: Operation, parts: Parts) -> Request:
    """The input of an operation of a rest-json service.

    Raises:
        InvalidArgumentError: SERIALIZATION; something is not of its type.
    """
    shape = operation.input
    if shape is None:
        return {}
    request: Request = {}
    places = _places_of(shape)
    for place in places.outside:
        if place.location == "uri":
            value = from_text(parts.uri[place.key], place.shape, "date-time")
        elif place.location == "querystring":
            value = _from_query(parts.query, place) if parts.query else None
        else:
            text = parts.headers.get(place.key)
            value = None if text is None else from_text(text, place.shape, "http-date")
        if value is not None:
            request[place.name] = value
    if shape.payload:
        _add_payload(request, shape.members[shape.payload], parts.body)
    elif places.any_inside:
        for name, value in _members(load_json(parts.body), shape).items():
            request.setdefault(name, value)
    return request


def parse_json(operation: Operation, body: bytes) -> Request:
    """The input of an operation of a json service.

    Raises:
        InvalidArgumentError: SERIALIZATION; something is not of its type.
    """
    value = load_json(body)
    return {} if operation.input is None else _members(value, operation.input)


def load_json(body: bytes) -> object:
    """The body as JSON; an empty one, or null, is an empty object.

    Raises:
        InvalidArgumentError: it is no JSON, or nested too deep for anybody's good.
    """
    if not body.strip():
        return {}
    try:
        value: object = json.loads(body, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        # The decoder's words may quote what the caller sent, which may be a secret.
        raise unreadable("Could not parse request body into json") from None
    return {} if value is None else value


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a member lies outside the body."""

    name: str
    location: str
    key: str
    shape: Shape


@dataclass(frozen=True, slots=True)
class _Places:
    outside: tuple[_Place, ...]
    any_inside: bool


@cache
def _places_of(shape: Shape) -> _Places:
    """Put together once per input: an invocation is read on its way, and most of it lies here."""
    members = shape.members.values()
    outside = tuple(
        _Place(each.name, each.location, each.wire_name, each.shape)
        for each in members
        if each.location
    )
    return _Places(outside, any(not each.location for each in members))


def _add_payload(request: Request, member: Member, body: bytes) -> None:
    shape = member.shape
    if shape.kind == "blob":
        if body:
            request[member.name] = body
    elif body.strip():
        value = from_json(load_json(body), shape)
        if value is not None:
            request[member.name] = value


def _from_query(query: Sequence[tuple[str, str]], place: _Place) -> object:
    values = [value for name, value in query if name == place.key]
    if not values:
        return None
    element = place.shape.element
    if element is not None:
        return [from_text(each, element.shape, "date-time") for each in values]
    return from_text(values[-1], place.shape, "date-time")


def _members(value: object, shape: Shape) -> Request:
    return cast("Request", from_json(value, shape))


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)
