"""What AWS's parser says of bytes that are no JSON: its words, its line and its column. Pure.

AWS parses events with Jackson and shows its message. Two of them are recorded (lambda-behaviour,
appendix A); the others follow the same parser's rules for what it expected where.
"""

from __future__ import annotations

import json

_VALUE = "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')"
_WHERE = (
    "\n at [Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); "
    "line: {line}, column: {column}]"
)
_EXPECTED = {
    "Expecting value": f"expected a valid value {_VALUE}",
    "Expecting property name enclosed in double quotes": (
        "was expecting double-quote to start field name"
    ),
    "Expecting ':' delimiter": "was expecting a colon to separate field name and value",
    "Expecting ',' delimiter": "was expecting comma to separate entries",
    "Illegal trailing comma before end of object": "was expecting double-quote to start field name",
    "Illegal trailing comma before end of array": f"expected a valid value {_VALUE}",
}
_IN_A_STRING = ("Unterminated string", "Invalid control character", "Invalid \\")
_LOST_BYTE = 0xDC00
"""A byte that is no UTF-8 stands in decoded text as a lone surrogate: this and its value."""


class NoJsonError(ValueError):
    """The bytes are no JSON; the message says it as Jackson does."""


def check_json(raw: bytes) -> object:
    """The value that bytes stand for.

    Raises:
        NoJsonError: none.
    """
    try:
        return _DECODER.decode(raw.decode())
    except UnicodeDecodeError as error:
        raise NoJsonError(_no_utf8(raw, error)) from error
    except json.JSONDecodeError as error:
        raise NoJsonError(_no_json(error)) from error
    except RecursionError as error:
        raise NoJsonError("Document nesting depth exceeds the maximum allowed") from error


def _no_constant(name: str) -> object:
    # Where it stands is not told, and seldom matters: there are three such words.
    raise NoJsonError(f"Non-standard token '{name}': enable it to allow it")


_DECODER = json.JSONDecoder(parse_constant=_no_constant)
"""JSON as its standard has it: Python's own decoder would take NaN too."""


def _no_utf8(raw: bytes, error: UnicodeDecodeError) -> str:
    """Between values such a byte is an unexpected character, within text it is no UTF-8."""
    try:
        _DECODER.decode(raw.decode(errors="surrogateescape"))
    except json.JSONDecodeError as other:
        text = other.doc
        if other.pos < len(text) and text[other.pos] >= "\udc80" and text[other.pos] <= "\udcff":
            return _no_json(other)
    except (NoJsonError, RecursionError):
        pass  # the bytes come first
    starts = error.reason == "invalid start byte"
    at = error.start if starts else min(error.end, len(raw) - 1)
    kind = "start" if starts else "middle"
    return f"Invalid UTF-8 {kind} byte 0x{raw[at]:02x}" + _place(raw[:at].decode("latin-1"), 2)


def _no_json(error: json.JSONDecodeError) -> str:
    text, at = error.doc, error.pos
    if not text.strip():
        return "No content to map due to end-of-input" + _place("", 1)
    if at >= len(text) or error.msg.startswith("Unterminated string"):
        return "Unexpected end-of-input" + _place(text, 1)
    place = _place(text[:at], 1)
    if error.msg.startswith(_IN_A_STRING):
        code = ord(text[at])
        if error.msg.startswith("Invalid \\"):
            return f"Unrecognized character escape {_described(text[at + 1 : at + 2])}" + place
        return (
            f"Illegal unquoted character ((CTRL-CHAR, code {code})): has to be escaped using "
            "backslash to be included in string value" + place
        )
    expected = _EXPECTED.get(error.msg, f"expected a valid value {_VALUE}")
    word = _word(text[at:])
    if error.msg == "Expecting value" and word:
        return f"Unrecognized token '{word}': was expecting {_VALUE}" + place
    return f"Unexpected character ({_described(text[at])}): {expected}" + place


def _word(text: str) -> str:
    """The word that a text begins with, if it begins with one."""
    length = 0
    while length < min(len(text), 256) and (text[length].isascii() and text[length].isalnum()):
        length += 1
    return text[:length] if text[:1].isalpha() else ""


def _described(character: str) -> str:
    if not character:
        return "(end-of-input)"
    code = ord(character)
    if _LOST_BYTE + 0x80 <= code <= _LOST_BYTE + 0xFF:
        code -= _LOST_BYTE
    if code < 0x20 or 0x7F <= code <= 0x9F:
        return f"(CTRL-CHAR, code {code})"
    beyond = f" / 0x{code:x}" if code > 0xFF else ""
    return f"'{chr(code)}' (code {code}{beyond})"


def _place(before: str, offset: int) -> str:
    """Where it is, as line and column."""
    line = before.count("\n") + 1
    column = len(before) - (before.rfind("\n") + 1) + offset
    return _WHERE.format(line=line, column=column)
