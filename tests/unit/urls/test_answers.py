"""What functions return, as HTTP answers."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.api.urls.answers import MalformedAnswerError, answer_of
from controlplane.api.urls.preludes import PRELUDE_BYTES_MAX, PreludeReader

JSON = "application/json"


def returned(value: object):
    return answer_of(json.dumps(value).encode(), JSON)


@pytest.mark.parametrize(
    ("value", "body"),
    [
        ({"hello": "world"}, b'{"hello":"world"}'),
        ("hello", b"hello"),
        (["hello", 3, True], b'["hello",3,true]'),
        (3, b"3"),
        (3.1, b"3.1"),
        (True, b"true"),
        (None, b"null"),
        ({"status": 404}, b'{"status":404}'),
    ],
)
def test_a_value_without_a_status_is_the_body(value, body):
    answer = returned(value)
    assert (answer.status, answer.body) == (200, body)
    assert answer.headers == (("Content-Type", JSON),)


def test_status_headers_cookies_and_body_are_taken():
    answer = returned(
        {
            "statusCode": 418,
            "headers": {"content-type": "text/html", "X-N": 5, "X-B": True},
            "cookies": ["a=1; Path=/", "b=2"],
            "body": "<p>é",
        }
    )
    assert (answer.status, answer.body) == (418, "<p>é".encode())
    assert answer.headers == (
        ("content-type", "text/html"),
        ("X-N", "5"),
        ("X-B", "true"),
        ("Set-Cookie", "a=1; Path=/"),
        ("Set-Cookie", "b=2"),
    )


@pytest.mark.parametrize(
    ("value", "body"),
    [
        ({"statusCode": 200}, b""),
        ({"statusCode": "204", "body": None}, b""),
        ({"statusCode": 200, "body": "aGk=", "isBase64Encoded": True}, b"hi"),
        ({"statusCode": 200, "body": {"a": 1}}, b'{"a":1}'),
        ({"statusCode": 200.0, "body": ""}, b""),
    ],
)
def test_a_body_may_be_missing_in_base64_or_an_object(value, body):
    assert returned(value).body == body


def test_how_an_answer_travels_is_not_the_functions_to_say():
    answer = returned(
        {"statusCode": 200, "headers": {"Content-Length": "5", "Transfer-Encoding": "x"}}
    )
    assert answer.headers == (("Content-Type", JSON),)


@pytest.mark.parametrize(
    "value",
    [
        {"statusCode": 99},
        {"statusCode": 1000},
        {"statusCode": "ok"},
        {"statusCode": None},
        {"statusCode": True},
        {"statusCode": 101},
        {"statusCode": 200, "headers": ["a"]},
        {"statusCode": 200, "headers": {"a b": "c"}},
        {"statusCode": 200, "headers": {"a": "b\r\nSet-Cookie: c"}},
        {"statusCode": 200, "headers": {"a": "\ud800"}},
        {"statusCode": 200, "cookies": "a=b"},
        {"statusCode": 200, "cookies": ["a\n"]},
        {"statusCode": 200, "body": "!", "isBase64Encoded": True},
    ],
)
def test_an_answer_that_is_none_is_refused_as_a_whole(value):
    with pytest.raises(MalformedAnswerError):
        returned(value)


def test_bytes_that_are_no_json_are_the_body_of_the_type_that_the_runtime_says():
    assert answer_of(b"\xff\x00", "application/unknown").headers == (
        ("Content-Type", "application/octet-stream"),
    )
    answer = answer_of(b"plain", "text/plain")
    assert (answer.headers, answer.body) == ((("Content-Type", "text/plain"),), b"plain")


HEAD = b'{"statusCode":201,"headers":{"X":"y"},"cookies":["a=b"]}'


@given(st.lists(st.integers(min_value=1, max_value=len(HEAD) + 12), max_size=6))
def test_a_prelude_is_found_however_it_is_cut(cuts):
    whole = HEAD + bytes(8) + b"body"
    reader, got = PreludeReader(), None
    edges = sorted({0, len(whole), *(cut for cut in cuts if cut < len(whole))})
    rest = b""
    for start, end in pairwise(edges):
        piece = whole[start:end]
        if got is None:
            got = reader.feed(piece)
            rest = got[1] if got else b""
        else:
            rest += piece
    assert got is not None
    assert (got[0].status, rest) == (201, b"body")
    assert got[0].headers == (
        ("X", "y"),
        ("Content-Type", "application/octet-stream"),
        ("Set-Cookie", "a=b"),
    )


@pytest.mark.parametrize(
    "raw", [b"no json", b"[]", b'{"statusCode":7}', b"x" * (PRELUDE_BYTES_MAX + 1)]
)
def test_what_is_no_prelude_is_refused(raw):
    ended = raw if len(raw) > PRELUDE_BYTES_MAX else raw + bytes(8)
    with pytest.raises(MalformedAnswerError):
        PreludeReader().feed(ended)


def test_a_prelude_without_a_status_means_200():
    read = PreludeReader().feed(b'{"headers":{"Content-Type":"text/html"}}' + bytes(8))
    assert read is not None
    assert (read[0].status, read[0].headers) == (200, (("Content-Type", "text/html"),))


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=6,
)


@given(
    st.dictionaries(
        st.sampled_from(["statusCode", "headers", "cookies", "body", "isBase64Encoded"]), VALUES
    )
    | st.binary(max_size=50)
)
def test_whatever_a_function_returns_is_an_answer_that_can_be_sent_or_a_malformed_one(value):
    payload = value if isinstance(value, bytes) else json.dumps(value).encode()
    try:
        answer = answer_of(payload, JSON)
    except MalformedAnswerError:
        return
    assert 200 <= answer.status <= 599
    for name, text in answer.headers:
        assert not set("\r\n\0") & set(name + text)
        assert text.encode() is not None
