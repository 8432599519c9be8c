"""The constraints of the model, refused in AWS's words.

A request that breaks some gets one ValidationException that names them all (lambda-behaviour.md 1.1
and appendix A). Elements of lists, keys and values of maps are not named one by one: AWS prints the
whole value and all that its parts must satisfy.

Here we differ from AWS: a value that the model calls sensitive (environment variables, for one) is
never printed, long values are cut, and a text that is too long is not matched against its pattern
as well, so that no pattern is tried on a text of any length.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence, Sized
from dataclasses import dataclass
from functools import cache
from itertools import islice
from typing import cast

from controlplane.api.aws.model import Member, Shape
from controlplane.model.ids import (
    SHOWN_CHARACTERS_MAX,
    at_most_long,
    must_match,
    shown,
    validation_error,
)

VIOLATIONS_MAX = 50
"""How many are told; who breaks more learns of the rest next time."""
PRINTED_ITEMS_MAX = SHOWN_CHARACTERS_MAX
"""Of a list or map; the rest would be cut anyway."""
NOT_NULL = "Member must not be null"
REDACTED = "*** Sensitive Data Redacted ***"

_LETTERS_SEPARATORS_NUMBERS = r"\p{L}\p{Z}\p{N}"
_SEPARATORS = r" \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"


@dataclass(frozen=True, slots=True)
class Rule:
    """One constraint of a shape."""

    holds: Callable[[object], bool]
    text: str


def validate(shape: Shape, request: Mapping[str, object]) -> None:
    """Refuse input that breaks a constraint.

    Raises:
        InvalidArgumentError: VALIDATION; names every broken constraint.
    """
    found = list(islice(_violations(shape, request, ""), VIOLATIONS_MAX))
    if found:
        raise validation_error(found)


@cache
def rules_of(shape: Shape) -> tuple[Rule, ...]:
    """What a value of a shape must satisfy, in AWS's order; of structures, nothing by itself."""
    match shape.kind:
        case "integer" | "long" | "double" | "float":
            return tuple(_range_rules(shape))
        case "string":
            return tuple(_text_rules(shape))
        case "list":
            return (*_length_rules(shape, len), *_element_rules(shape))
        case "map":
            return (*_length_rules(shape, len), *_entry_rules(shape))
        case "blob":
            return tuple(_length_rules(shape, len))
    return ()


def java_pattern(pattern: str) -> re.Pattern[str]:
    r"""A pattern of the model, which is written for Java.

    Python knows no \p{...}; the one combination that the models use is spelled out. Everything else
    means the same in both, once \w and \d are those of ASCII.
    """
    translated = pattern.replace(r"\w-", r"\w\-")
    if _LETTERS_SEPARATORS_NUMBERS in pattern:
        spelled = translated.replace(_LETTERS_SEPARATORS_NUMBERS, rf"\w{_SEPARATORS}")
        return re.compile(spelled)
    return re.compile(translated, re.ASCII)


def _violations(shape: Shape, given: Mapping[str, object], path: str) -> Iterator[str]:
    members = shape.members
    for name in shape.required:
        if name not in given:
            yield _violation(None, members[name], _path(path, name), NOT_NULL)
    for name, value in given.items():
        member = members[name]
        held = member.shape
        for rule in rules_of(held):
            if not rule.holds(value):
                yield _violation(value, member, _path(path, name), rule.text)
        if held.kind in _NESTED:
            yield from _inner_violations(held, value, _path(path, name))


def _inner_violations(shape: Shape, value: object, path: str) -> Iterator[str]:
    """Of the structures inside a value, which are named one by one."""
    if shape.kind == "structure":
        yield from _violations(shape, cast("Mapping[str, object]", value), path)
        return
    inner = cast("Member", shape.element or shape.value)
    if inner.shape.kind not in _NESTED:
        return
    if shape.kind == "list":
        entries = [
            (f"{path}.{number}.member", each)
            for number, each in enumerate(cast("Sequence[object]", value), 1)
        ]
    else:
        given = cast("Mapping[str, object]", value)
        entries = [(f"{path}.{shown(key)}.member", each) for key, each in given.items()]
    for inner_path, each in entries:
        if each is None:
            yield _violation(None, inner, inner_path, NOT_NULL)
        else:
            yield from _inner_violations(inner.shape, each, inner_path)


def _violation(value: object, member: Member, path: str, constraint: str) -> str:
    if value is None:
        printed = " null"
    elif member.shape.sensitive:
        printed = ""
    else:
        printed = f" '{shown(print_value(value, member.shape))}'"
    return f"Value{printed} at '{path}' failed to satisfy constraint: {constraint}"


