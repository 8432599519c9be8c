"""Conditions of IAM policies: one operator, one key of the call, the values it may have; pure.

A key that the call does not have fails an operator, and satisfies one that negates. `...IfExists`
is satisfied by a missing key, `ForAllValues:` too; `ForAnyValue:` is not.
Source: IAM User Guide, "IAM JSON policy elements: Condition operators".
"""

from __future__ import annotations

import ipaddress
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from controlplane.identity.patterns import (
    Context,
    arn_matches,
    filled,
    glob,
    has_variable,
    unguarded,
)

Test = Callable[[str, str], bool]
"""From a value of the call and one of the policy to whether they fit. ValueError: they never do."""

FOR_ALL = "forallvalues:"
FOR_ANY = "foranyvalue:"
IF_EXISTS = "ifexists"


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """One line of a Condition block."""

    key: str
    """In lower case."""
    values: tuple[str, ...]
    test: Test
    negated: bool
    if_exists: bool
    quantifier: str
    """FOR_ALL, FOR_ANY or empty."""
    fixed: bool
    """Whether the values are the same for every call."""
    null: bool = False
    """The operator Null: whether the key is missing is all it asks."""

    def holds(self, context: Context) -> bool:
        """Whether the call satisfies it."""
        found = context.get(self.key, ())
        if self.null:
            return any((value.lower() == "true") is (not found) for value in self.values)
        if not found:
            return self.if_exists or self.negated or self.quantifier == FOR_ALL
        wanted = self.values if self.fixed else self._filled(context)
        if len(found) == 1:
            return self._fits(found[0], wanted)
        fits = (self._fits(value, wanted) for value in found)
        if self.quantifier == FOR_ALL:
            return all(fits)
        # A negated operator without a quantifier must hold for every value that the call has.
        return all(fits) if self.negated and self.quantifier != FOR_ANY else any(fits)

    def _filled(self, context: Context) -> Sequence[str]:
        return [text for each in self.values if (text := filled(each, context)) is not None]

    def _fits(self, value: str, wanted: Sequence[str]) -> bool:
        return any(_safely(self.test, value, each) for each in wanted) is not self.negated


def read_condition(name: str, key: str, values: tuple[str, ...]) -> Condition:
    """One line of a Condition block.

    Raises:
        ValueError: there is no such operator.
    """
    lower = name.lower()
    quantifier = next((each for each in (FOR_ALL, FOR_ANY) if lower.startswith(each)), "")
    lower = lower.removeprefix(quantifier)
    if_exists = lower.endswith(IF_EXISTS)
    lower = lower.removesuffix(IF_EXISTS)
    null = lower == "null" and not if_exists and not quantifier
    if not null and lower not in _OPERATORS:
        raise ValueError(f"Invalid Condition type : {name}.")
    test, negated = (_same, False) if null else _OPERATORS[lower]
    return Condition(
        key=key.lower(),
        values=values,
        test=test,
        negated=negated,
        if_exists=if_exists,
        quantifier=quantifier,
        fixed=not any(map(has_variable, values)),
        null=null,
    )


def _safely(test: Test, value: str, wanted: str) -> bool:
    try:
        return test(value, wanted)
    except ValueError:
        return False


def _same(value: str, wanted: str) -> bool:
    return value == unguarded(wanted)


def _same_in_any_case(value: str, wanted: str) -> bool:
    return value.lower() == unguarded(wanted).lower()


def _like(value: str, wanted: str) -> bool:
    return glob(wanted).fullmatch(value) is not None


def _arn_like(value: str, wanted: str) -> bool:
    return arn_matches(wanted, value)


def _in_network(value: str, wanted: str) -> bool:
    return ipaddress.ip_address(value) in ipaddress.ip_network(wanted, strict=False)


def _numbers(compare: Callable[[float, float], bool]) -> Test:
    return lambda value, wanted: compare(float(value), float(wanted))


def _dates(compare: Callable[[float, float], bool]) -> Test:
    return lambda value, wanted: compare(_seconds(value), _seconds(wanted))


def _seconds(text: str) -> float:
    """Seconds since the epoch of a date in ISO 8601, or of such a number itself."""
    if text.isascii() and text.isdigit():
        return float(text)
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _comparisons(prefix: str, make: Callable[[Callable[[float, float], bool]], Test]) -> Operators:
    return {
        f"{prefix}equals": (make(operator.eq), False),
        f"{prefix}notequals": (make(operator.eq), True),
        f"{prefix}lessthan": (make(operator.lt), False),
        f"{prefix}lessthanequals": (make(operator.le), False),
        f"{prefix}greaterthan": (make(operator.gt), False),
        f"{prefix}greaterthanequals": (make(operator.ge), False),
    }


Operators = Mapping[str, tuple[Test, bool]]
"""By name in lower case: the test, and whether its outcome is turned around."""

_OPERATORS: Operators = {
    "stringequals": (_same, False),
    "stringnotequals": (_same, True),
    "stringequalsignorecase": (_same_in_any_case, False),
    "stringnotequalsignorecase": (_same_in_any_case, True),
    "stringlike": (_like, False),
    "stringnotlike": (_like, True),
    "arnequals": (_arn_like, False),
    "arnnotequals": (_arn_like, True),
    "arnlike": (_arn_like, False),
    "arnnotlike": (_arn_like, True),
    "bool": (_same_in_any_case, False),
    "binaryequals": (_same, False),
    "ipaddress": (_in_network, False),
    "notipaddress": (_in_network, True),
    **_comparisons("numeric", _numbers),
    **_comparisons("date", _dates),
}
