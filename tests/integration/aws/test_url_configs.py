"""Function URL configurations over boto3, in the words recorded from AWS."""

from __future__ import annotations

import re
from datetime import datetime

import pytest

from controlplane.api.aws.operations.urls import url_of
from tests.fakes.refusals import content, refusal

ARN = "arn:aws:lambda:us-east-1:000000000000:function:thumb"
NOT_THERE = ("ResourceNotFoundException", 404, "The resource you requested does not exist.")
NO_FUNCTION = ("ResourceNotFoundException", 404, "Function does not exist")


@pytest.fixture(autouse=True)
def function(aws, client):
    aws.create_function("thumb", publish=True)
    client.create_alias(FunctionName="thumb", Name="live", FunctionVersion="1")


def create(client, **parameters):
    parameters = {"FunctionName": "thumb", "AuthType": "NONE", **parameters}
    return client.create_function_url_config(**parameters)


def test_a_url_is_made_changed_and_taken_away(aws, client):
    made = create(client)
    assert made["ResponseMetadata"]["HTTPStatusCode"] == 201
    assert content(made).keys() == {"FunctionUrl", "FunctionArn", "AuthType", "CreationTime"}
    assert made["FunctionArn"] == ARN
    port = aws.endpoint.rpartition(":")[2]
    form = rf"http://[a-z0-9]{{32}}\.lambda-url\.us-east-1\.localhost:{port}/"
    assert re.fullmatch(form, made["FunctionUrl"])
    assert datetime.fromisoformat(made["CreationTime"])

    found = client.get_function_url_config(FunctionName="thumb")
    assert content(found) == content(made) | {
        "InvokeMode": "BUFFERED",
        "LastModifiedTime": made["CreationTime"],
    }
    cors = {"AllowOrigins": ["*"], "AllowCredentials": False, "MaxAge": 0}
    changed = client.update_function_url_config(FunctionName="thumb", AuthType="AWS_IAM", Cors=cors)
    assert (changed["AuthType"], changed["Cors"]) == ("AWS_IAM", cors)
    assert changed["FunctionUrl"] == made["FunctionUrl"]
    assert changed["LastModifiedTime"] > changed["CreationTime"] == made["CreationTime"]
    changed = client.update_function_url_config(FunctionName="thumb", InvokeMode="RESPONSE_STREAM")
    assert (changed["InvokeMode"], changed["Cors"]) == ("RESPONSE_STREAM", cors)
    assert "Cors" not in client.update_function_url_config(FunctionName="thumb", Cors={})

    gone = client.delete_function_url_config(FunctionName="thumb")
    assert gone["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert refusal(client.get_function_url_config, FunctionName="thumb") == NOT_THERE
    assert create(client)["FunctionUrl"] != made["FunctionUrl"]


def test_the_answer_to_a_creation_says_the_mode_that_was_asked_for(client):
    assert create(client, InvokeMode="BUFFERED")["InvokeMode"] == "BUFFERED"


def test_there_is_one_url_for_each_alias_and_one_for_the_function(aws, client):
    assert content(client.list_function_url_configs(FunctionName="thumb")) == {
        "FunctionUrlConfigs": []
    }
    whole = create(client)
    alias = create(client, FunctionName="thumb:live", Qualifier="live")
    assert alias["FunctionArn"] == f"{ARN}:live"
    for arn, qualified in ((ARN, {}), (f"{ARN}:live", {"Qualifier": "live"})):
        assert refusal(create, client=client, **qualified) == (
            "ResourceConflictException",
            409,
            f"Failed to create function url config for [functionArn = {arn}]. Error message:  "
            "FunctionUrlConfig exists for this Lambda function",
        )

    def page(**parameters):
        answer = client.list_function_url_configs(FunctionName="thumb", **parameters)
        urls = [each["FunctionUrl"] for each in answer["FunctionUrlConfigs"]]
        return urls, answer.get("NextMarker")

    assert page() == ([whole["FunctionUrl"], alias["FunctionUrl"]], None)
    first, marker = page(MaxItems=1)
    assert first == [whole["FunctionUrl"]]
    assert page(MaxItems=1, Marker=marker) == ([alias["FunctionUrl"]], None)

    url_id = re.split(r"[/.]", alias["FunctionUrl"])[2]
    target = aws.registry.settings.url_target(url_id)
    assert (target.function_name, target.qualifier) == ("thumb", "live")
    client.delete_alias(FunctionName="thumb", Name="live")
    assert aws.registry.settings.url_target(url_id) is None
    assert page() == ([whole["FunctionUrl"]], None)


def test_what_is_not_there_is_refused_in_lambdas_words(client):
    def update(**parameters):
        return client.update_function_url_config(AuthType="AWS_IAM", **parameters)

    missing = ({"FunctionName": "nope"}, {"FunctionName": "thumb", "Qualifier": "v1"})
    for parameters in missing:
        assert refusal(create, client=client, **parameters) == NO_FUNCTION
        assert refusal(update, **parameters) == NO_FUNCTION
        assert refusal(client.get_function_url_config, **parameters) == NOT_THERE
        assert refusal(client.delete_function_url_config, **parameters) == NOT_THERE
    assert refusal(update, FunctionName="thumb") == NOT_THERE
    assert refusal(client.delete_function_url_config, FunctionName="thumb") == NOT_THERE
    assert refusal(client.list_function_url_configs, FunctionName="nope") == NO_FUNCTION


@pytest.mark.parametrize("qualifier", ["1", "2", "$LATEST"])
def test_versions_have_no_url(client, qualifier):
    told = (
        "ValidationException",
        400,
        f"1 validation error detected: Value '{qualifier}' at 'qualifier' failed to satisfy "
        "constraint: Member must satisfy regular expression pattern: "
        r"((?!^\d+$)^[0-9a-zA-Z-_]+$)",
    )
    assert refusal(create, client=client, Qualifier=qualifier) == told
    for call in (client.get_function_url_config, client.delete_function_url_config):
        assert refusal(call, FunctionName="thumb", Qualifier=qualifier) == told


def test_two_qualifiers_must_agree(client):
    reference = {"FunctionName": "thumb:other", "Qualifier": "live"}
    told = (
        "InvalidParameterValueException",
        400,
        "The derived qualifier from the function name does not match the specified qualifier.",
    )
    assert refusal(create, client=client, **reference) == told
    assert refusal(client.get_function_url_config, **reference) == told


def test_limits_of_the_model_hold(client):
    mode = refusal(create, client=client, InvokeMode="UNKNOWN")
    assert mode == (
        "ValidationException",
        400,
        "1 validation error detected: Value 'UNKNOWN' at 'invokeMode' failed to satisfy "
        "constraint: Member must satisfy enum value set: [RESPONSE_STREAM, BUFFERED]",
    )
    for cors in ({"MaxAge": 86_401}, {"AllowMethods": ["OPTIONS"]}, {"AllowOrigins": ["a"] * 101}):
        code, status, _ = refusal(create, client=client, Cors=cors)
        assert (code, status) == ("ValidationException", 400)


@pytest.mark.parametrize(
    ("endpoint", "url"),
    [
        ("http://127.0.0.1:4600", "http://abc.lambda-url.eu-west-1.localhost:4600/"),
        ("http://localhost", "http://abc.lambda-url.eu-west-1.localhost/"),
        ("http://x.localhost:1", "http://abc.lambda-url.eu-west-1.localhost:1/"),
        ("https://emberd.example:444", "https://emberd.example:444/emberd/urls/abc/"),
        ("http://169.254.100.1:9002", "http://169.254.100.1:9002/emberd/urls/abc/"),
    ],
)
def test_a_url_is_one_that_its_caller_can_reach(endpoint, url):
    assert url_of("abc", "eu-west-1", endpoint) == url
