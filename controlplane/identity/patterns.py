"""Patterns of policies: * for any characters, ? for one, ${...} for what a call brings; pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

Context = Mapping[str, tuple[str, ...]]
"""What is known of a call, by condition key in lower case."""

ARN_FIELDS = 6

_VARIABLE = re.compile(r"\$\{([^}]*)\}")
_LITERAL_SIGNS = {"*": "\ud800", "?": "\ud801"}
"""Stand for signs that are no wildcards: lone surrogates, which no text in UTF-8 can hold."""
_LITERALS = {"*": _LITERAL_SIGNS["*"], "?": _LITERAL_SIGNS["?"], "$": "$"}


@lru_cache(maxsize=4_096)
def glob(pattern: str, *, ignore_case: bool = False) -> re.Pattern[str]:
    """A pattern as a regular expression for the whole text; its time grows with both lengths."""
    first, *others = (_segment(each) for each in pattern.split("*"))
    if not others:
        text = first
    else:
        # Once the text between two stars is found no other place for it can help: never go back.
        middle = "".join(f"(?>.*?{each})" for each in others[:-1])
        text = f"{first}{middle}.*{others[-1]}"
    return re.compile(text, re.DOTALL | (re.IGNORECASE if ignore_case else 0))


def arn_matches(pattern: str, arn: str) -> bool:
    """Whether an ARN fits a pattern, field by field; an unfinished pattern ends in stars."""
    if pattern == "*":
        return True
    wanted, given = pattern.split(":", ARN_FIELDS - 1), arn.split(":", ARN_FIELDS - 1)
    if len(wanted) < ARN_FIELDS and pattern.endswith("*"):
        wanted += ["*"] * (ARN_FIELDS - len(wanted))
    return len(wanted) == len(given) == ARN_FIELDS and all(
        one in ("*", other) or glob(one).fullmatch(other) is not None
        for one, other in zip(wanted, given, strict=True)
    )


def action_matches(pattern: str, action: str) -> bool:
    """Whether an action fits a pattern; case means nothing in either."""
    return pattern == "*" or glob(pattern, ignore_case=True).fullmatch(action) is not None


def has_variable(pattern: str) -> bool:
    """Whether a pattern depends on the call."""
    return "${" in pattern


def filled(pattern: str, context: Context) -> str | None:
    """A pattern with its variables replaced; None when the call does not bring one of them.

    What a call brings never becomes a pattern: its stars and question marks mean themselves.
    """
    if not has_variable(pattern):
        return pattern
    lacking = False

    def value(match: re.Match[str]) -> str:
        nonlocal lacking
        name, comma, default = match[1].partition(",")
        if name in _LITERALS:
            return _LITERALS[name]
        found = context.get(name.strip().lower(), ())
        if len(found) != 1 and not comma:
            lacking = True
            return ""
        return _literal(found[0] if len(found) == 1 else default.strip().strip("'"))

    text = _VARIABLE.sub(value, pattern)
    return None if lacking else text


def unguarded(text: str) -> str:
    """A filled text as plain text, for operators that know no wildcards."""
    for sign, stand_in in _LITERAL_SIGNS.items():
        text = text.replace(stand_in, sign)
    return text


def _literal(value: str) -> str:
    for sign, stand_in in _LITERAL_SIGNS.items():
        value = value.replace(sign, stand_in)
    return value


def _segment(text: str) -> str:
    """What stands between two stars, as a regular expression."""
    return "".join("." if each == "?" else re.escape(unguarded(each)) for each in text)
