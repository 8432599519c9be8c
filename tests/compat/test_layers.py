"""boto3: layers, published, mounted, shared, deleted."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import urllib.request

import pytest

from tests.compat.functions import PYTHON, Workshop
from tests.compat.test_functions import plain
from tests.compat.watching import refusal
from tests.fakes.archives import FILE, archive

CREATED = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+0000")

USES_LAYERS = """
import os
import greeting

def handler(event, context):
    return {"said": greeting.WORDS, "opt": sorted(os.listdir("/opt"))}
"""


def layer(words: str, *more: str) -> bytes:
    """A layer with a Python module and further files."""
    module = ("python/greeting.py", f"WORDS = {words!r}\n".encode(), FILE)
    return archive(module, *((name, b"x", FILE) for name in more))


def arn_of(name: str) -> str:
    """A layer's ARN in the account and region of a new emberd."""
    return f"arn:aws:lambda:us-east-1:000000000000:layer:{name}"


@pytest.mark.shows("Layers", "PublishLayerVersion, GetLayerVersion, GetLayerVersionByArn")
def test_a_layer_version_has_the_recorded_members(client: object, name: str) -> None:
    content = layer("hello")
    published = plain(
        client.publish_layer_version(
            LayerName=name,
            Description="words",
            Content={"ZipFile": content},
            CompatibleRuntimes=[PYTHON],
            CompatibleArchitectures=["x86_64"],
            LicenseInfo="MIT",
        )
    )
    location = published["Content"].pop("Location")
    with urllib.request.urlopen(location, timeout=30) as answer:
        assert answer.read() == content
    assert CREATED.fullmatch(published.pop("CreatedDate"))
    assert published == {
        "LayerArn": arn_of(name),
        "LayerVersionArn": f"{arn_of(name)}:1",
        "Description": "words",
        "Version": 1,
        "CompatibleRuntimes": [PYTHON],
        "CompatibleArchitectures": ["x86_64"],
        "LicenseInfo": "MIT",
        "Content": {
            "CodeSha256": base64.b64encode(hashlib.sha256(content).digest()).decode(),
            "CodeSize": len(content),
        },
    }
    for got in (
        client.get_layer_version(LayerName=name, VersionNumber=1),
        client.get_layer_version(LayerName=arn_of(name), VersionNumber=1),
        client.get_layer_version_by_arn(Arn=f"{arn_of(name)}:1"),
    ):
        assert got["LayerVersionArn"] == f"{arn_of(name)}:1"
        assert got["Content"]["CodeSize"] == len(content)


@pytest.mark.shows("Layers", "versions are numbered, listed newest first, never numbered again")
def test_layer_versions_are_listed_and_numbers_never_return(client: object, name: str) -> None:
    for number in (1, 2, 3):
        made = client.publish_layer_version(
            LayerName=name, Content={"ZipFile": layer(str(number))}, CompatibleRuntimes=[PYTHON]
        )
        assert made["Version"] == number
    listed = client.list_layer_versions(LayerName=name)["LayerVersions"]
    assert [each["Version"] for each in listed] == [3, 2, 1]
    (shown,) = [
        each
        for page in client.get_paginator("list_layers").paginate()
        for each in page["Layers"]
        if each["LayerName"] == name
    ]
    assert shown["LatestMatchingVersion"]["Version"] == 3
    client.delete_layer_version(LayerName=name, VersionNumber=3)
    assert refusal(client.get_layer_version, LayerName=name, VersionNumber=3) == (
        "ResourceNotFoundException",
        404,
        "The resource you requested does not exist.",
    )
    again = client.publish_layer_version(LayerName=name, Content={"ZipFile": layer("4")})
    assert again["Version"] == 4


@pytest.mark.shows("Layers", "mounted at /opt in order, imported from, the later one wins")
def test_a_function_imports_from_its_layers_and_the_later_wins(
    workshop: Workshop, name: str
) -> None:
    client = workshop.client
    first = client.publish_layer_version(
        LayerName=f"{name[:40]}-a", Content={"ZipFile": layer("first", "only-first")}
    )
    second = client.publish_layer_version(
        LayerName=f"{name[:40]}-b", Content={"ZipFile": layer("second", "only-second")}
    )
    both = [first["LayerVersionArn"], second["LayerVersionArn"]]
    workshop.active(name, USES_LAYERS, Layers=both)
    configuration = client.get_function_configuration(FunctionName=name)
    assert [each["Arn"] for each in configuration["Layers"]] == both
    assert configuration["Layers"][0]["CodeSize"] == first["Content"]["CodeSize"]
    said = json.loads(client.invoke(FunctionName=name)["Payload"].read())
    assert said == {"said": "second", "opt": ["only-first", "only-second", "python"]}
    client.update_function_configuration(FunctionName=name, Layers=both[::-1])
    workshop.settle(name)
    assert json.loads(client.invoke(FunctionName=name)["Payload"].read())["said"] == "first"


@pytest.mark.shows("Layers", "a deleted layer lives on in the functions that use it")
def test_a_function_keeps_a_layer_that_was_deleted(workshop: Workshop, name: str) -> None:
    client = workshop.client
    made = client.publish_layer_version(LayerName=name, Content={"ZipFile": layer("kept")})
    workshop.active(name, USES_LAYERS, Layers=[made["LayerVersionArn"]])
    deleted = client.delete_layer_version(LayerName=name, VersionNumber=1)
    assert deleted["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert json.loads(client.invoke(FunctionName=name)["Payload"].read())["said"] == "kept"


@pytest.mark.shows("Layers", "permissions of a layer version")
def test_a_layer_version_can_be_shared_and_unshared(client: object, name: str) -> None:
    client.publish_layer_version(LayerName=name, Content={"ZipFile": layer("shared")})
    target = {"LayerName": name, "VersionNumber": 1}
    added = client.add_layer_version_permission(
        **target, StatementId="s1", Action="lambda:GetLayerVersion", Principal="*"
    )
    statement = {
        "Sid": "s1",
        "Effect": "Allow",
        "Principal": "*",
        "Action": "lambda:GetLayerVersion",
        "Resource": f"{arn_of(name)}:1",
    }
    assert json.loads(added["Statement"]) == statement
    policy = client.get_layer_version_policy(**target)
    assert policy["RevisionId"] == added["RevisionId"]
    assert json.loads(policy["Policy"]) == {
        "Version": "2012-10-17",
        "Id": "default",
        "Statement": [statement],
    }
    removed = client.remove_layer_version_permission(**target, StatementId="s1")
    assert removed["ResponseMetadata"]["HTTPStatusCode"] == 204
    kind, status, message = refusal(client.get_layer_version_policy, **target)
    assert (kind, status) == ("ResourceNotFoundException", 404)
    assert message == "No policy is associated with the given resource."
