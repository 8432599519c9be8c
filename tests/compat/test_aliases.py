"""boto3: aliases, with weights that really share the traffic."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.compat.functions import Workshop
from tests.compat.test_functions import arn_of, plain
from tests.compat.watching import refusal

VERSION = """
def handler(event, context):
    return context.function_version
"""


@pytest.mark.shows("Aliases", "created, read, listed, changed, deleted")
def test_an_alias_lives_from_creation_to_deletion(workshop: Workshop, name: str) -> None:
    client = workshop.client
    workshop.active(name, Publish=True)
    created = plain(
        client.create_alias(FunctionName=name, Name="live", FunctionVersion="1", Description="x")
    )
    revision = created.pop("RevisionId")
    assert created == {
        "AliasArn": f"{arn_of(name)}:live",
        "Name": "live",
        "FunctionVersion": "1",
        "Description": "x",
    }
    got = plain(client.get_alias(FunctionName=name, Name="live"))
    assert got == {**created, "RevisionId": revision}
    changed = client.update_alias(
        FunctionName=name, Name="live", Description="y", RevisionId=revision
    )
    assert (changed["Description"], changed["FunctionVersion"]) == ("y", "1")
    assert changed["RevisionId"] != revision
    listed = client.list_aliases(FunctionName=name, FunctionVersion="1")["Aliases"]
    assert [each["Name"] for each in listed] == ["live"]
    deleted = client.delete_alias(FunctionName=name, Name="live")
    assert deleted["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert refusal(client.get_alias, FunctionName=name, Name="live") == (
        "ResourceNotFoundException",
        404,
        f"Cannot find alias arn: {arn_of(name)}:live",
    )
    assert refusal(client.update_alias, FunctionName=name, Name="live") == (
        "ResourceNotFoundException",
        404,
        f"Alias not found: {arn_of(name)}:live",
    )


@pytest.mark.shows("Aliases", "a weight shares the traffic between two versions")
def test_weights_share_the_traffic(workshop: Workshop, name: str) -> None:
    client = workshop.client
    workshop.active(name, VERSION, Publish=True)
    client.update_function_configuration(FunctionName=name, Description="two")
    workshop.settle(name)
    client.publish_version(FunctionName=name)
    client.create_alias(
        FunctionName=name,
        Name="live",
        FunctionVersion="1",
        RoutingConfig={"AdditionalVersionWeights": {"2": 0.5}},
    )
    got = client.get_alias(FunctionName=name, Name="live")
    assert got["RoutingConfig"] == {"AdditionalVersionWeights": {"2": 0.5}}
    answers = [client.invoke(FunctionName=name, Qualifier="live") for _ in range(40)]
    said = Counter(each["Payload"].read().decode().strip('"') for each in answers)
    assert said == Counter(each["ExecutedVersion"] for each in answers)
    # Missing one of them in 40 fair throws: less than once in 10^11.
    assert set(said) == {"1", "2"}


@pytest.mark.shows("Aliases", "a version that an alias names cannot be deleted")
def test_a_version_with_an_alias_stays(workshop: Workshop, name: str) -> None:
    client = workshop.client
    workshop.active(name, Publish=True)
    client.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    kind, status, _ = refusal(client.delete_function, FunctionName=name, Qualifier="1")
    assert (kind, status) == ("ResourceConflictException", 409)
