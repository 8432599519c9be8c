"""Every form of a function reference that Lambda takes, and the words it refuses others with."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.model.ids import ArnScheme
from emberd.wire.errors import DeniedError, EmberdError, InvalidArgumentError, NotFoundError

ARNS = ArnScheme(region="us-east-1", account_id="000000000000")
ARN = "arn:aws:lambda:us-east-1:000000000000:function:thumb"


@pytest.mark.parametrize(
    "text",
    ["thumb", "function:thumb", "000000000000:function:thumb", "us-east-1:thumb", ARN],
)
def test_every_form_of_a_name_is_read(text):
    assert ARNS.parse(text).name == "thumb"
    assert ARNS.parse(text).qualifier == ""
    assert ARNS.parse(text).version_or_alias == "$LATEST"
    assert ARNS.parse_unqualified(text) == "thumb"


@pytest.mark.parametrize("qualifier", ["$LATEST", "7", "live-1_b"])
@pytest.mark.parametrize("text", ["thumb", "000000000000:function:thumb", ARN])
def test_a_qualifier_may_stand_in_the_name_or_beside_it_or_both(text, qualifier):
    inside = ARNS.parse(f"{text}:{qualifier}")
    assert inside.qualifier == qualifier
    assert ARNS.parse(text, qualifier) == inside
    assert ARNS.parse(f"{text}:{qualifier}", qualifier) == inside


def test_two_different_qualifiers_are_refused():
    with pytest.raises(InvalidArgumentError) as refused:
        ARNS.parse("thumb:1", "2")
    assert refused.value.message == (
        "The derived qualifier from the function name does not match the specified qualifier."
    )
    assert refused.value.reason == "INVALID_PARAMETER_VALUE"


@pytest.mark.parametrize(
    "text", ["", "a b", "invalid:function:name", "thumb:", "ü", "a.b", "thumb:$OTHER", ARN + "\n"]
)
def test_what_is_no_reference_is_refused_with_the_pattern(text):
    with pytest.raises(InvalidArgumentError) as refused:
        ARNS.parse(text)
    assert refused.value.message == (
        f"1 validation error detected: Value '{text}' at 'functionName' failed to satisfy "
        "constraint: Member must satisfy regular expression pattern: "
        r"(arn:(aws[a-zA-Z-]*)?:lambda:)?((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:)?"
        r"(\d{12}:)?(function:)?([a-zA-Z0-9-_]+)(:(\$LATEST|[a-zA-Z0-9-_]+))?"
    )
    assert refused.value.reason == "VALIDATION"


@pytest.mark.parametrize("text", ["a" * 65, ARN.replace("thumb", "a" * 65)])
def test_a_name_of_more_than_64_characters_is_refused(text):
    with pytest.raises(InvalidArgumentError) as refused:
        ARNS.parse(text)
    assert refused.value.message == (
        f"1 validation error detected: Value '{'a' * 65}' at 'functionName' failed to satisfy "
        "constraint: Member must have length less than or equal to 64"
    )
    assert refused.value.reason == "INVALID_PARAMETER_VALUE"


def test_a_name_of_64_characters_is_taken():
    assert ARNS.parse("a" * 64).name == "a" * 64


def test_an_arn_of_more_than_140_characters_is_refused():
    with pytest.raises(InvalidArgumentError) as refused:
        ARNS.parse(ARN.replace("thumb", "a" * 100))
    assert refused.value.message.endswith("Member must have length less than or equal to 140")
    assert refused.value.reason == "VALIDATION"


def test_another_region_is_not_reachable():
    with pytest.raises(NotFoundError) as refused:
        ARNS.parse("arn:aws:lambda:eu-west-1:000000000000:function:thumb")
    assert refused.value.message == (
        "Functions from 'eu-west-1' are not reachable in this region ('us-east-1')"
    )


def test_another_account_is_denied():
    with pytest.raises(DeniedError) as refused:
        ARNS.parse("123456789012:function:thumb")
    assert refused.value.reason == "ACCESS_DENIED"
    assert "123456789012" in refused.value.message


@pytest.mark.parametrize("qualifier", ["a b", "x" * 129, "a.b", "é"])
def test_a_malformed_qualifier_is_refused(qualifier):
    with pytest.raises(InvalidArgumentError) as refused:
        ARNS.parse("thumb", qualifier)
    assert "at 'qualifier' failed to satisfy constraint" in refused.value.message


@pytest.mark.parametrize("text", ["thumb:1", "thumb:$LATEST", ARN + ":live"])
def test_a_qualified_reference_does_not_name_a_function_as_a_whole(text):
    with pytest.raises(InvalidArgumentError) as refused:
        ARNS.parse_unqualified(text)
    assert refused.value.message.startswith("This operation is permitted on Lambda functions only.")


def test_an_error_shows_the_beginning_of_a_long_value_only():
    with pytest.raises(InvalidArgumentError) as refused:
        ARNS.parse("!" * 100_000)
    assert len(refused.value.message) < 1_000


@given(st.text(max_size=200), st.text(max_size=20))
def test_any_text_is_either_read_or_refused_and_what_is_read_makes_the_same_arn(text, qualifier):
    try:
        reference = ARNS.parse(text, qualifier)
    except EmberdError:
        return
    arn = ARNS.function_arn(reference.name, reference.qualifier)
    assert ARNS.parse(arn) == reference
