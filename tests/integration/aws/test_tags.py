"""Tags over boto3, in the words recorded from AWS."""

from __future__ import annotations

import pytest

from tests.fakes.archives import package
from tests.fakes.aws_system import ROLE
from tests.fakes.refusals import refusal

PLACE = "arn:aws:lambda:us-east-1:000000000000"
ARN = f"{PLACE}:function:thumb"
PROFILES = {"SigningProfileVersionArns": ["arn:aws:signer:us-east-1:000000000000:/p/test"]}


@pytest.fixture(autouse=True)
def function(aws):
    return aws.create_function("thumb", publish=True)


@pytest.fixture(params=["function", "code-signing-config"])
def resource(request, client):
    """Something that may have tags."""
    if request.param == "function":
        return ARN
    made = client.create_code_signing_config(AllowedPublishers=PROFILES)
    return made["CodeSigningConfig"]["CodeSigningConfigArn"]


def test_tags_are_set_replaced_and_removed(client, resource):
    def tags():
        return client.list_tags(Resource=resource)["Tags"]

    assert tags() == {}
    done = client.tag_resource(Resource=resource, Tags={"A": "a", "B": "b"})
    assert done["ResponseMetadata"]["HTTPStatusCode"] == 204
    client.tag_resource(Resource=resource, Tags={"B": "b2", "C": "c"})
    assert tags() == {"A": "a", "B": "b2", "C": "c"}
    done = client.untag_resource(Resource=resource, TagKeys=["A", "F"])
    assert done["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert tags() == {"B": "b2", "C": "c"}


def test_a_resource_has_50_tags_and_no_more(client, resource):
    many = {f"{number}_key": f"{number}_value" for number in range(51)}
    limit = ("InvalidParameterValueException", 400, "Number of tags exceeds resource tag limit.")
    assert refusal(client.tag_resource, Resource=resource, Tags=many) == limit
    del many["50_key"]
    client.tag_resource(Resource=resource, Tags=many)
    assert client.list_tags(Resource=resource)["Tags"] == many
    assert refusal(client.tag_resource, Resource=resource, Tags={"new": ""}) == limit


def test_refusals_are_lambdas(client):
    invalid, missing = "InvalidParameterValueException", "ResourceNotFoundException"
    for qualifier in ("1", "$LATEST", "live"):
        assert refusal(client.tag_resource, Resource=f"{ARN}:{qualifier}", Tags={"A": "a"}) == (
            invalid,
            400,
            "Tags on function aliases and versions are not supported. Please specify a function "
            "ARN.",
        )
    assert refusal(client.tag_resource, Resource=ARN, Tags={}) == (
        invalid,
        400,
        "An error occurred and the request cannot be processed.",
    )
    nope = f"{PLACE}:function:nope"
    for call in (
        lambda: client.tag_resource(Resource=nope, Tags={"A": "a"}),
        lambda: client.untag_resource(Resource=nope, TagKeys=["A"]),
        lambda: client.list_tags(Resource=nope),
    ):
        assert refusal(call) == (missing, 404, f"Function not found: {nope}")
    for kind, words in (
        ("event-source-mapping:12345678-1234-1234-1234-123456789012", "Event source mapping"),
        ("capacity-provider:nope", "Capacity provider"),
    ):
        arn = f"{PLACE}:{kind}"
        assert refusal(client.list_tags, Resource=arn) == (
            missing,
            404,
            f"{words} not found: {arn}",
        )


def test_keys_to_remove_must_be_given(client):
    assert refusal(client.untag_resource, Resource=ARN, TagKeys=[]) == (
        "ValidationException",
        400,
        "1 validation error detected: Value null at 'tagKeys' failed to satisfy constraint: "
        "Member must not be null",
    )


def test_what_is_no_arn_of_ours_breaks_the_pattern(client):
    code, status, message = refusal(client.list_tags, Resource=f"{PLACE}:foobar:x")
    assert (code, status) == ("ValidationException", 400)
    assert message.startswith(
        f"1 validation error detected: Value '{PLACE}:foobar:x' at 'resource' failed to satisfy "
        "constraint: Member must satisfy regular expression pattern: arn:(aws[a-zA-Z-]*):lambda:"
    )


def test_a_function_is_made_with_its_tags(client):
    made = {
        "FunctionName": "new",
        "Role": ROLE,
        "Runtime": "python3.12",
        "Handler": "app.handler",
        "Code": {"ZipFile": package()},
    }
    many = {f"{number}_key": "" for number in range(51)}
    limit = ("InvalidParameterValueException", 400, "Number of tags exceeds resource tag limit.")
    assert refusal(client.create_function, **made, Tags=many) == limit
    client.create_function(**made, Tags={"team": "blue"})
    assert client.list_tags(Resource=f"{PLACE}:function:new")["Tags"] == {"team": "blue"}
    assert client.get_function(FunctionName="new")["Tags"] == {"team": "blue"}
