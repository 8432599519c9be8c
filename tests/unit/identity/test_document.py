"""Policy documents: what is one, and what is refused as none."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.identity.document import (
    check_identity_policy,
    check_trust_policy,
    read_document,
)
from controlplane.identity.managed import DOCUMENTS, MANAGED_PREFIX, managed_document
from emberd.wire.errors import InvalidArgumentError

STATEMENT = {"Effect": "Allow", "Action": "lambda:*", "Resource": "*"}


def refused(document: Any) -> str:
    text = document if isinstance(document, str) else json.dumps(document)
    with pytest.raises(InvalidArgumentError) as error:
        read_document(text)
    assert error.value.reason == "MALFORMED_POLICY_DOCUMENT"
    return error.value.message


def changed(**changes: Any) -> dict[str, Any]:
    statement = {**STATEMENT, **changes}
    return {"Statement": {key: value for key, value in statement.items() if value is not None}}


def test_one_statement_may_stand_without_its_list() -> None:
    (alone,) = read_document(json.dumps({"Statement": STATEMENT})).statements
    (listed,) = read_document(json.dumps({"Statement": [STATEMENT]})).statements
    assert alone.actions == listed.actions
    assert alone.resources == listed.resources


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ("", "invalid Json"),
        ("[" * 100_000, "invalid Json"),
        ([], "Syntax errors"),
        ({}, "Missing required field Statement"),
        ({"Statement": []}, "Missing required field Statement"),
        ({"Version": "2020-01-01", "Statement": STATEMENT}, "valid version string"),
        (changed(Effect=None), "Missing required field Effect"),
        (changed(Effect="allow"), "Invalid effect"),
        (changed(Action=None), "Missing required field Action"),
        (changed(Action="invoke"), "prefaced by a vendor"),
        (changed(NotAction="s3:*"), "both Action and NotAction"),
        (changed(Actions="s3:*"), "prohibited field Actions"),
        (changed(Resource=[]), "Syntax errors"),
        (changed(Resource=[1]), "Syntax errors"),
        (changed(Principal="me"), "Invalid principal"),
        (changed(Principal={"Human": "me"}), "Invalid principal"),
        (changed(Condition={"StringIs": {"a": "b"}}), "Invalid Condition type : StringIs."),
        (changed(Condition={"StringEquals": "a"}), "Syntax errors"),
        (changed(Condition={"StringEquals": {"a": {}}}), "Syntax errors"),
        ("{" + " " * 131_072 + "}", "at most 131072 characters"),
    ],
)
def test_what_is_no_policy_is_refused_with_the_reason(document: Any, words: str) -> None:
    assert words in refused(document)


def test_a_policy_of_an_identity_names_resources_and_no_principal() -> None:
    check_identity_policy(json.dumps({"Statement": STATEMENT}))
    for wrong in (changed(Principal="*"), changed(Resource=None)):
        with pytest.raises(InvalidArgumentError):
            check_identity_policy(json.dumps(wrong))


def test_a_trust_policy_names_principals_and_no_resource() -> None:
    check_trust_policy(json.dumps(changed(Resource=None, Principal="*")))
    for wrong in (changed(Principal="*"), changed(Resource=None)):
        with pytest.raises(InvalidArgumentError):
            check_trust_policy(json.dumps(wrong))


def test_numbers_and_truth_values_of_conditions_may_be_written_as_such() -> None:
    condition = {"Bool": {"a": True}, "NumericLessThan": {"b": [1, 2.5]}}
    (statement,) = read_document(json.dumps(changed(Condition=condition))).statements
    assert [each.values for each in statement.conditions] == [("true",), ("1", "2.5")]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner),
    max_leaves=8,
)


@given(
    st.dictionaries(st.sampled_from([*STATEMENT, "Condition", "Principal", "Sid"]), json_values),
    json_values,
)
def test_no_json_whatever_raises_anything_but_a_refusal(
    statement: dict[str, Any], other: Any
) -> None:
    for document in ({"Statement": [statement]}, {"Statement": other}, other):
        assert outcome(document) in ("a policy", "MALFORMED_POLICY_DOCUMENT")


def outcome(document: Any) -> str:
    try:
        read_document(json.dumps(document))
    except InvalidArgumentError as error:
        return error.reason
    return "a policy"


@pytest.mark.parametrize("name", [*DOCUMENTS, "AmazonEC2FullAccess"])
def test_every_policy_of_awss_is_one_of_an_identity(name: str) -> None:
    text = managed_document(MANAGED_PREFIX + name)
    check_identity_policy(text)
    assert read_document(text).statements[0].resources is not None
