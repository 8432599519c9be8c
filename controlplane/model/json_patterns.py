"""Filter patterns for JSON lines: { $.a.b = "x*" && ($.n >= 5 || $.list[0] NOT EXISTS) }. Pure.

    pattern    := "{" any "}"
    any        := all { "||" all }
    all        := one { "&&" one }
    one        := "(" any ")" | selector test
    selector   := "$" { ".name" | "[number]" }
    test       := ("=" | "!=") value | ("<" | "<=" | ">" | ">=") number
                | IS (TRUE | FALSE | NULL) | NOT EXISTS
    value      := "text with *" | text with * | number

A line that is no JSON object matches nothing.
"""

from __future__ import annotations

import json
import operator
import re
from collections.abc import Callable, Mapping, Sequence

Test = Callable[[object], bool]
"""Of a whole line's value."""
Invalid = Callable[[str], Exception]

DEPTH_MAX = 20
"""Of brackets."""

_TOKEN = re.compile(
    r"""\s*(?:
        (?P<selector>\$(?:\.[A-Za-z_][\w-]*|\[[0-9]{1,6}\])+)
      | (?P<text>"(?:[^"\\]|\\.)*")
      | (?P<mark>\|\||&&|!=|<=|>=|[(){}=<>])
      | (?P<word>[^\s(){}=<>!|&"]+)
    )""",
    re.VERBOSE,
)
_STEP = re.compile(r"\.([\w-]+)|\[([0-9]+)\]")
_ORDER: Mapping[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_ABSENT = object()


def json_matcher(text: str, invalid: Invalid) -> Callable[[str], bool]:
    """What a JSON pattern wants.

    Args:
        text: The pattern, braces included.
        invalid: Makes the error for a pattern that is none, from the reason.
    """
    parser = _Parser(text, invalid)
    parser.take("{")
    test = parser.any(0)
    parser.take("}")
    parser.finish()

    def wants(line: str) -> bool:
        if not line.lstrip().startswith("{"):
            return False
        try:
            return test(json.loads(line))
        except (ValueError, RecursionError):
            return False

    return wants


class _Parser:
    """Reads one pattern from left to right."""

    def __init__(self, text: str, invalid: Invalid) -> None:
        self._text = text.rstrip()
        self._invalid = invalid
        self._at = 0
        self._kind, self._token = "", ""
        self._next()

    def take(self, mark: str) -> None:
        """The next token must be this."""
        if self._token != mark:
            raise self._invalid(f"{mark!r} is expected where {self._token or 'its end'!r} is")
        self._next()

    def finish(self) -> None:
        """There must be no more."""
        if self._kind:
            raise self._invalid(f"{self._token!r} follows its end")

    def any(self, depth: int) -> Test:
        """Alternatives."""
        tests = [self._all(depth)]
        while self._token == "||":
            self._next()
            tests.append(self._all(depth))
        return tests[0] if len(tests) == 1 else lambda value: any(each(value) for each in tests)

    def _all(self, depth: int) -> Test:
        tests = [self._one(depth)]
        while self._token == "&&":
            self._next()
            tests.append(self._one(depth))
        return tests[0] if len(tests) == 1 else lambda value: all(each(value) for each in tests)

    def _one(self, depth: int) -> Test:
        if depth > DEPTH_MAX:
            raise self._invalid("its brackets are too deep")
        if self._token == "(":
            self._next()
            test = self.any(depth + 1)
            self.take(")")
            return test
        if self._kind != "selector":
            raise self._invalid(f"a selector is expected where {self._token or 'its end'!r} is")
        steps = _steps(self._token)
        self._next()
        inner = self._test()
        return lambda value: inner(_select(value, steps))

    def _test(self) -> Test:
        sign = self._token.upper()
        self._next()
        if sign in ("=", "!="):
            equal = _equals(self._value())
            return equal if sign == "=" else lambda value: value is not _ABSENT and not equal(value)
        if sign in _ORDER:
            return _compares(_ORDER[sign], self._number())
        if sign == "IS":
            return self._is()
        if sign == "NOT" and self._token.upper() == "EXISTS":
            self._next()
            return lambda value: value is _ABSENT
        raise self._invalid(f"{sign!r} is no comparison")

    def _is(self) -> Test:
        wanted = {"TRUE": True, "FALSE": False, "NULL": None}
        word = self._token.upper()
        if word not in wanted:
            raise self._invalid(f"{self._token!r} is none of TRUE, FALSE, NULL")
        self._next()
        return lambda value: value is wanted[word]

    def _value(self) -> str | float:
        kind, token = self._kind, self._token
        if kind == "text":
            self._next()
            return re.sub(r"\\(.)", r"\1", token[1:-1])
        if kind != "word":
            raise self._invalid(f"a value is expected where {token or 'its end'!r} is")
        self._next()
        number = _number_of(token)
        return token if number is None else number

    def _number(self) -> float:
        number = _number_of(self._token)
        if number is None:
            raise self._invalid(f"a number is expected where {self._token or 'its end'!r} is")
        self._next()
        return number

    def _next(self) -> None:
        if self._at >= len(self._text):
            self._kind, self._token = "", ""
            return
        found = _TOKEN.match(self._text, self._at)
        if found is None or found.lastgroup is None:
            raise self._invalid(f"character {self._at} cannot be read")
        self._kind, self._token = found.lastgroup, found[found.lastgroup]
        self._at = found.end()


def _number_of(text: str) -> float | None:
    try:
        return float(text) if re.fullmatch(r"[+-]?[0-9.]+([eE][+-]?[0-9]{1,3})?", text) else None
    except ValueError:
        return None


def _steps(selector: str) -> tuple[str | int, ...]:
    return tuple(name or int(index) for name, index in _STEP.findall(selector))


def _select(value: object, steps: tuple[str | int, ...]) -> object:
    for step in steps:
        kind = dict if isinstance(step, str) else list
        try:
            value = value[step] if isinstance(value, kind) else _ABSENT  # type: ignore[index]  # of its kind
        except LookupError:
            value = _ABSENT
    return value


def _equals(wanted: str | float) -> Test:
    if isinstance(wanted, float):
        return _compares(operator.eq, wanted)
    first, *others = wanted.split("*")
    if not others:
        return lambda value: value == wanted
    return lambda value: isinstance(value, str) and _has_shape(value, first, others)


def _has_shape(text: str, first: str, others: Sequence[str]) -> bool:
    """Whether text is the parts in order with anything between them; in linear time."""
    *middle, last = others
    if not text.startswith(first):
        return False
    at = len(first)
    for part in middle:
        found = text.find(part, at)
        if found < 0:
            return False
        at = found + len(part)
    return len(text) - at >= len(last) and text.endswith(last)


def _compares(holds: Callable[[float, float], bool], wanted: float) -> Test:
    def test(value: object) -> bool:
        return (
            isinstance(value, int | float) and not isinstance(value, bool) and holds(value, wanted)
        )

    return test
