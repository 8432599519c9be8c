"""IAM policy documents, read once into what can be evaluated; pure.

Source: IAM User Guide, "IAM JSON policy reference". Element names are taken in the case in which
that reference has them; an element that it does not have is refused, as AWS does.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeAlias

from controlplane.identity.conditions import Condition, read_condition
from controlplane.identity.patterns import has_variable
from emberd.wire.errors import InvalidArgumentError

VERSIONS = ("2008-10-17", "2012-10-17")
PRINCIPAL_KINDS = frozenset({"AWS", "Service", "Federated", "CanonicalUser"})
DOCUMENT_CHARACTERS_MAX = 131_072
"""What IAM takes at most in one request."""

# JSON of any shape, looked at with isinstance before it is used.
_Json: TypeAlias = Any
_Take = Callable[[_Json], tuple[str, ...]]

_ELEMENTS = frozenset(
    {
        *("Sid", "Effect", "Condition", "Principal", "NotPrincipal"),
        *("Action", "NotAction", "Resource", "NotResource"),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """An element or its Not... form: some patterns, and whether they count or all others do."""

    patterns: tuple[str, ...]
    negated: bool


# Documents are compared as what they are, not by what they say: they serve as keys of caches.
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Statement:
    """One statement."""

    allows: bool
    actions: Choice
    resources: Choice | None
    """None in a trust policy, whose resource is the role itself."""
    principals: Choice | None
    """Each as KIND:NAME, for example AWS:*; None in a policy of an identity."""
    conditions: tuple[Condition, ...]
    has_variables: bool
    """Whether its resources depend on the call."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Document:
    """A policy."""

    statements: tuple[Statement, ...]


def malformed(message: str) -> InvalidArgumentError:
    """A document that is no policy."""
    return InvalidArgumentError(message, reason="MALFORMED_POLICY_DOCUMENT")


@lru_cache(maxsize=1_024)
def read_document(text: str) -> Document:
    """Read a policy; the same text is read once.

    Raises:
        InvalidArgumentError: MALFORMED_POLICY_DOCUMENT.
    """
    if len(text) > DOCUMENT_CHARACTERS_MAX:
        raise malformed(f"A policy has at most {DOCUMENT_CHARACTERS_MAX} characters.")
    try:
        read = json.loads(text)
    except (ValueError, RecursionError):
        raise malformed("This policy contains invalid Json") from None
    if not isinstance(read, dict):
        raise malformed("Syntax errors in policy.")
    if read.get("Version", VERSIONS[0]) not in VERSIONS:
        raise malformed(f"The policy must contain a valid version string: {VERSIONS[1]}.")
    statements = read.get("Statement", [])
    if isinstance(statements, dict):
        statements = [statements]
    if not isinstance(statements, list) or not statements:
        raise malformed("Missing required field Statement.")
    return Document(statements=tuple(_statement(each) for each in statements))


def check_identity_policy(text: str) -> None:
    """Refuse what cannot be the policy of an identity.

    Raises:
        InvalidArgumentError: MALFORMED_POLICY_DOCUMENT.
    """
    for statement in read_document(text).statements:
        if statement.principals is not None:
            raise malformed("Policy document should not specify a principal.")
        if statement.resources is None:
            raise malformed("Policy statement must contain resources.")


def check_trust_policy(text: str) -> None:
    """Refuse what cannot say who may assume a role.

    Raises:
        InvalidArgumentError: MALFORMED_POLICY_DOCUMENT.
    """
    for statement in read_document(text).statements:
        if statement.resources is not None:
            raise malformed("Has prohibited field Resource.")
        if statement.principals is None:
            raise malformed("Missing required field Principal.")


def _statement(read: _Json) -> Statement:
    if not isinstance(read, dict):
        raise malformed("Syntax errors in policy.")
    for element in read:
        if element not in _ELEMENTS:
            raise malformed(f"Has prohibited field {element}.")
    effect = read.get("Effect")
    if effect not in ("Allow", "Deny"):
        raise malformed(
            "Missing required field Effect." if effect is None else f"Invalid effect: {effect}."
        )
    actions = _choice(read, "Action", _strings)
    if actions is None:
        raise malformed("Missing required field Action.")
    for action in actions.patterns:
        if action != "*" and ":" not in action:
            raise malformed("Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2")
    resources = _choice(read, "Resource", _strings)
    return Statement(
        allows=effect == "Allow",
        actions=actions,
        resources=resources,
        principals=_choice(read, "Principal", _principals),
        conditions=_conditions(read.get("Condition", {})),
        has_variables=resources is not None and any(map(has_variable, resources.patterns)),
    )


def _choice(read: Mapping[str, _Json], name: str, take: _Take) -> Choice | None:
    given, others = read.get(name), read.get(f"Not{name}")
    if given is not None and others is not None:
        raise malformed(f"Statement must not have both {name} and Not{name}.")
    if given is None and others is None:
        return None
    return Choice(patterns=take(given if others is None else others), negated=others is not None)


def _strings(read: _Json) -> tuple[str, ...]:
    texts = [read] if isinstance(read, str) else read
    if not isinstance(texts, list) or not texts or not all(isinstance(each, str) for each in texts):
        raise malformed("Syntax errors in policy.")
    return tuple(texts)


def _principals(read: _Json) -> tuple[str, ...]:
    if read == "*":
        return ("AWS:*",)
    if not isinstance(read, dict) or not read or not PRINCIPAL_KINDS.issuperset(read):
        raise malformed("Invalid principal in policy.")
    return tuple(f"{kind}:{name}" for kind, names in read.items() for name in _strings(names))


def _conditions(read: _Json) -> tuple[Condition, ...]:
    if not isinstance(read, dict):
        raise malformed("Syntax errors in policy.")
    found = []
    for operator, keys in read.items():
        if not isinstance(keys, dict):
            raise malformed("Syntax errors in policy.")
        for key, values in keys.items():
            try:
                found.append(read_condition(operator, key, _scalars(values)))
            except ValueError as error:
                raise malformed(str(error)) from None
    return tuple(found)


def _scalars(read: _Json) -> tuple[str, ...]:
    """Strings, numbers and truth values as text; policies write them in either way."""
    values: Sequence[_Json] = read if isinstance(read, list) else [read]
    if not all(isinstance(each, (str, int, float)) for each in values):
        raise malformed("Syntax errors in policy.")
    return tuple(each if isinstance(each, str) else json.dumps(each) for each in values)
