"""Temporary credentials: what they carry, and that nobody but us can make or change one."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.identity.keyring import KEY_BYTES, Keyring
from controlplane.identity.sessions import Sessions
from emberd.wire.errors import DeniedError

ROLE = "arn:aws:iam::000000000000:role/worker"
NOW_S = 1_790_000_000.5


def sessions(data_key: bytes = b"k" * KEY_BYTES) -> Sessions:
    return Sessions(Keyring(data_key), os.urandom)


def test_a_session_says_its_role_its_name_and_its_end() -> None:
    issued = sessions().issue(ROLE, "hello", NOW_S, 3_600)
    opened = sessions().open(issued.access_key_id, issued.session_token)
    assert (opened.role_arn, opened.session_name) == (ROLE, "hello")
    assert opened.expires_s == issued.expires_s == 1_790_003_600


def test_the_credentials_have_the_form_that_aws_tools_expect() -> None:
    issued = sessions().issue(ROLE, "hello", NOW_S, 3_600)
    assert issued.access_key_id.startswith("ASIA")
    assert len(issued.access_key_id) == 20
    assert len(issued.secret_access_key) == 40


def test_a_later_start_knows_the_secret_of_an_earlier_ones_session() -> None:
    issued = sessions().issue(ROLE, "hello", NOW_S, 3_600)
    again = sessions().secret(issued.access_key_id, issued.session_token)
    assert again == issued.secret_access_key


def test_two_sessions_of_one_role_share_nothing() -> None:
    issuer = sessions()
    one, other = (issuer.issue(ROLE, "hello", NOW_S, 3_600) for _ in range(2))
    assert one.access_key_id != other.access_key_id
    assert one.secret_access_key != other.secret_access_key


def test_another_data_key_opens_nothing() -> None:
    issued = sessions().issue(ROLE, "hello", NOW_S, 3_600)
    with pytest.raises(DeniedError) as refused:
        sessions(b"x" * KEY_BYTES).open(issued.access_key_id, issued.session_token)
    assert refused.value.reason == "UNRECOGNIZED_CLIENT"
    assert refused.value.message == "The security token included in the request is invalid."


def test_a_token_is_of_no_use_with_another_key_id() -> None:
    issuer = sessions()
    one, other = (issuer.issue(ROLE, "hello", NOW_S, 3_600) for _ in range(2))
    with pytest.raises(DeniedError):
        issuer.open(one.access_key_id, other.session_token)


@given(place=st.integers(min_value=0), character=st.characters(codec="utf-8"))
def test_a_token_with_any_character_changed_is_refused(place: int, character: str) -> None:
    issued = sessions().issue(ROLE, "hello", NOW_S, 3_600)
    token = issued.session_token
    at = place % len(token)
    changed = token[:at] + character + token[at + 1 :]
    if changed == token:
        return
    with pytest.raises(DeniedError):
        sessions().open(issued.access_key_id, changed)


@given(st.text(max_size=200))
def test_a_text_that_is_no_token_is_refused(text: str) -> None:
    with pytest.raises(DeniedError):
        sessions().open("ASIAAAAAAAAAAAAAAAAA", text)


def test_secrets_show_in_no_representation() -> None:
    issued = sessions().issue(ROLE, "hello", NOW_S, 3_600)
    assert issued.secret_access_key not in repr(issued)
    assert issued.session_token not in repr(issued)


def test_a_data_key_of_another_length_is_no_data_key() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        Keyring(b"short")
