"""What cannot be read as its type is refused, and nothing that a caller sends breaks the reader."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.api.aws.forms import parse_form
from controlplane.api.aws.model import load_model
from controlplane.api.aws.parsing import Parts, parse_rest
from controlplane.api.aws.values import decode_base64, from_json, from_text
from emberd.wire.errors import InvalidArgumentError

LAMBDA = load_model("lambda")


def create(body):
    """Read the body of a CreateFunction."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    parts = Parts(uri={}, query=[], headers={}, body=raw)
    return parse_rest(LAMBDA.operation("CreateFunction"), parts)


def refusal(body):
    with pytest.raises(InvalidArgumentError) as refused:
        create(body)
    assert refused.value.reason == "SERIALIZATION"
    return refused.value.message


def test_null_and_what_the_model_does_not_know_are_left_out():
    assert create({"FunctionName": "a", "Role": None, "Nonsense": {"x": 1}}) == {
        "FunctionName": "a"
    }


def test_an_empty_body_is_an_empty_input():
    assert create(b"") == create(b" \n") == create(b"null") == create({}) == {}


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"nonsense",
        b"\xff\xfe{}",
        b'{"FunctionName": "\xff"}',
        b'{"Timeout": NaN}',
        b'{"Timeout": -Infinity}',
        b"[" * 1_000_000,
        b'{"a":' * 100_000,
        b'{"Timeout": ' + b"9" * 10_000 + b"}",
    ],
    ids=["cut", "words", "utf-16", "latin-1", "nan", "infinity", "lists", "objects", "digits"],
)
def test_what_is_no_json_is_refused_without_quoting_it(body):
    assert refusal(body) == "Could not parse request body into json"


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"FunctionName": 1}, "NUMBER_VALUE cannot be converted to String"),
        ({"FunctionName": 1.5}, "DECIMAL_VALUE cannot be converted to String"),
        ({"FunctionName": True}, "BOOLEAN_VALUE cannot be converted to String"),
        ({"FunctionName": ["a"]}, "Start of list found where not expected."),
        ({"FunctionName": {}}, "Start of structure or map found where not expected."),
        ({"Timeout": "3"}, "STRING_VALUE cannot be converted to Integer"),
        ({"Timeout": 1.5}, "DECIMAL_VALUE cannot be converted to Integer"),
        ({"Timeout": True}, "BOOLEAN_VALUE cannot be converted to Integer"),
        ({"Timeout": 2**31}, "Numeric value out of range of Integer"),
        ({"Publish": "true"}, "STRING_VALUE cannot be converted to Boolean"),
        ({"Publish": 1}, "NUMBER_VALUE cannot be converted to Boolean"),
        ({"Layers": {}}, "Expected list or null"),
        ({"Layers": "a"}, "Expected list or null"),
        ({"Tags": []}, "Expected map or null"),
        ({"Code": "a"}, "STRING_VALUE cannot be converted to Structure"),
        ({"Code": []}, "Start of list found where not expected."),
        ({"Code": {"ZipFile": "no base64!"}}, "Could not decode base64 value"),
        ({"Code": {"ZipFile": "YQ"}}, "Could not decode base64 value"),
        ({"Code": {"ZipFile": 1}}, "NUMBER_VALUE cannot be converted to Blob"),
        ([], "Start of list found where not expected."),
        ("text", "STRING_VALUE cannot be converted to Structure"),
        ({"FunctionName": "\ud800"}, "Invalid UTF-8 in a string"),
        ({"Tags": {"\ud800": "x"}}, "Invalid UTF-8 in a string"),
    ],
)
def test_a_value_of_another_type_is_refused(body, told):
    assert refusal(body) == told


def test_a_whole_number_may_be_written_with_a_point():
    assert create({"Timeout": 3.0}) == {"Timeout": 3}


def test_a_number_beyond_every_double_is_refused():
    weight = LAMBDA.shape("Weight")
    with pytest.raises(InvalidArgumentError):
        from_json(10**400, weight)


