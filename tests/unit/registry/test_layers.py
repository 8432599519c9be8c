"""Layers: numbers, lists, policies, and what Lambda answers where something is wrong."""

from __future__ import annotations

import json

import pytest

from controlplane.model.layers import LayerStatement
from emberd.wire.errors import EmberdError
from tests.unit.registry.conftest import CODE_1, CODE_2, EPOCH

ARN = "arn:aws:lambda:us-east-1:000000000000:layer:tools"
EVERYONE = LayerStatement(statement_id="s1", principal="*")


async def refusal(awaitable):
    with pytest.raises(EmberdError) as caught:
        await awaitable
    return caught.value.reason, caught.value.message


def refused(function, *arguments, **named):
    with pytest.raises(EmberdError) as caught:
        function(*arguments, **named)
    return caught.value.reason, caught.value.message


def listed(page):
    return [(each.version.layer_name, each.version.number) for each in page.items]


def versions(bench, name="tools", runtime_id="", architecture="", marker="", max_items=0):
    return bench.registry.layers.list_versions(
        name,
        runtime_id=runtime_id,
        architecture=architecture,
        marker=marker,
        max_items=max_items,
    )


def layers(bench, runtime_id="", architecture="", marker="", max_items=0):
    return bench.registry.layers.list(
        runtime_id=runtime_id, architecture=architecture, marker=marker, max_items=max_items
    )


async def test_a_published_version_says_what_it_was_given(bench):
    view = await bench.publish_layer(
        text="numbers",
        license_info="MIT",
        runtimes=("python3.12",),
        architectures=("x86_64", "arm64"),
    )
    version = view.version
    assert (view.layer_arn, view.version_arn) == (ARN, f"{ARN}:1")
    assert (version.number, version.description, version.license_info) == (1, "numbers", "MIT")
    assert (version.runtimes, version.architectures) == (("python3.12",), ("x86_64", "arm64"))
    assert version.size_bytes == len(CODE_2.zip_file)
    assert version.unzipped_bytes == len(b"two = 2\n")
    assert version.created > EPOCH


async def test_numbers_grow_and_are_never_given_again(bench):
    await bench.publish_layer()
    await bench.publish_layer()
    await bench.registry.layers.delete("tools", 1)
    await bench.registry.layers.delete("tools", 2)
    await bench.open()
    view = await bench.publish_layer()
    assert view.version.number == 3


async def test_a_layer_is_named_by_its_arn_too(bench):
    await bench.publish_layer(ARN)
    assert bench.registry.layers.get(ARN, 1) == bench.registry.layers.get("tools", 1)
    assert bench.registry.layers.get_by_arn(f"{ARN}:1").version.number == 1


async def test_everything_of_a_layer_survives_a_restart(bench):
    before = await bench.publish_layer(
        text="t", license_info="MIT", runtimes=("python3.12",), architectures=("arm64",)
    )
    layers = bench.registry.layers
    await layers.add_permission("tools", 1, EVERYONE, revision_id="")
    policy = layers.policy("tools", 1)
    await bench.open()
    assert bench.registry.layers.policy("tools", 1) == policy
    after = bench.registry.layers.get("tools", 1).version
    assert after.with_policy((), "") == before.version


async def test_layers_are_listed_by_name_with_their_newest_version(bench):
    await bench.publish_layer("zebra")
    await bench.publish_layer("ant")
    await bench.publish_layer("zebra")
    assert listed(layers(bench)) == [("ant", 1), ("zebra", 2)]
    first = layers(bench, max_items=1)
    assert listed(first) == [("ant", 1)]
    assert listed(layers(bench, marker=first.next_marker)) == [("zebra", 2)]


async def test_lists_keep_to_a_runtime_and_an_architecture(bench):
    await bench.publish_layer(runtimes=("python3.12",), architectures=("x86_64",))
    await bench.publish_layer(runtimes=("python3.13",), architectures=("arm64",))
    await bench.publish_layer("bare")
    assert listed(layers(bench, runtime_id="python3.12")) == [("tools", 1)]
    assert listed(layers(bench, architecture="arm64")) == [("tools", 2)]
    assert listed(versions(bench, runtime_id="python3.13")) == [("tools", 2)]
    assert listed(versions(bench, runtime_id="python3.13", architecture="x86_64")) == []


