"""Events and results: JSON as Lambda's Python runtime reads and writes it.

Lambda's runtime uses simplejson; what differs from the standard library is done here: a Decimal is
written as the number it is, bytes inside a result as text, named tuples as objects. Source:
lambda-behaviour 7.4, and awslambdaric 4.2.2 beside it in the tests.

The C parts of json are used directly, because the package around them imports re and enum and takes
as long as the interpreter's start. Where they are not as expected, json itself does the work.
"""

from __future__ import annotations

import os
import sys

from . import Fault

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    Scan = Callable[[str, int], tuple[object, int]]
    Default = Callable[[object], object] | None
    Encode = Callable[[object, Default], str]

_READABLE = tuple(f"AWS_Lambda_python3.{minor}" for minor in (12, 13, 14, 15))
"""Runtimes that write non-ASCII characters as themselves; all others escape them."""

_BLANKS = " \t\n\r"
_LEAVES = frozenset((str, int, float, bool, type(None)))


class _ScannerOptions:
    """What the C scanner wants to be told."""

    strict = True
    object_hook = None
    object_pairs_hook = None
    parse_float = float
    parse_int = int

    @staticmethod
    def parse_constant(name: str) -> object:
        """NaN and Infinity are no JSON."""
        raise ValueError(f"Expecting value: {name}")


class Marshaller:
    """Made once per process."""

    def __init__(self) -> None:
        readable = os.environ.get("AWS_EXECUTION_ENV") in _READABLE
        self._scan = _scanner()
        self._encode = _encoder(ascii_only=not readable)
        self._encode_ascii = _encoder(ascii_only=True)

    def event(self, body: bytes, content_type: str | None) -> object:
        """What the handler gets: JSON decoded, anything else as bytes.

        Raises:
            Fault: it says it is JSON and is not.
        """
        if content_type != "application/json":
            return body
        try:
            text = body.decode("utf-8-sig")
            value, end = self._scan(text, len(text) - len(text.lstrip(_BLANKS)))
        except Exception:
            # Without json's own decoder the C scanner cannot say what is wrong; json can.
            return _slowly(body)
        return _slowly(body) if text[end:].strip(_BLANKS) else value

    def result(self, value: object) -> tuple[bytes, str]:
        """A handler's result as bytes and their content type.

        Raises:
            Fault: it cannot be written.
        """
        if isinstance(value, bytes):
            return value, "application/unknown"
        try:
            return self._text(value, self._encode).encode("utf-8"), "application/json"
        except Exception as error:
            raise Fault("Runtime.MarshalError", f"Unable to marshal response: {error}") from error

    def error(self, payload: dict[str, object]) -> str:
        """An error's JSON."""
        return self._text(payload, self._encode)

    def header(self, value: dict[str, object]) -> str:
        """JSON that may stand in a header: ASCII, one line."""
        return self._text(value, self._encode_ascii)

    def _text(self, value: object, encode: Encode) -> str:
        if _has_named_tuple(value):
            value = _plain(value)
        numbers = _Numbers()
        try:
            text = encode(value, numbers.default)
        except TypeError as error:
            if not str(error).endswith("not bytes"):
                raise
            text = encode(_plain(value), numbers.default)
        return numbers.restore(text)


class _Numbers:
    """Writes what the encoder does not know; Decimals first as marked text, then as numbers."""

    __slots__ = ("_mark",)

    def __init__(self) -> None:
        self._mark = ""

    def default(self, value: object) -> object:
        """Called by the encoder for every type it does not know."""
        if isinstance(value, bytes):
            return value.decode("utf-8")
        decimal = sys.modules.get("decimal")
        if decimal is not None and isinstance(value, decimal.Decimal):
            if value.is_nan():
                return float("nan")
            if not self._mark:
                # Random, so that no text of the function's can be taken for it.
                self._mark = os.urandom(16).hex()
            return f"{self._mark}{value}{self._mark}"
        as_dict = getattr(value, "_asdict", None)
        if callable(as_dict):
            return as_dict()
        return _refuse(value)

    def restore(self, text: str) -> str:
        """Take the quotation marks off the numbers."""
        if not self._mark:
            return text
        return text.replace(f'"{self._mark}', "").replace(f'{self._mark}"', "")


def _has_named_tuple(value: object) -> bool:
    """The C encoder writes a named tuple as a list, so it must be found before."""
    if type(value) in _LEAVES:
        return False
    seen = set()
    left = [value]
    while left:
        item = left.pop()
        if id(item) in seen:
            continue
        seen.add(id(item))
        if isinstance(item, dict):
            left += [child for child in item.values() if type(child) not in _LEAVES]
        elif isinstance(item, (list, tuple)):
            if hasattr(item, "_asdict"):
                return True
            left += [child for child in item if type(child) not in _LEAVES]
    return False


def _plain(value: object) -> object:
    """A copy with named tuples as objects and keys of bytes as text."""
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        value = value._asdict()
    if isinstance(value, dict):
        return {
            key.decode("utf-8") if isinstance(key, bytes) else key: _plain(child)
            for key, child in value.items()
        }
    if isinstance(value, (list, tuple)):
        return [_plain(child) for child in value]
    return value


def _scanner() -> Scan:
    try:
        from _json import make_scanner

        scan = make_scanner(_ScannerOptions)  # type: ignore[arg-type]
        assert scan('{"a": [1.5]}', 0) == ({"a": [1.5]}, 12)
    except Exception:
        # Not the C module we know: the public one is slower to import and never wrong.
        import json

        scan = json.JSONDecoder().scan_once  # type: ignore[attr-defined]
    return scan


def _encoder(*, ascii_only: bool) -> Encode:
    def ours(value: object, default: Default) -> str:
        encode = make_encoder({}, default or _refuse, quote, None, ": ", ", ", False, False, True)  # noqa: FBT003
        return "".join(encode(value, 0))

    def public(value: object, default: Default) -> str:
        import json

        return json.dumps(value, default=default, ensure_ascii=ascii_only)

    try:
        from _json import encode_basestring, encode_basestring_ascii, make_encoder

        quote = encode_basestring_ascii if ascii_only else encode_basestring
        assert ours({"a": [1.5, "b"]}, None) == '{"a": [1.5, "b"]}'
    except Exception:
        return public
    return ours


def _refuse(value: object) -> object:
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")


def _slowly(body: bytes) -> object:
    """Read with json itself, which knows how to say what is wrong."""
    import json

    try:
        return json.loads(body.decode("utf-8-sig"), parse_constant=_ScannerOptions.parse_constant)
    except (ValueError, RecursionError) as error:
        raise Fault("Runtime.UnmarshalError", f"Unable to unmarshal input: {error}") from None
