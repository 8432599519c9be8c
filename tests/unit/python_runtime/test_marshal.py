"""Events in, results out: the same bytes as Lambda's own runtime, which stands beside ours here."""

from __future__ import annotations

import collections
import datetime
import decimal
import enum
import json
import math

import pytest
from awslambdaric.lambda_runtime_exception import FaultException
from awslambdaric.lambda_runtime_marshaller import LambdaMarshaller
from hypothesis import given
from hypothesis import strategies as st

from runtimes.python.emberd_runtime import Fault, marshal
from runtimes.python.emberd_runtime.marshal import Marshaller

READABLE, ESCAPING = "AWS_Lambda_python3.13", "AWS_Lambda_python3.11"

Point = collections.namedtuple("Point", ["x", "y"])


class Colour(enum.IntEnum):
    RED = 1


scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(exclude_categories=["Cs"]))
    | st.decimals()
    | st.text(st.characters(exclude_categories=["Cs"])).map(str.encode)
    | st.sampled_from([Colour.RED])
)
keys = st.text(st.characters(exclude_categories=["Cs"])) | st.integers() | st.booleans() | st.none()
results = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner)
        | st.lists(inner).map(tuple)
        | st.dictionaries(keys, inner)
        | st.dictionaries(st.text("ab").map(str.encode), inner)
        | st.tuples(inner, inner).map(lambda pair: Point(*pair))
    ),
    max_leaves=15,
).filter(lambda value: not isinstance(value, bytes))


@pytest.mark.parametrize("runtime", [READABLE, ESCAPING, ""])
def test_any_result_is_written_as_lambda_writes_it(runtime: str):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_EXECUTION_ENV", runtime)
        ours, lambdas = Marshaller(), LambdaMarshaller()

    @given(results)
    def check(value: object) -> None:
        body, content_type = ours.result(value)
        expected, expected_type = lambdas.marshal_response(value)
        assert body.decode() == expected
        assert content_type == expected_type

    check()


@pytest.mark.parametrize(
    "value",
    [
        {1, 2},
        datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC),
        {"deep": [{"deeper": object}]},
        bytearray(b"x"),
        (number for number in ()),
        {(1, 2): 3},
    ],
)
def test_what_json_cannot_hold_is_named_in_lambdas_words(value: object):
    with pytest.raises(Fault) as ours:
        Marshaller().result(value)
    with pytest.raises(FaultException) as lambdas:
        LambdaMarshaller().marshal_response(value)
    assert ours.value.error_type == lambdas.value.exception_type == "Runtime.MarshalError"
    assert ours.value.message == lambdas.value.msg


def test_a_result_that_contains_itself_is_a_marshal_error():
    loop: list[object] = []
    loop.append(loop)
    with pytest.raises(Fault, match="Circular reference detected"):
        Marshaller().result(loop)


def test_a_result_too_deep_is_a_marshal_error():
    deep: list[object] = []
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(Fault, match="maximum recursion depth"):
        Marshaller().result(deep)


def test_half_a_surrogate_pair_is_a_marshal_error_and_no_crash(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("AWS_EXECUTION_ENV", READABLE)
    with pytest.raises(Fault, match="surrogates not allowed"):
        Marshaller().result("\ud800")


def test_bytes_leave_as_they_are():
    assert Marshaller().result(b"\x00\xff") == (b"\x00\xff", "application/unknown")


def test_text_that_looks_like_a_marked_number_stays_text():
    body, _ = Marshaller().result({"a": decimal.Decimal("1.50"), "b": '"1.50"', "c": "1.50"})
    assert body == b'{"a": 1.50, "b": "\\"1.50\\"", "c": "1.50"}'


@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        b' \n[1, 2.5, "\\u00e9", null] ',
        b'{"a":1,"a":2}',
        b"123456789012345678901234567890",
        b"\xef\xbb\xbf[]",
        '"é"'.encode(),
    ],
)
def test_an_event_is_read_as_lambda_reads_it(body: bytes):
    assert Marshaller().event(body, "application/json") == LambdaMarshaller().unmarshal_request(
        body
    )


@given(
    st.recursive(scalars.filter(lambda x: not isinstance(x, (bytes, decimal.Decimal))), st.lists)
)
def test_every_json_event_arrives_as_the_value_it_stands_for(value: object):
    text = json.dumps(value)
    if "NaN" in text or "Infinity" in text:
        text = '"left out: not JSON"'
    assert Marshaller().event(text.encode(), "application/json") == json.loads(text)


@pytest.mark.parametrize("body", [b"", b"nul", b'{"a":1}x', b"\xff", b"[NaN]", b'"\x01"', b"[1,"])
def test_what_is_no_json_is_an_unmarshal_error_for_both(body: bytes):
    with pytest.raises(Fault) as ours:
        Marshaller().event(body, "application/json")
    with pytest.raises(FaultException) as lambdas:
        LambdaMarshaller().unmarshal_request(body)
    assert ours.value.error_type == lambdas.value.exception_type == "Runtime.UnmarshalError"
    assert ours.value.message.startswith("Unable to unmarshal input: ")


@pytest.mark.parametrize("content_type", ["application/octet-stream", None])
def test_an_event_of_another_type_arrives_as_bytes(content_type: str | None):
    assert Marshaller().event(b"{}", content_type) == b"{}"


def test_without_the_c_parts_the_public_json_does_the_same(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("AWS_EXECUTION_ENV", READABLE)
    value = {"a": decimal.Decimal("1.5"), "é": [Point(1, b"x"), math.inf]}
    expected = Marshaller().result(value)
    monkeypatch.setitem(__import__("sys").modules, "_json", None)
    plain = Marshaller()
    assert plain._encode.__name__ == "public"
    assert plain.result(value) == expected
    assert plain.event(b' {"a": [1]} ', "application/json") == {"a": [1]}
    with pytest.raises(Fault):
        plain.event(b"nul", "application/json")


def test_a_header_is_ascii_and_one_line_whatever_the_runtime(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("AWS_EXECUTION_ENV", READABLE)
    header = Marshaller().header({"message": "é\n€"})
    assert header == '{"message": "\\u00e9\\n\\u20ac"}'


def test_the_module_knows_which_runtimes_write_readable_json():
    assert READABLE in marshal._READABLE
    assert ESCAPING not in marshal._READABLE
