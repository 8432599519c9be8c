"""The checker of answers sees what clients stricter than boto3 would stumble over."""

from __future__ import annotations

import json

import botocore.session
import pytest

from tests.compat.contract import complaints

MODEL = botocore.session.get_session().get_service_model("lambda")
ID = "0b9ec6a5-7a44-4a3c-9a0b-0a4f1c1f6a10"
ALIAS = {
    "AliasArn": "arn:aws:lambda:us-east-1:000000000000:function:f:live",
    "Name": "live",
    "FunctionVersion": "1",
    "RevisionId": ID,
}


def seen(
    document: object,
    *,
    operation: str = "GetAlias",
    status: int = 200,
    headers: dict[str, str] | None = None,
) -> list[str]:
    """What the checker says of an answer."""
    given = {"x-amzn-RequestId": ID, "Content-Type": "application/json", **(headers or {})}
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return complaints(MODEL.operation_model(operation), status, given, body)


def test_an_answer_as_the_model_has_it_passes() -> None:
    assert seen(ALIAS) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"Colour": "red"}, ".Colour is not in the model"),
        ({"Name": 3}, ".Name is no string"),
        ({"Name": None}, ".Name is no string"),
        ({"FunctionVersion": "one!"}, "does not match"),
        ({"RoutingConfig": []}, ".RoutingConfig is no object"),
        ({"RoutingConfig": {"AdditionalVersionWeights": {"2": "0.5"}}}, "is no double"),
        ({"RoutingConfig": {"AdditionalVersionWeights": {"2": 1.5}}}, "outside 0.0 to 1.0"),
    ],
    ids=str,
)
def test_a_wrong_member_is_seen(change: dict[str, object], said: str) -> None:
    (found,) = seen({**ALIAS, **change})
    assert said in found


def test_a_wrong_envelope_is_seen() -> None:
    assert "status 201 instead of 200" in seen(ALIAS, status=201)[0]
    assert "is no JSON" in seen(b"<Alias/>")[0]
    assert "content type" in seen(ALIAS, headers={"Content-Type": "text/plain"})[0]
    assert "no UUID" in seen(ALIAS, headers={"x-amzn-RequestId": "1"})[0]
    assert "a body where the model has none" in seen(ALIAS, operation="DeleteAlias", status=204)[0]


def test_an_error_must_be_one_that_the_operation_declares() -> None:
    def error(name: str, status: int, body: object) -> list[str]:
        return seen(body, status=status, headers={"x-amzn-ErrorType": name})

    body = {"Type": "User", "Message": "Cannot find alias arn: x"}
    assert error("ResourceNotFoundException", 404, body) == []
    assert "instead of 404" in error("ResourceNotFoundException", 400, body)[0]
    assert "neither this operation" in error("PreconditionFailedException", 412, body)[0]
    misnamed = {"Type": "User", "text": "x"}
    assert "not in the model" in error("ResourceNotFoundException", 404, misnamed)[0]
    assert error("ValidationException", 400, {"message": "1 validation error detected"}) == []
