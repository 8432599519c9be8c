"""Event-invoke configurations over boto3, in the words recorded from AWS."""

from __future__ import annotations

import pytest

from tests.fakes.refusals import content, refusal

ARN = "arn:aws:lambda:us-east-1:000000000000:function:thumb"
OTHER = ARN.replace("thumb", "other")
QUEUE = "arn:aws:sqs:us-east-1:000000000000:failures"
NOWHERE = {"OnSuccess": {}, "OnFailure": {}}
MISSING, INVALID = "ResourceNotFoundException", "InvalidParameterValueException"
NO_FUNCTION = (MISSING, 404, "The function doesn't exist.")


@pytest.fixture(autouse=True)
def function(aws, client):
    aws.create_function("thumb", publish=True)
    aws.create_function("other")
    client.create_alias(FunctionName="thumb", Name="live", FunctionVersion="1")


def put(client, **parameters):
    return client.put_function_event_invoke_config(**{"FunctionName": "thumb", **parameters})


def none(arn):
    return (MISSING, 404, f"The function {arn} doesn't have an EventInvokeConfig")


def test_put_replaces_and_update_merges(client):
    both = put(client, MaximumRetryAttempts=2, MaximumEventAgeInSeconds=60)
    modified = both.pop("LastModified")
    assert content(both) == {
        "FunctionArn": f"{ARN}:$LATEST",
        "MaximumRetryAttempts": 2,
        "MaximumEventAgeInSeconds": 60,
        "DestinationConfig": NOWHERE,
    }
    replaced = put(client, MaximumRetryAttempts=0)
    assert replaced["MaximumRetryAttempts"] == 0
    assert "MaximumEventAgeInSeconds" not in replaced
    assert replaced["LastModified"] >= modified
    put(client, MaximumRetryAttempts=2, MaximumEventAgeInSeconds=60)
    merged = client.update_function_event_invoke_config(
        FunctionName="thumb",
        MaximumRetryAttempts=0,
        DestinationConfig={"OnFailure": {"Destination": QUEUE}},
    )
    assert (merged["MaximumRetryAttempts"], merged["MaximumEventAgeInSeconds"]) == (0, 60)
    assert merged["DestinationConfig"] == {"OnSuccess": {}, "OnFailure": {"Destination": QUEUE}}
    found = client.get_function_event_invoke_config(FunctionName="thumb", Qualifier="$LATEST")
    assert content(found) == content(merged)


