"""One value as its shape wants it, from JSON or from text.

What cannot be read as its type is a SerializationException, as with AWS. Names that the model does
not know are passed over, and null means left out.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from controlplane.api.aws.model import Shape
from emberd.wire.errors import InvalidArgumentError

_LEAST_32, _GREATEST_32 = -(2**31), 2**31 - 1
_LEAST_64, _GREATEST_64 = -(2**63), 2**63 - 1
BASE64_PIECE = 1024 * 1024
"""Characters; four of them are three bytes, so every piece but the last is whole."""
_EPOCH_S_MAX = 253_402_300_799
"""The last second of the year 9999."""
_INTEGER = re.compile(r"[+-]?[0-9]{1,19}")
_DECIMAL = re.compile(r"[+-]?[0-9]{1,400}(\.[0-9]{0,400})?([eE][+-]?[0-9]{1,4})?")


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


def _structure(value: object, shape: Shape) -> dict[str, object]:
    if not isinstance(value, dict):
        raise _mismatch(value, shape)
    found: dict[str, object] = {}
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
    return decode_base64(value)


def decode_base64(text: str, piece: int = BASE64_PIECE) -> bytes:
    """The bytes that a text stands for, a piece at a time so that other threads get their turn.

    Raises:
        InvalidArgumentError: it is no base64 to the letter.
    """
    padding = text.find("=")
    if len(text) % 4 or 0 <= padding < len(text) - 2:
        raise unreadable("Could not decode base64 value")
    try:
        pieces = [
            binascii.a2b_base64(text[start : start + piece], strict_mode=True)
            for start in range(0, len(text), piece)
        ]
    except ValueError:
        raise unreadable("Could not decode base64 value") from None
    return b"".join(pieces)


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
