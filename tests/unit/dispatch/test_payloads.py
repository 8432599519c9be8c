"""What is refused before anything runs."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

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
    for no_object in ("{", "[]", "1", "null", '"text"', "\ud800"):
        with pytest.raises(InvalidArgumentError, match="valid Base64-encoded JSON object"):
            check_client_context(no_object)


REDACTED = "[Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); "
VALUE = "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')"


@pytest.mark.parametrize(
    ("payload", "message", "line", "column"),
    [
        # These two are recorded from AWS.
        (b'"\x87"', "Invalid UTF-8 start byte 0x87", 1, 3),
        (
            b"\x99",
            f"Unexpected character ((CTRL-CHAR, code 153)): expected a valid value {VALUE}",
            1,
            1,
        ),
        # The others follow the same parser's rules.
        (b'{"a": "\xc3("}', "Invalid UTF-8 middle byte 0x28", 1, 10),
        (b" ", "No content to map due to end-of-input", 1, 1),
        (
            b"{\n a}",
            "Unexpected character ('a' (code 97)): was expecting double-quote to start field name",
            2,
            2,
        ),
        (b"[1, hello]", f"Unrecognized token 'hello': was expecting {VALUE}", 1, 5),
        (b'{"a": "b', "Unexpected end-of-input", 1, 9),
        (
            b'{"a" 1}',
            "Unexpected character ('1' (code 49)): was expecting a colon to separate field name "
            "and value",
            1,
            6,
        ),
        (
            '{"a": \u20ac}'.encode(),
            f"Unexpected character ('\u20ac' (code 8364 / 0x20ac)): expected a valid value {VALUE}",
            1,
            7,
        ),
    ],
)
def test_what_is_no_json_is_told_in_the_words_of_awss_parser(payload, message, line, column):
    with pytest.raises(InvalidArgumentError) as caught:
        check_payload(payload)
    assert caught.value.message == (
        "Could not parse request body into json: Could not parse payload into json: "
        f"{message}\n at {REDACTED}line: {line}, column: {column}]"
    )


@given(st.binary(max_size=60))
def test_whatever_comes_is_taken_or_refused_and_nothing_else(payload):
    taken = not payload or _is_json(payload)
    if taken:
        assert check_payload(payload) is None
        return
    with pytest.raises(InvalidArgumentError) as caught:
        check_payload(payload)
    assert caught.value.reason == "INVALID_REQUEST_CONTENT"


def _is_json(payload: bytes) -> bool:
    try:
        json.loads(payload.decode(), parse_constant=_no_constant)
    except ValueError:
        return False
    return True


def _no_constant(name: str) -> None:
    raise ValueError(name)