def test_each_version_and_alias_has_a_configuration_of_its_own(client):
    arns = [
        put(client, MaximumRetryAttempts=1, **reference)["FunctionArn"]
        for reference in ({"FunctionName": "thumb:1"}, {"Qualifier": "live"}, {})
    ]
    assert arns == [f"{ARN}:1", f"{ARN}:live", f"{ARN}:$LATEST"]

    def page(**parameters):
        answer = client.list_function_event_invoke_configs(FunctionName="thumb", **parameters)
        found = [each["FunctionArn"] for each in answer["FunctionEventInvokeConfigs"]]
        return found, answer.get("NextMarker")

    everything, marker = page()
    assert (sorted(everything), marker) == (sorted(arns), None)
    first, marker = page(MaxItems=2)
    assert first + page(MaxItems=2, Marker=marker)[0] == everything
    for qualifier in ("$LATEST", "1", "live"):
        gone = client.delete_function_event_invoke_config(FunctionName="thumb", Qualifier=qualifier)
        assert gone["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert page() == ([], None)


@pytest.mark.parametrize(
    "destinations",
    [
        {"OnSuccess": {"Destination": OTHER}},
        {"OnSuccess": {"Destination": f"{OTHER}:$LATEST"}},
        {"OnSuccess": {"Destination": "arn:aws:sns:us-east-1:000000000000:topic"}},
        {"OnFailure": {"Destination": "arn:aws:events:us-east-1:000000000000:event-bus/default"}},
        {"OnFailure": {"Destination": "arn:aws:s3:::bucket"}},
        {"OnSuccess": {"Destination": QUEUE}, "OnFailure": {"Destination": QUEUE}},
    ],
)
def test_outcomes_may_go_to_functions_queues_topics_buses_and_failures_to_buckets(
    client, destinations
):
    answer = put(client, DestinationConfig=destinations)["DestinationConfig"]
    assert answer == NOWHERE | destinations


@pytest.mark.parametrize("side", ["OnSuccess", "OnFailure"])
def test_a_destination_may_be_left_empty(client, side):
    assert put(client, DestinationConfig={side: {}})["DestinationConfig"] == NOWHERE


@pytest.mark.parametrize(
    ("destinations", "words"),
    [
        (
            {"OnSuccess": {"Destination": ARN}},
            "You can't specify the function as a destination for itself.",
        ),
        (
            {"OnFailure": {"Destination": f"{ARN}:live"}},
            "You can't specify the function as a destination for itself.",
        ),
        (
            {"OnSuccess": {"Destination": f"{ARN[:-5]}doesnotexist"}},
            f"The destination ARN {ARN[:-5]}doesnotexist is invalid.",
        ),
        (
            {"OnSuccess": {"Destination": f"{OTHER}:1"}},
            f"The destination ARN {OTHER}:1 is invalid.",
        ),
        (
            {"OnSuccess": {"Destination": OTHER.replace("us-east-1", "eu-west-1")}},
            f"The destination ARN {OTHER.replace('us-east-1', 'eu-west-1')} is invalid.",
        ),
        (
            {"OnSuccess": {"Destination": ARN.replace("lambda", "iam")}},
            "The provided destination config DestinationConfig(onSuccess=OnSuccess(destination="
            f"{ARN.replace('lambda', 'iam')}), onFailure=null) is invalid.",
        ),
        (
            {"OnSuccess": {"Destination": "arn:aws:s3:::bucket"}, "OnFailure": {}},
            "The provided destination config DestinationConfig(onSuccess=OnSuccess(destination="
            "arn:aws:s3:::bucket), onFailure=OnFailure(destination=null)) is invalid.",
        ),
    ],
)
def test_a_destination_that_cannot_be_is_refused(client, destinations, words):
    assert refusal(put, client=client, DestinationConfig=destinations) == (INVALID, 400, words)


def test_a_destination_that_is_no_arn_breaks_the_pattern(client):
    wrong = ARN.replace(":lambda:", ":_-/!lambda:")
    code, status, message = refusal(
        put, client=client, DestinationConfig={"OnFailure": {"Destination": wrong}}
    )
    assert (code, status) == ("ValidationException", 400)
    assert message.startswith(
        f"1 validation error detected: Value '{wrong}' at 'destinationConfig.onFailure."
        "destination' failed to satisfy constraint: Member must satisfy regular expression "
        "pattern: $|kafka://"
    )


def test_something_must_be_set(client):
    told = (
        INVALID,
        400,
        "You must specify at least one of error handling or destination setting.",
    )
    assert refusal(put, client=client) == told
    assert refusal(put, client=client, FunctionName="nope") == told
    assert refusal(client.update_function_event_invoke_config, FunctionName="thumb") == told


def test_what_is_not_there_is_refused_in_lambdas_words(client):
    def update(**parameters):
        return client.update_function_event_invoke_config(MaximumRetryAttempts=0, **parameters)

    get, delete = (
        client.get_function_event_invoke_config,
        client.delete_function_event_invoke_config,
    )
    nope = ARN.replace("thumb", "nope")
    for parameters in ({"FunctionName": "nope"}, {"Qualifier": "livedoesnotexist"}):
        assert refusal(put, client=client, MaximumRetryAttempts=1, **parameters) == NO_FUNCTION
    assert refusal(update, FunctionName="nope") == NO_FUNCTION
    assert refusal(client.list_function_event_invoke_configs, FunctionName="nope") == NO_FUNCTION
    for call in (get, delete):
        assert refusal(call, FunctionName="nope") == none(f"{nope}:$LATEST")
        assert refusal(call, FunctionName="thumb") == none(f"{ARN}:$LATEST")
        assert refusal(call, FunctionName="thumb", Qualifier="v1") == none(f"{ARN}:v1")
    assert refusal(update, FunctionName=f"{ARN}:live") == none(f"{ARN}:live")
    assert refusal(get, FunctionName="thumb:1", Qualifier="$LATEST") == (
        INVALID,
        400,
        "The derived qualifier from the function name does not match the specified qualifier.",
    )