async def test_versions_are_listed_newest_first_in_pages(bench):
    for _ in range(11):
        await bench.publish_layer()
    first = versions(bench, max_items=2)
    assert listed(first) == [("tools", 11), ("tools", 10)]
    second = versions(bench, max_items=2, marker=first.next_marker)
    assert listed(second) == [("tools", 9), ("tools", 8)]
    assert listed(versions(bench, "unknown")) == []


async def test_a_layer_whose_versions_are_gone_is_not_listed(bench):
    await bench.publish_layer()
    await bench.registry.layers.delete("tools", 1)
    assert listed(layers(bench)) == []


async def test_deleting_what_is_not_there_is_no_error(bench):
    await bench.registry.layers.delete("tools", 7)
    await bench.publish_layer()
    await bench.registry.layers.delete("tools", 7)
    assert listed(versions(bench)) == [("tools", 1)]


async def test_the_package_of_a_deleted_version_goes_with_its_last_user(bench):
    view = await bench.publish_layer()
    artifact_id = view.version.artifact_id
    await bench.publish_layer("copy")
    await bench.registry.layers.delete("tools", 1)
    assert artifact_id in await bench.blobs.digests()
    await bench.registry.layers.delete("copy", 1)
    assert artifact_id not in await bench.blobs.digests()


async def test_a_restart_keeps_the_packages_of_layers(bench):
    await bench.publish_layer(code=CODE_2)
    await bench.create(code=CODE_1)
    await bench.open()
    assert len(await bench.blobs.digests()) == 2


async def test_a_policy_says_who_may_use_a_version(bench):
    await bench.publish_layer()
    layers = bench.registry.layers
    answer = await layers.add_permission(
        "tools",
        1,
        LayerStatement(statement_id="s1", principal="*", organization_id="o-1234567890"),
        revision_id="",
    )
    first = {
        "Sid": "s1",
        "Effect": "Allow",
        "Principal": "*",
        "Action": "lambda:GetLayerVersion",
        "Resource": f"{ARN}:1",
        "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-1234567890"}},
    }
    assert json.loads(answer.text) == first
    statement = LayerStatement(statement_id="s2", principal="111111111111")
    await layers.add_permission("tools", 1, statement, revision_id=answer.revision_id)
    policy = layers.policy("tools", 1)
    document = json.loads(policy.text)
    assert (document["Version"], document["Id"]) == ("2012-10-17", "default")
    assert document["Statement"][0] == first
    assert document["Statement"][1]["Principal"] == {"AWS": "arn:aws:iam::111111111111:root"}
    await layers.remove_permission("tools", 1, "s1", revision_id=policy.revision_id)
    assert [each["Sid"] for each in json.loads(layers.policy("tools", 1).text)["Statement"]] == [
        "s2"
    ]


async def test_a_number_below_one_is_refused_in_lambdas_words(bench):
    await bench.publish_layer()
    expected = ("INVALID_PARAMETER_VALUE", "Layer Version Cannot be less than 1")
    assert refused(bench.registry.layers.get, "tools", 0) == expected
    assert refused(bench.registry.layers.policy, "tools", 0) == expected
    assert await refusal(bench.registry.layers.delete("tools", -1)) == expected


async def test_a_missing_version_is_not_found_in_lambdas_words(bench):
    await bench.publish_layer()
    layers = bench.registry.layers
    gone = ("RESOURCE_NOT_FOUND", "The resource you requested does not exist.")
    assert refused(layers.get, "tools", 2) == gone
    assert refused(layers.get, "other", 1) == gone
    assert refused(layers.get_by_arn, f"{ARN}:2") == gone
    missing = ("RESOURCE_NOT_FOUND", f"Layer version {ARN}:2 does not exist.")
    assert refused(layers.policy, "tools", 2) == missing
    assert await refusal(layers.add_permission("tools", 2, EVERYONE, revision_id="")) == missing
    assert await refusal(layers.remove_permission("tools", 2, "s1", revision_id="")) == missing
    doesnotexist = f"Layer version {ARN}-doesnotexist:1 does not exist."
    assert refused(layers.policy, "tools-doesnotexist", 1) == ("RESOURCE_NOT_FOUND", doesnotexist)


