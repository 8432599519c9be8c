"""Who may do what: identity and resource policies against one question."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.identity.document import Document, read_document
from controlplane.identity.policy import Decision, Question, decide, may_assume, refusal
from controlplane.model.principal import Principal, PrincipalKind

OURS, THEIRS = "000000000000", "111111111111"
FUNCTION = f"arn:aws:lambda:us-east-1:{OURS}:function:hello"
ROLE = f"arn:aws:iam::{OURS}:role/path/worker"
SESSION = f"arn:aws:sts::{OURS}:assumed-role/worker/hello"


def session(account_id: str = OURS) -> Principal:
    return Principal(
        kind=PrincipalKind.ROLE,
        account_id=account_id,
        arn=SESSION.replace(OURS, account_id),
        user_id="AROA:hello",
        role_arn=ROLE.replace(OURS, account_id),
    )


def root(account_id: str = OURS) -> Principal:
    arn = f"arn:aws:iam::{account_id}:root"
    return Principal(kind=PrincipalKind.ROOT, account_id=account_id, arn=arn, user_id=account_id)


NOBODY = Principal(kind=PrincipalKind.ANONYMOUS, account_id="", arn="", user_id="")
S3 = Principal(kind=PrincipalKind.SERVICE, account_id="", arn="s3.amazonaws.com", user_id="")


def ask(
    principal: Principal | None = None,
    action: str = "lambda:InvokeFunction",
    resource: str = FUNCTION,
    context: Mapping[str, tuple[str, ...]] | None = None,
) -> Question:
    return Question(
        principal=principal or session(),
        action=action,
        resource=resource,
        account_id=OURS,
        context=lambda: context or {},
    )


def document(*statements: Mapping[str, Any]) -> Document:
    return read_document(json.dumps({"Version": "2012-10-17", "Statement": list(statements)}))


def allow(action: Any = "*", resource: Any = "*", **others: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **others}


def deny(action: Any = "*", resource: Any = "*", **others: Any) -> dict[str, Any]:
    return {**allow(action, resource, **others), "Effect": "Deny"}


def own(question: Question, *statements: Mapping[str, Any]) -> Decision:
    return decide(question, [document(*statements)], [])


def its(question: Question, *statements: Mapping[str, Any]) -> Decision:
    return decide(question, [], [document(*statements)])


def test_nothing_is_allowed_that_no_policy_allows() -> None:
    assert decide(ask(), [], []) is Decision.NO_IDENTITY_POLICY


def test_the_account_itself_is_limited_by_nothing() -> None:
    assert own(ask(root()), deny()) is Decision.ALLOWED
    assert its(ask(root()), deny(Principal="*")) is Decision.ALLOWED


def test_within_one_account_either_policy_is_enough() -> None:
    assert own(ask(), allow()) is Decision.ALLOWED
    assert its(ask(), allow(Principal={"AWS": ROLE})) is Decision.ALLOWED


def test_a_deny_anywhere_wins() -> None:
    assert own(ask(), allow(), deny()) is Decision.DENIED_BY_IDENTITY
    denied = decide(ask(), [document(allow())], [document(deny(Principal="*"))])
    assert denied is Decision.DENIED_BY_RESOURCE


def test_across_accounts_both_policies_are_needed() -> None:
    stranger = ask(session(THEIRS))
    theirs = {"AWS": f"arn:aws:iam::{THEIRS}:root"}
    ours = [document(allow(Principal=theirs))]
    assert decide(stranger, [document(allow())], ours) is Decision.ALLOWED
    assert decide(stranger, [document(allow())], []) is Decision.NO_RESOURCE_POLICY
    assert decide(stranger, [], ours) is Decision.NO_IDENTITY_POLICY
    assert decide(ask(root(THEIRS)), [], ours) is Decision.ALLOWED


@pytest.mark.parametrize(
    ("principal", "allowed"),
    [
        ("*", True),
        ({"AWS": "*"}, True),
        ({"AWS": ROLE}, True),
        ({"AWS": SESSION}, True),
        ({"AWS": ["arn:aws:iam::222222222222:root", ROLE]}, True),
        ({"AWS": OURS}, False),  # the account may, and then decides by policies of its own
        ({"AWS": ROLE + "2"}, False),
        ({"Service": "lambda.amazonaws.com"}, False),
    ],
)
def test_a_resource_names_whom_it_lets_in(principal: Any, allowed: bool) -> None:
    assert (its(ask(), allow(Principal=principal)) is Decision.ALLOWED) is allowed


def test_a_deny_of_an_account_is_one_of_everybody_in_it() -> None:
    denied = document(deny(Principal={"AWS": OURS}))
    assert decide(ask(), [document(allow())], [denied]) is Decision.DENIED_BY_RESOURCE


def test_everybody_but_some_means_everybody_but_some() -> None:
    others = deny(NotPrincipal={"AWS": ROLE})
    assert decide(ask(), [document(allow())], [document(others)]) is Decision.ALLOWED
    stranger = ask(session(THEIRS))
    decision = decide(stranger, [document(allow())], [document(others)])
    assert decision is Decision.DENIED_BY_RESOURCE


def test_nobody_in_particular_is_let_in_by_a_star_alone() -> None:
    assert its(ask(NOBODY), allow(Principal="*")) is Decision.ALLOWED
    assert its(ask(NOBODY), allow(Principal={"AWS": OURS})) is Decision.NO_RESOURCE_POLICY
    assert decide(ask(NOBODY), [document(allow())], []) is Decision.NO_RESOURCE_POLICY


def test_a_service_is_let_in_for_the_source_that_a_permission_names() -> None:
    permission = allow(
        "lambda:InvokeFunction",
        FUNCTION,
        Principal={"Service": "s3.amazonaws.com"},
        Condition={
            "StringEquals": {"AWS:SourceAccount": OURS},
            "ArnLike": {"AWS:SourceArn": "arn:aws:s3:::photos*"},
        },
    )

    def called_for(bucket: str, account_id: str) -> Decision:
        context = {"aws:sourcearn": (f"arn:aws:s3:::{bucket}",), "aws:sourceaccount": (account_id,)}
        return its(ask(S3, context=context), permission)

    assert called_for("photos-1", OURS) is Decision.ALLOWED
    assert called_for("other", OURS) is Decision.NO_RESOURCE_POLICY
    assert called_for("photos-1", THEIRS) is Decision.NO_RESOURCE_POLICY
    assert its(ask(S3), permission) is Decision.NO_RESOURCE_POLICY


@pytest.mark.parametrize(
    ("pattern", "allowed"),
    [
        ("*", True),
        ("lambda:*", True),
        ("Lambda:invokefunction", True),
        ("lambda:Invoke*", True),
        ("lambda:Invoke?unction", True),
        (["s3:GetObject", "lambda:InvokeFunction"], True),
        ("lambda:InvokeFunctionUrl", False),
        ("lambda:Invoke", False),
        ("s3:*", False),
    ],
)
def test_actions_match_by_wildcard_and_in_any_case(pattern: Any, allowed: bool) -> None:
    assert (own(ask(), allow(pattern)) is Decision.ALLOWED) is allowed


@pytest.mark.parametrize(
    ("pattern", "allowed"),
    [
        ("*", True),
        ("arn:aws:lambda:*", True),
        ("arn:aws:lambda:*:*:function:*", True),
        (f"arn:aws:lambda:*:{OURS}:function:hel?o", True),
        (f"{FUNCTION}*", True),
        (f"{FUNCTION}:*", False),
        (FUNCTION.upper(), False),
        ("arn:aws:lambda:*:function:hello", False),  # a star stays within its field
        (f"arn:aws:lambda:us-*:{OURS}:layer:*", False),
        ("", False),
    ],
)
def test_resources_match_field_by_field(pattern: str, allowed: bool) -> None:
    assert (own(ask(), allow("*", pattern)) is Decision.ALLOWED) is allowed


def test_what_concerns_no_resource_is_named_by_a_star_alone() -> None:
    listing = ask(action="lambda:ListFunctions", resource="*")
    assert own(listing, allow("lambda:ListFunctions", "*")) is Decision.ALLOWED
    assert own(listing, allow("lambda:ListFunctions", "arn:aws:lambda:*")) is (
        Decision.NO_IDENTITY_POLICY
    )


def test_not_action_and_not_resource_mean_all_others() -> None:
    others = {"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}
    assert own(ask(), others) is Decision.ALLOWED
    assert own(ask(action="iam:CreateRole"), others) is Decision.NO_IDENTITY_POLICY
    elsewhere = {"Effect": "Allow", "Action": "*", "NotResource": FUNCTION}
    assert own(ask(), elsewhere) is Decision.NO_IDENTITY_POLICY
    assert own(ask(resource=FUNCTION + "2"), elsewhere) is Decision.ALLOWED


def test_a_variable_stands_for_what_the_call_brings() -> None:
    mine = allow("*", f"arn:aws:lambda:*:{OURS}:function:${{aws:username}}-*")
    named = {"aws:username": ("hello",)}
    assert own(ask(resource=FUNCTION + "-a", context=named), mine) is Decision.ALLOWED
    assert own(ask(resource=FUNCTION + "-a"), mine) is Decision.NO_IDENTITY_POLICY


def test_a_value_of_the_call_never_becomes_a_wildcard() -> None:
    mine = allow("*", f"arn:aws:lambda:us-east-1:{OURS}:function:${{aws:username}}")
    assert own(ask(context={"aws:username": ("*",)}), mine) is Decision.NO_IDENTITY_POLICY
    assert own(ask(context={"aws:username": ("h?llo",)}), mine) is Decision.NO_IDENTITY_POLICY


def test_a_trust_policy_has_to_name_the_caller_whatever_its_own_policies_say() -> None:
    may = [document(allow("sts:AssumeRole"))]
    question = ask(action="sts:AssumeRole", resource=ROLE)

    def trusting(principal: Any) -> Document:
        return document({"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": principal})

    assert may_assume(question, may, trusting({"Service": "lambda.amazonaws.com"})) is (
        Decision.NO_RESOURCE_POLICY
    )
    assert may_assume(question, may, trusting({"AWS": OURS})) is Decision.ALLOWED
    assert may_assume(question, [], trusting({"AWS": OURS})) is Decision.NO_IDENTITY_POLICY
    assert may_assume(question, [], trusting({"AWS": ROLE})) is Decision.ALLOWED


def test_a_refusal_says_who_what_where_and_why() -> None:
    question = ask()
    refused = refusal(question, decide(question, [], []))
    assert refused.reason == "ACCESS_DENIED"
    assert refused.message == (
        f"User: {SESSION} is not authorized to perform: lambda:InvokeFunction on resource: "
        f"{FUNCTION} because no identity-based policy allows the lambda:InvokeFunction action"
    )
    denied = refusal(question, own(question, deny()))
    assert denied.message.endswith("with an explicit deny in an identity-based policy")


actions = st.sampled_from(["lambda:InvokeFunction", "lambda:*", "*", "s3:GetObject"])
statements = st.builds(
    lambda effect, action, resource: {"Effect": effect, "Action": action, "Resource": resource},
    st.sampled_from(["Allow", "Deny"]),
    actions,
    st.sampled_from(["*", FUNCTION, FUNCTION + "2", "arn:aws:lambda:*"]),
)


@given(st.lists(statements, min_size=1, max_size=6), st.randoms())
def test_the_order_of_statements_means_nothing(given_: list[dict[str, str]], random: Any) -> None:
    shuffled = random.sample(given_, len(given_))
    assert own(ask(), *given_) is own(ask(), *shuffled)


@given(st.lists(statements, max_size=6))
def test_a_deny_of_everything_leaves_nothing(given_: list[dict[str, str]]) -> None:
    assert own(ask(), *given_, deny()) is Decision.DENIED_BY_IDENTITY


@given(st.lists(statements, min_size=1, max_size=6), st.integers(0, 5))
def test_a_statement_less_never_allows_what_was_not_allowed_unless_it_denied(
    given_: list[dict[str, str]], at: int
) -> None:
    at %= len(given_)
    fewer = given_[:at] + given_[at + 1 :]
    if fewer and given_[at]["Effect"] == "Allow" and own(ask(), *fewer) is Decision.ALLOWED:
        assert own(ask(), *given_) is Decision.ALLOWED