@pytest.mark.parametrize("text", ["1e5", "0x10", "1_000", "\u0661", " 1", "9" * 30, "--1"])
def test_a_number_in_a_path_is_written_with_digits_only(text):
    with pytest.raises(InvalidArgumentError):
        from_text(text, LAMBDA.shape("LayerVersionNumber"), "")


@pytest.mark.parametrize(
    "text", ["tomorrow", "2026-13-01", "9" * 400, "0001-01-01T00:00:00+23:59", "2026-01-01T99"]
)
def test_a_time_that_is_none_is_refused(text):
    with pytest.raises(InvalidArgumentError):
        from_text(text, LAMBDA.shape("ExecutionTimestamp"), "date-time")


@pytest.mark.parametrize("value", [-1, 1e300, True, [], {}])
def test_a_time_in_json_is_seconds_since_the_epoch(value):
    shape = LAMBDA.shape("Date")
    assert from_json(1.5, shape) == datetime(1970, 1, 1, 0, 0, 1, 500_000, UTC)
    with pytest.raises(InvalidArgumentError):
        from_json(value, shape)


def test_a_repeated_field_of_a_query_is_a_list_only_where_the_model_says():
    query = [("tagKeys", "a"), ("tagKeys", "b")]
    parts = Parts(uri={"Resource": "r"}, query=query, headers={}, body=b"")
    assert parse_rest(LAMBDA.operation("UntagResource"), parts) == {
        "Resource": "r",
        "TagKeys": ["a", "b"],
    }
    query = [("MaxItems", "1"), ("MaxItems", "2"), ("Marker", ""), ("Unknown", "x")]
    parts = Parts(uri={}, query=query, headers={}, body=b"ignored, and no JSON")
    assert parse_rest(LAMBDA.operation("ListFunctions"), parts) == {"MaxItems": 2, "Marker": ""}


def test_an_event_is_left_as_it_came():
    parts = Parts(uri={"FunctionName": "f"}, query=[], headers={}, body=b"\xff no JSON")
    assert parse_rest(LAMBDA.operation("Invoke"), parts)["Payload"] == b"\xff no JSON"


@pytest.mark.parametrize(
    "fields",
    [
        [("Tags.member.x.Key", "a")],
        [("Tags.member.1234567.Key", "a")],
        [("Tags.member", "a")],
        [("Tags", "a")],
        [("RoleName.member.1", "a")],
        [("Tags.member.1.Key", "b"), ("Tags.member.1", "c")],
    ],
)
def test_a_form_that_does_not_fit_its_shape_is_refused(fields):
    with pytest.raises(InvalidArgumentError) as refused:
        parse_form(load_model("iam").operation("TagRole").input, fields)
    assert refused.value.reason == "SERIALIZATION"


@pytest.mark.parametrize("name", ["." * 1000, "", "Unknown.member.1", "RoleName."])
def test_a_field_of_a_form_that_nobody_knows_is_passed_over(name):
    fields = [
        (name, "a"),
        ("RoleName", "r"),
        ("Tags.member.2.Key", "b"),
        ("Tags.member.1.Key", "a"),
    ]
    assert parse_form(load_model("iam").operation("TagRole").input, fields) == {
        "RoleName": "r",
        "Tags": [{"Key": "a"}, {"Key": "b"}],
    }


@given(st.binary(max_size=100), st.integers(1, 40))
def test_base64_is_decoded_in_pieces_as_in_one(raw, quads):
    assert decode_base64(base64.b64encode(raw).decode(), 4 * quads) == raw


@pytest.mark.parametrize("piece", [4, 8, 1024])
@pytest.mark.parametrize(
    "text", ["YQ", "YQ==YQ==", "YWI=YWI=", "YWJj\n", "YWJj=", "Y===", "é", "=" * 4]
)
def test_what_is_not_base64_to_the_letter_is_refused(text, piece):
    with pytest.raises(InvalidArgumentError):
        decode_base64(text, piece)
