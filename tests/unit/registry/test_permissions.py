"""What becomes of a policy document by adding and removing statements. No sockets: pure."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.registry.settings.permissions import (
    POLICY_BYTES_MAX,
    Permission,
    checked_document,
    principal_of,
    statement_of,
    statements_of,
    with_statement,
    without_statement,
)
from emberd.wire.errors import ConflictError, InvalidArgumentError, NotFoundError

ARN = "arn:aws:lambda:us-east-1:000000000000:function:thumb"
SIDS = st.sampled_from(["a", "b", "c", "d"])


def statement(sid):
    permission = Permission(
        statement_id=sid, action="lambda:InvokeFunction", principal="s3.amazonaws.com"
    )
    return statement_of(permission, ARN)


@given(steps=st.lists(st.tuples(st.booleans(), SIDS), max_size=20))
def test_a_policy_has_what_was_added_and_not_removed_in_the_order_of_adding(steps):
    document, expected = None, []
    for add, sid in steps:
        if add and sid in expected:
            with pytest.raises(ConflictError):
                with_statement(document, statement(sid))
        elif add:
            document = with_statement(document, statement(sid))
            expected.append(sid)
        elif document is not None and sid in expected:
            document = without_statement(document, sid)
            expected.remove(sid)
        elif document is not None:
            with pytest.raises(NotFoundError):
                without_statement(document, sid)
        sids = [] if document is None else [each["Sid"] for each in statements_of(document)]
        assert sids == expected
        assert document is None or checked_document(document) == document


def test_what_a_caller_put_beside_the_statements_stays():
    whole = {"Version": "2008-10-17", "Id": "mine", "Statement": statement("a")}
    after = with_statement(json.dumps(whole), statement("b"))
    assert json.loads(after) == {**whole, "Statement": [statement("a"), statement("b")]}


def test_the_size_of_a_policy_is_that_of_its_bytes():
    exact = "x" * (POLICY_BYTES_MAX - len(checked('"')))
    assert len(checked_document(checked(f'"{exact}'))) == POLICY_BYTES_MAX
    with pytest.raises(InvalidArgumentError, match="20481"):
        checked_document(checked(f'"{exact}x'))


def checked(padding):
    """A valid policy with some padding, which begins with a quotation mark."""
    return json.dumps({"Statement": statement("a")})[:-1] + f', "Id": {padding}"}}'


@pytest.mark.parametrize(
    "principal",
    ["", "12345678901", "1234567890123", "s3", "amazonaws.com", "evil.com", "arn:aws:s3:::b", "**"],
)
def test_what_is_nobody_is_no_principal(principal):
    with pytest.raises(InvalidArgumentError, match="The provided principal was invalid"):
        principal_of(principal)


@given(text=st.text(max_size=200))
def test_no_text_whatever_breaks_the_check_of_a_policy(text):
    with pytest.raises(InvalidArgumentError):
        checked_document(text)
