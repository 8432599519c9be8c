"""What is refused before anything runs."""

from __future__ import annotations

import pytest

from controlplane.dispatch.payloads import check_client_context, check_payload
from emberd.wire import PAYLOAD_BYTES_MAX
from emberd.wire.errors import InvalidArgumentError


@pytest.mark.parametrize("payload", [b"", b"{}", b"null", b'"text"', b"[1, 2.5]", b" 1 "])
def test_json_of_any_kind_is_taken_and_nothing_too(payload):
    assert check_payload(payload) is None


@pytest.mark.parametrize("payload", [b"\x87\x00", b"{", b"NaN", b"hello", b"[" * 100_000, b" "])
def test_what_is_no_json_is_refused_as_lambda_refuses_it(payload):
    with pytest.raises(InvalidArgumentError, match="Could not parse request body into json") as e:
        check_payload(payload)
    assert e.value.reason == "INVALID_REQUEST_CONTENT"


def test_an_event_over_six_megabytes_is_refused_with_its_size():
    with pytest.raises(InvalidArgumentError, match="6291457 byte payload is too large") as caught:
        check_payload(b'"' + b"x" * (PAYLOAD_BYTES_MAX - 1) + b'"')
    assert caught.value.reason == "REQUEST_TOO_LARGE"


def test_an_event_of_exactly_six_megabytes_is_taken():
    assert check_payload(b'"' + b"x" * (PAYLOAD_BYTES_MAX - 2) + b'"') is None


def test_a_client_context_is_json_of_at_most_3583_encoded_bytes():
    check_client_context("")
    check_client_context('{"client": {}}')
    with pytest.raises(InvalidArgumentError, match="3583 bytes"):
        check_client_context('"' + "x" * 3000 + '"')
    with pytest.raises(InvalidArgumentError, match="valid JSON"):
        check_client_context("{")


@pytest.mark.parametrize("context", ["[]", '"text"', "1", "null", "true"])
def test_a_client_context_that_is_no_object_is_refused(context):
    with pytest.raises(InvalidArgumentError, match="must be a valid JSON object") as caught:
        check_client_context(context)
    assert caught.value.reason == "INVALID_REQUEST_CONTENT"