async def test_an_arn_without_a_version_is_refused_by_its_pattern(bench):
    reason, message = refused(bench.registry.layers.get_by_arn, ARN)
    assert reason == "VALIDATION"
    assert message.startswith(
        f"1 validation error detected: Value '{ARN}' at 'arn' failed to satisfy constraint: Member "
        "must satisfy regular expression pattern: (arn:(aws[a-zA-Z-]*)?:lambda:(eusc-)?[a-z]{2}"
    )


async def test_an_id_is_given_to_one_statement_of_a_policy(bench):
    await bench.publish_layer()
    layers = bench.registry.layers
    await layers.add_permission("tools", 1, EVERYONE, revision_id="")
    assert await refusal(layers.add_permission("tools", 1, EVERYONE, revision_id="")) == (
        "RESOURCE_CONFLICT",
        "The statement id (s1) provided already exists. Please provide a new statement id, or "
        "remove the existing statement.",
    )


async def test_a_policy_that_changed_since_is_not_changed_again(bench):
    await bench.publish_layer()
    layers = bench.registry.layers
    await layers.add_permission("tools", 1, EVERYONE, revision_id="")
    expected = (
        "PRECONDITION_FAILED",
        "The Revision Id provided does not match the latest Revision Id. Call the GetLayerPolicy "
        "API to retrieve the latest Revision Id",
    )
    other = LayerStatement(statement_id="s2", principal="*")
    assert await refusal(layers.add_permission("tools", 1, other, revision_id="x")) == expected
    assert await refusal(layers.remove_permission("tools", 1, "s1", revision_id="x")) == expected


async def test_a_statement_and_a_policy_that_are_missing_are_not_found(bench):
    await bench.publish_layer()
    layers = bench.registry.layers
    nothing = ("RESOURCE_NOT_FOUND", "No policy is associated with the given resource.")
    assert refused(layers.policy, "tools", 1) == nothing
    await layers.add_permission("tools", 1, EVERYONE, revision_id="")
    assert await refusal(layers.remove_permission("tools", 1, "doesnotexist", revision_id="")) == (
        "RESOURCE_NOT_FOUND",
        "Statement doesnotexist is not found in resource policy.",
    )
    await layers.remove_permission("tools", 1, "s1", revision_id="")
    assert refused(layers.policy, "tools", 1) == nothing


async def test_a_policy_has_a_greatest_length(bench):
    await bench.publish_layer()

    async def fill():
        for number in range(200):
            statement = LayerStatement(statement_id=f"s{number:0>90}", principal="*")
            await bench.registry.layers.add_permission("tools", 1, statement, revision_id="")

    reason, message = await refusal(fill())
    assert reason == "POLICY_LENGTH_EXCEEDED"
    assert "is bigger than the limit (20480)" in message


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("a b", "VALIDATION"),
        ("x" * 141, "VALIDATION"),
        ("arn:aws:lambda:eu-west-1:000000000000:layer:tools", "RESOURCE_NOT_FOUND"),
        ("arn:aws:lambda:us-east-1:111111111111:layer:tools", "ACCESS_DENIED"),
    ],
)
async def test_a_name_that_is_none_of_ours_is_refused(bench, name, reason):
    assert (await refusal(bench.publish_layer(name)))[0] == reason


async def test_a_version_needs_a_good_package(bench):
    reason, _ = await refusal(bench.publish_layer(code=None))
    assert reason == "INVALID_PARAMETER_VALUE"
    assert listed(layers(bench)) == []


async def test_what_is_said_of_a_version_has_limits(bench):
    assert (await refusal(bench.publish_layer(text="x" * 257)))[0] == "VALIDATION"
    assert (await refusal(bench.publish_layer(license_info="x" * 513)))[0] == "VALIDATION"
    assert (await refusal(bench.publish_layer(runtimes=("python3.12",) * 16)))[0] == "VALIDATION"
