"""May this caller do this? Identity and resource policies against one question; pure.

    an explicit deny anywhere            no
    the account itself asks (root)       yes: policies of its own cannot limit it
    caller and resource in one account   yes if either kind of policy allows
    in two accounts                      yes only if both do

Source: IAM User Guide, "Policy evaluation logic". Words of the refusal: the same, "Troubleshoot
access denied error messages".
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache

from controlplane.identity.document import Choice, Document, Statement
from controlplane.identity.patterns import Context, action_matches, arn_matches, filled
from controlplane.model.principal import Principal, PrincipalKind
from emberd.wire.errors import DeniedError


class Decision(Enum):
    """The answer, and for a no where it came from: the words in which AWS tells it."""

    ALLOWED = "allowed"
    DENIED_BY_IDENTITY = "with an explicit deny in an identity-based policy"
    DENIED_BY_RESOURCE = "with an explicit deny in a resource-based policy"
    NO_IDENTITY_POLICY = "because no identity-based policy allows the {action} action"
    NO_RESOURCE_POLICY = "because no resource-based policy allows the {action} action"


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked of the policies."""

    principal: Principal
    action: str
    """For example lambda:InvokeFunction."""
    resource: str
    """An ARN, or * for what concerns no resource in particular."""
    account_id: str
    """Whose resource it is."""
    context: Callable[[], Context]
    """What is known of the call; asked for only where a policy asks."""


class _Grant(Enum):
    """What one kind of policy says."""

    DENY = "deny"
    ALLOW = "allow"
    DELEGATE = "delegate"
    """Allowed to the caller's whole account, which then decides by its own policies."""
    NOTHING = "nothing"


def decide(
    question: Question, identity: Sequence[Document], resource: Sequence[Document]
) -> Decision:
    """Decide by the caller's own policies and those of the resource."""
    principal = question.principal
    if principal.kind is PrincipalKind.ROOT and principal.account_id == question.account_id:
        return Decision.ALLOWED
    own = _grant(question, identity, of_resource=False)
    its = _grant(question, resource, of_resource=True) if resource else _Grant.NOTHING
    if own is _Grant.DENY:
        return Decision.DENIED_BY_IDENTITY
    if its is _Grant.DENY:
        return Decision.DENIED_BY_RESOURCE
    if principal.kind in (PrincipalKind.SERVICE, PrincipalKind.ANONYMOUS):
        # Neither has policies of its own.
        return Decision.ALLOWED if its is _Grant.ALLOW else Decision.NO_RESOURCE_POLICY
    if principal.account_id == question.account_id:
        either = own is _Grant.ALLOW or its is _Grant.ALLOW
        return Decision.ALLOWED if either else Decision.NO_IDENTITY_POLICY
    if its is _Grant.NOTHING:
        return Decision.NO_RESOURCE_POLICY
    # The other account's root needs no policy of its own; its roles and users do.
    both = own is _Grant.ALLOW or principal.kind is PrincipalKind.ROOT
    return Decision.ALLOWED if both else Decision.NO_IDENTITY_POLICY


def may_assume(question: Question, identity: Sequence[Document], trust: Document) -> Decision:
    """Whether a caller may act as a role: its trust policy has to name it or its account."""
    own = _grant(question, identity, of_resource=False)
    its = _grant(question, (trust,), of_resource=True)
    if own is _Grant.DENY:
        return Decision.DENIED_BY_IDENTITY
    if its is _Grant.DENY:
        return Decision.DENIED_BY_RESOURCE
    if its is _Grant.NOTHING:
        return Decision.NO_RESOURCE_POLICY
    root = question.principal.kind is PrincipalKind.ROOT
    allowed = its is _Grant.ALLOW or own is _Grant.ALLOW or root
    return Decision.ALLOWED if allowed else Decision.NO_IDENTITY_POLICY


def refusal(question: Question, decision: Decision) -> DeniedError:
    """A no in AWS's words."""
    why = decision.value.format(action=question.action)
    return DeniedError(
        f"User: {question.principal.arn or 'anonymous'} is not authorized to perform: "
        f"{question.action} on resource: {question.resource} {why}",
        reason="ACCESS_DENIED",
        action=question.action,
        resource=question.resource,
    )


def _grant(question: Question, documents: Sequence[Document], *, of_resource: bool) -> _Grant:
    best = _Grant.NOTHING
    for document in documents:
        for statement in _about(document, question.action, question.resource):
            reach = _reach(question, statement) if of_resource else _Grant.ALLOW
            if reach is _Grant.NOTHING or not _holds(question, statement):
                continue
            if not statement.allows:
                return _Grant.DENY
            if best is not _Grant.ALLOW:
                best = reach
    return best


@lru_cache(maxsize=8_192)
def _about(document: Document, action: str, resource: str) -> tuple[Statement, ...]:
    """The statements that concern an action on a resource, as far as that is sure beforehand."""
    return tuple(
        each
        for each in document.statements
        if _chosen_action(each.actions, action)
        and (
            each.resources is None
            or each.has_variables
            or _chosen_resource(each.resources, resource, {})
        )
    )


def _holds(question: Question, statement: Statement) -> bool:
    """Whether what depends on the call fits too."""
    if (
        statement.resources is not None
        and statement.has_variables
        and not _chosen_resource(statement.resources, question.resource, question.context())
    ):
        return False
    return all(each.holds(question.context()) for each in statement.conditions)


def _chosen_action(choice: Choice, action: str) -> bool:
    return any(action_matches(each, action) for each in choice.patterns) is not choice.negated


def _chosen_resource(choice: Choice, resource: str, context: Context) -> bool:
    fits = any(
        resource_matches(pattern, resource)
        for each in choice.patterns
        if (pattern := filled(each, context)) is not None
    )
    return fits is not choice.negated


def resource_matches(pattern: str, resource: str) -> bool:
    """Whether a pattern names a resource; only * names what is no resource in particular."""
    return pattern == "*" or (resource != "*" and arn_matches(pattern, resource))


def _reach(question: Question, statement: Statement) -> _Grant:
    """How a statement of a resource's policy meets the caller: itself, its account, or not."""
    if statement.principals is None:
        return _Grant.NOTHING
    names = names_of(question.principal)
    meant = set(statement.principals.patterns)
    direct = not names.isdisjoint(meant)
    account = not _account_names(question.principal).isdisjoint(meant)
    if statement.principals.negated:
        return _Grant.NOTHING if direct or account else _Grant.ALLOW
    if direct:
        return _Grant.ALLOW
    # A deny of an account is one of everybody in it.
    return _Grant.DELEGATE if account else _Grant.NOTHING


def names_of(principal: Principal) -> frozenset[str]:
    """How policies may name a caller as itself."""
    if principal.kind is PrincipalKind.SERVICE:
        return frozenset({f"Service:{principal.arn}", "AWS:*", "Service:*"})
    if principal.kind is PrincipalKind.ANONYMOUS:
        return frozenset({"AWS:*"})
    names = {"AWS:*", f"AWS:{principal.arn}"}
    if principal.role_arn:
        names.add(f"AWS:{principal.role_arn}")
    return frozenset(names)


def _account_names(principal: Principal) -> frozenset[str]:
    if not principal.account_id:
        return frozenset()
    account_id = principal.account_id
    return frozenset({f"AWS:{account_id}", f"AWS:arn:aws:iam::{account_id}:root"})
