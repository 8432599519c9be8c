"""From the bytes of a request to the members of an operation's input, by the model.

What cannot be read as its type is a SerializationException, as with AWS; what is read but breaks a
constraint is another module's matter. Names that the model does not know are passed over, and null
means left out.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from typing import NoReturn, TypeAlias

from controlplane.api.aws.model import Member, Operation, Shape
from emberd.wire.errors import InvalidArgumentError

Request: TypeAlias = dict[str, object]
"""Members of an input shape by their names in the model."""

_LEAST_32, _GREATEST_32 = -(2**31), 2**31 - 1
_LEAST_64, _GREATEST_64 = -(2**63), 2**63 - 1
_EPOCH_S_MAX = 253_402_300_799
"""The last second of the year 9999."""
_INTEGER = re.compile(r"[+-]?[0-9]{1,19}")
_DECIMAL = re.compile(r"[+-]?[0-9]{1,400}(\.[0-9]{0,400})?([eE][+-]?[0-9]{1,4})?")


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
        for name, value in _structure(load_json(parts.body), shape).items():
            request.setdefault(name, value)
    return request


def parse_json(operation: Operation, body: bytes) -> Request:
    """The input of an operation of a json service.

    Raises:
        InvalidArgumentError: SERIALIZATION; something is not of its type.
    """
    value = load_json(body)
    return {} if operation.input is None else _structure(value, operation.input)


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


def from_json(value: object, shape: Shape) -> object:
    """A value of JSON as its shape wants it; None where it is null.

    Raises:
        InvalidArgumentError: it is of another type.
    """
    if value is None:
        return None
    return _READERS[shape.kind](value, shape)


def from_text(text: str, shape: Shape, timestamp_format: str) -> object:
    """A text of a path, query, header or form as its shape wants it; None where it is empty.

    Raises:
        InvalidArgumentError: it cannot be read so.
    """
    if shape.kind == "string":
        return checked_text(text)
    if not text:
        return None
    if shape.kind in ("integer", "long") and _INTEGER.fullmatch(text):
        return _integer(int(text), shape)
    if shape.kind in ("double", "float") and _DECIMAL.fullmatch(text):
        return float(text)
    if shape.kind == "boolean" and text.lower() in ("true", "false"):
        return text.lower() == "true"
    if shape.kind == "timestamp":
        return _time_from_text(text, shape.timestamp_format or timestamp_format)
    if shape.kind == "blob":
        return _blob(text, shape)
    raise _mismatch(text, shape)


def checked_text(text: str) -> str:
    """The text, if it is Unicode that can be written down again.

    Raises:
        InvalidArgumentError: half of a surrogate pair is in it.
    """
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            raise unreadable("Invalid UTF-8 in a string") from None
    return text


def unreadable(message: str) -> InvalidArgumentError:
    """The error that says that a request cannot be read."""
    return InvalidArgumentError(message, reason="SERIALIZATION")


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


def _structure(value: object, shape: Shape) -> Request:
    if not isinstance(value, dict):
        raise _mismatch(value, shape)
    found: Request = {}
    for name, member in shape.members.items():
        if member.location:
            continue
        read = from_json(value.get(member.wire_name), member.shape)
        if read is not None:
            found[name] = read
    return found


def _list(value: object, shape: Shape) -> list[object]:
    assert shape.element is not None
    if not isinstance(value, list):
        raise unreadable("Expected list or null")
    element = shape.element.shape
    return [from_json(each, element) for each in value]


def _map(value: object, shape: Shape) -> dict[str, object]:
    assert shape.value is not None
    if not isinstance(value, dict):
        raise unreadable("Expected map or null")
    element = shape.value.shape
    return {checked_text(name): from_json(each, element) for name, each in value.items()}


def _string(value: object, shape: Shape) -> str:
    if not isinstance(value, str):
        raise _mismatch(value, shape)
    return checked_text(value)


def _integer(value: object, shape: Shape) -> int:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        raise _mismatch(value, shape)
    least, greatest = (
        (_LEAST_64, _GREATEST_64) if shape.kind == "long" else (_LEAST_32, _GREATEST_32)
    )
    if not least <= value <= greatest:
        raise unreadable(f"Numeric value out of range of {_JAVA[shape.kind]}")
    return value


def _float(value: object, shape: Shape) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise _mismatch(value, shape)
    try:
        return float(value)
    except OverflowError:
        raise unreadable("Numeric value out of range of Double") from None


def _boolean(value: object, shape: Shape) -> bool:
    if not isinstance(value, bool):
        raise _mismatch(value, shape)
    return value


def _timestamp(value: object, shape: Shape) -> datetime:
    if isinstance(value, str):
        return _time_from_text(value, shape.timestamp_format or "date-time")
    seconds = _float(value, shape)
    if not 0 <= seconds <= _EPOCH_S_MAX:
        raise unreadable("Timestamp out of range")
    return datetime.fromtimestamp(seconds, UTC)


def _time_from_text(text: str, timestamp_format: str) -> datetime:
    try:
        if timestamp_format == "http-date":
            moment = parsedate_to_datetime(text)
        else:
            moment = datetime.fromisoformat(text)
        aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return aware.astimezone(UTC)
    except (ValueError, TypeError, OverflowError):
        raise unreadable("Timestamp must be a date and time") from None


def _blob(value: object, shape: Shape) -> bytes:
    if not isinstance(value, str):
        raise _mismatch(value, shape)
    try:
        return base64.b64decode(value, validate=True)
    except (ValueError, binascii.Error):
        raise unreadable("Could not decode base64 value") from None


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)


_JAVA = {
    "string": "String",
    "integer": "Integer",
    "long": "Long",
    "double": "Double",
    "float": "Float",
    "boolean": "Boolean",
    "timestamp": "Timestamp",
    "blob": "Blob",
}


def _mismatch(value: object, shape: Shape) -> InvalidArgumentError:
    if isinstance(value, dict):
        return unreadable("Start of structure or map found where not expected.")
    if isinstance(value, list):
        return unreadable("Start of list found where not expected.")
    kind = next(name for of, name in _JSON_KINDS if isinstance(value, of))
    return unreadable(f"{kind}_VALUE cannot be converted to {_JAVA.get(shape.kind, 'Structure')}")


_JSON_KINDS = ((bool, "BOOLEAN"), (int, "NUMBER"), (float, "DECIMAL"), (str, "STRING"))

_READERS: Mapping[str, Callable[[object, Shape], object]] = {
    "structure": _structure,
    "list": _list,
    "map": _map,
    "string": _string,
    "integer": _integer,
    "long": _integer,
    "double": _float,
    "float": _float,
    "boolean": _boolean,
    "timestamp": _timestamp,
    "blob": _blob,
}