def print_value(value: object, shape: Shape) -> str:
    """A value as Java prints it, which is how AWS shows it."""
    if shape.sensitive:
        return REDACTED
    match shape.kind:
        case "list":
            element = cast("Member", shape.element).shape
            items = islice(cast("Sequence[object]", value), PRINTED_ITEMS_MAX)
            return f"[{', '.join(_print_part(each, element) for each in items)}]"
        case "map":
            held = cast("Member", shape.value).shape
            entries = islice(cast("Mapping[str, object]", value).items(), PRINTED_ITEMS_MAX)
            return (
                "{" + ", ".join(f"{key}={_print_part(each, held)}" for key, each in entries) + "}"
            )
        case "structure":
            given = cast("Mapping[str, object]", value)
            pairs = (
                f"{_lower(name)}={_print_part(given.get(name), member.shape)}"
                for name, member in shape.members.items()
            )
            return f"{shape.name}({', '.join(pairs)})"
        case "boolean":
            return "true" if value else "false"
    return str(value)


def _print_part(value: object, shape: Shape) -> str:
    return "null" if value is None else print_value(value, shape)


def _range_rules(shape: Shape) -> Iterator[Rule]:
    number = float if shape.kind in ("double", "float") else int
    if shape.maximum is not None:
        most = number(shape.maximum)
        yield Rule(
            lambda value: cast("float", value) <= most,
            f"Member must have value less than or equal to {most}",
        )
    if shape.minimum is not None:
        least = number(shape.minimum)
        yield Rule(
            lambda value: cast("float", value) >= least,
            f"Member must have value greater than or equal to {least}",
        )


def _text_rules(shape: Shape) -> Iterator[Rule]:
    if shape.enum:
        known = frozenset(shape.enum)
        yield Rule(
            lambda value: value in known,
            f"Member must satisfy enum value set: [{', '.join(shape.enum)}]",
        )
        return
    yield from _length_rules(shape, _java_length)
    if shape.pattern:
        matches = java_pattern(shape.pattern).fullmatch
        most = shape.maximum
        yield Rule(
            lambda value: (
                (most is not None and len(cast("str", value)) > most)
                or matches(cast("str", value)) is not None
            ),
            must_match(shape.pattern),
        )


def _length_rules(shape: Shape, length: Callable[[Sized], int]) -> Iterator[Rule]:
    if shape.maximum is not None:
        most = int(shape.maximum)
        yield Rule(lambda value: length(cast("Sized", value)) <= most, at_most_long(most))
    if shape.minimum is not None:
        least = int(shape.minimum)
        yield Rule(
            lambda value: length(cast("Sized", value)) >= least,
            f"Member must have length greater than or equal to {least}",
        )


def _element_rules(shape: Shape) -> Iterator[Rule]:
    element = cast("Member", shape.element).shape
    if element.kind == "structure":
        return
    rules = rules_of(element)
    text = f"Member must satisfy constraint: [{_all_texts(element)}]"
    if shape.names_element_rules:
        text = rules[0].text
    yield Rule(lambda value: _all_hold(rules, cast("Sequence[object]", value)), text)


def _entry_rules(shape: Shape) -> Iterator[Rule]:
    key, value = cast("Member", shape.key).shape, cast("Member", shape.value).shape
    key_rules = rules_of(key)
    if key_rules:
        yield Rule(
            lambda given: _all_hold(key_rules, tuple(cast("Mapping[str, object]", given))),
            f"Map keys must satisfy constraint: [{_all_texts(key)}]",
        )
    if value.kind != "structure":
        value_rules = rules_of(value)
        yield Rule(
            lambda given: _all_hold(
                value_rules, tuple(cast("Mapping[str, object]", given).values())
            ),
            f"Map value must satisfy constraint: [{_all_texts(value)}]",
        )


def _all_hold(rules: Sequence[Rule], values: Sequence[object]) -> bool:
    return all(each is not None and all(rule.holds(each) for rule in rules) for each in values)


def _all_texts(shape: Shape) -> str:
    """All that a part must satisfy; AWS says of most without a pattern that null is none."""
    texts = [rule.text for rule in rules_of(shape)]
    if shape.says_not_null or not shape.pattern:
        texts.append(NOT_NULL)
    return ", ".join(texts)


def _java_length(value: Sized) -> int:
    """Of a text as Java counts it: in units of UTF-16."""
    text = cast("str", value)
    return len(text) if text.isascii() else len(text.encode("utf-16-le")) // 2


def _path(parent: str, name: str) -> str:
    return f"{parent}.{_lower(name)}" if parent else _lower(name)


def _lower(name: str) -> str:
    return name[:1].lower() + name[1:]


_NESTED = frozenset({"structure", "list", "map"})
