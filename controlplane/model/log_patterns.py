"""CloudWatch Logs' filter patterns: which lines of a log somebody wants. Pure.

    ERROR timeout        lines with both terms
    "not found"          the phrase
    ?ERROR ?WARN         lines with any of them
    ERROR -retried       lines with the first and without the second
    { $.level = "ERROR" && $.ms > 100 }   JSON lines, see json_patterns

Terms are found anywhere in a line, upper and lower case apart. Regular expressions (%...%) and
patterns for lines with columns ([a, b]) are refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from controlplane.model.json_patterns import json_matcher
from emberd.wire.errors import InvalidArgumentError

PATTERN_CHARACTERS_MAX = 1_024

Matcher = Callable[[str], bool]
"""Whether a line is wanted."""

_TERM = re.compile(r'\s*(?P<sign>[?-]?)(?:"(?P<phrase>(?:[^"\\]|\\.)*)"|(?P<word>[^\s"]+))(?=\s|$)')


def matcher(pattern: str) -> Matcher:
    """What a filter pattern wants; an empty one wants every line.

    Raises:
        InvalidArgumentError: it is no pattern, or one of a kind that is not built.
    """
    text = pattern.strip()
    if len(text) > PATTERN_CHARACTERS_MAX:
        raise invalid_pattern(f"it has more than {PATTERN_CHARACTERS_MAX} characters")
    if text.startswith("{"):
        return json_matcher(text, invalid_pattern)
    if text.startswith("["):
        raise invalid_pattern("patterns for lines with columns are not supported")
    return _term_matcher(text)


def invalid_pattern(why: str) -> InvalidArgumentError:
    """The error for a pattern that cannot be used."""
    return InvalidArgumentError(f"Invalid filter pattern: {why}", reason="INVALID_PARAMETER")


def _term_matcher(text: str) -> Matcher:
    wanted: dict[str, list[str]] = {"": [], "?": [], "-": []}
    at = 0
    while at < len(text):
        found = _TERM.match(text, at)
        if found is None:
            raise invalid_pattern(f"a quotation mark is not closed after character {at}")
        wanted[found["sign"]].append(_term_of(found))
        at = found.end()
    required, optional, excluded = wanted[""], wanted["?"], wanted["-"]
    # As AWS does: beside terms that must or must not be there, optional ones change nothing.
    any_of = [] if required or excluded else optional

    def wants(line: str) -> bool:
        return (
            all(each in line for each in required)
            and not any(each in line for each in excluded)
            and (not any_of or any(each in line for each in any_of))
        )

    return wants


def _term_of(found: re.Match[str]) -> str:
    phrase, word = found["phrase"], found["word"]
    if phrase is not None:
        return re.sub(r"\\(.)", r"\1", phrase)
    if len(word) > 1 and word.startswith("%") and word.endswith("%"):
        raise invalid_pattern("regular expressions are not supported")
    return str(word)
