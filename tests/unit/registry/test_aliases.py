"""Aliases by Lambda's rules: names, weights, moves, deletions."""

from __future__ import annotations

import math

import pytest

from controlplane.model.configuration import ConfigurationChange
from controlplane.registry import AliasChange
from emberd.wire.errors import ConflictError, InvalidArgumentError, NotFoundError

ARN = "arn:aws:lambda:us-east-1:000000000000:function:thumb"


@pytest.fixture
async def published(bench):
    """A function with versions 1 and 2."""
    await bench.create(publish=True)
    await bench.update_code(publish=True)
    return bench


async def move(bench, name="live", revision_id="", **change):
    return await bench.registry.aliases.update(
        "thumb", name, AliasChange(**change), revision_id=revision_id
    )


async def test_an_alias_stands_for_its_version(published):
    view = await published.alias(description="words")
    assert view.alias_arn == f"{ARN}:live"
    assert published.registry.aliases.get("thumb", "live") == view
    found = published.registry.get("thumb", "live")
    assert (found.function_arn, found.version.version) == (f"{ARN}:live", "1")
    resolution = published.resolve("thumb:live")
    assert resolution.revision == published.resolve("thumb:1").revision
    assert resolution.invoked_arn == f"{ARN}:live"


async def test_an_alias_may_stand_for_latest(published):
    await published.alias(version="$LATEST")
    assert published.resolve("thumb:live").revision.version == "$LATEST"


async def test_an_aliass_name_is_given_once(published):
    await published.alias()
    with pytest.raises(ConflictError) as refused:
        await published.alias()
    assert refused.value.message == f"Alias already exists: {ARN}:live"
    assert refused.value.reason == "RESOURCE_CONFLICT"


@pytest.mark.parametrize("name", ["2024", "", "a b", "a.b", "$LATEST", "é", "a\n"])
async def test_what_is_no_name_for_an_alias_is_refused(published, name):
    with pytest.raises(InvalidArgumentError) as refused:
        await published.alias(name)
    assert refused.value.message == (
        f"1 validation error detected: Value '{name}' at 'name' failed to satisfy constraint: "
        "Member must satisfy regular expression pattern: (?!^[0-9]+$)([a-zA-Z0-9-_]+)"
    )


async def test_a_weighted_alias_shares_its_traffic(published):
    await published.alias(weights={"2": 0.3})
    served = [published.resolve("thumb:live", draw=n / 100).revision.version for n in range(100)]
    assert (served.count("2"), served.count("1")) == (30, 70)
    assert published.registry.get("thumb", "live").version.version == "1"


@pytest.mark.parametrize(
    ("version", "weights", "message"),
    [
        (
            "1",
            {"2": 0.1, "3": 0.1},
            "Number of items in AdditionalVersionWeights cannot be greater than 1",
        ),
        (
            "$LATEST",
            {"1": 0.5},
            "$LATEST is not supported for an alias pointing to more than 1 version",
        ),
        (
            "1",
            {"1": 0.5},
            "Invalid function version 1. Function version 1 is already included in routing "
            "configuration.",
        ),
        (
            "1",
            {"$LATEST": 0.5},
            "1 validation error detected: Value '{$LATEST=0.5}' at "
            "'routingConfig.additionalVersionWeights' failed to satisfy constraint: Map keys must "
            "satisfy constraint: [Member must have length less than or equal to 1024, Member must "
            "have length greater than or equal to 1, Member must satisfy regular expression "
            "pattern: [0-9]+]",
        ),
        (
            "1",
            {"2": 2.0},
            "1 validation error detected: Value '{2=2.0}' at "
            "'routingConfig.additionalVersionWeights' failed to satisfy constraint: Map value must "
            "satisfy constraint: [Member must have value less than or equal to 1.0, Member must "
            "have value greater than or equal to 0.0, Member must not be null]",
        ),
    ],
)
async def test_weights_outside_the_rules_are_refused(published, version, weights, message):
    with pytest.raises(InvalidArgumentError) as refused:
        await published.alias(version=version, weights=weights)
    assert refused.value.message == message
    assert (
        published.registry.aliases.list("thumb", function_version="", marker="", max_items=0).items
        == ()
    )


@pytest.mark.parametrize("weight", [-0.1, 1.1, math.nan, math.inf])
async def test_a_weight_is_a_share(published, weight):
    with pytest.raises(InvalidArgumentError) as refused:
        await published.alias(weights={"2": weight})
    assert "Map value must satisfy constraint" in refused.value.message


@pytest.mark.parametrize(
    ("version", "weights", "arn"),
    [("7", {}, f"{ARN}:7"), ("1", {"7": 0.5}, f"{ARN}:7")],
)
async def test_an_alias_of_a_missing_version_is_not_found(published, version, weights, arn):
    with pytest.raises(NotFoundError) as refused:
        await published.alias(version=version, weights=weights)
    assert refused.value.message == f"Function not found: {arn}"


async def test_an_alias_of_a_missing_function_is_not_found_with_its_version(bench):
    with pytest.raises(NotFoundError) as refused:
        await bench.alias(function="unknown", version="1")
    assert refused.value.message == f"Function not found: {ARN.replace('thumb', 'unknown')}:1"


async def test_a_version_that_is_no_version_is_refused(published):
    with pytest.raises(InvalidArgumentError) as refused:
        await published.alias(version="live")
    assert "'functionVersion'" in refused.value.message


async def test_versions_with_different_roles_cannot_share_traffic(published):
    change = ConfigurationChange(role="arn:aws:iam::000000000000:role/other")
    await published.configure(change)
    await published.publish()
    with pytest.raises(InvalidArgumentError) as refused:
        await published.alias(weights={"3": 0.5})
    assert "execution role" in refused.value.message


async def test_versions_with_different_dead_letter_queues_cannot_share_traffic(published):
    change = ConfigurationChange(dead_letter_arn="arn:aws:sqs:us-east-1:000000000000:letters")
    await published.configure(change)
    await published.publish()
    with pytest.raises(InvalidArgumentError) as refused:
        await published.alias(weights={"3": 0.5})
    assert "dead-letter queue" in refused.value.message


async def test_a_move_changes_what_it_names_and_leaves_the_rest(published):
    before = await published.alias(description="words", weights={"2": 0.5})
    after = await move(published, description="other words")
    assert after.alias.weights == {"2": 0.5}
    assert after.alias.description == "other words"
    assert after.alias.lambda_revision_id != before.alias.lambda_revision_id
    after = await move(published, function_version="2", weights={})
    assert published.resolve("thumb:live", draw=0.0).revision.version == "2"
    assert after.alias.description == "other words"


async def test_a_move_to_a_version_that_has_a_weight_is_refused(published):
    await published.alias(weights={"2": 0.5})
    with pytest.raises(InvalidArgumentError) as refused:
        await move(published, function_version="2")
    assert "already included in routing configuration" in refused.value.message


async def test_a_move_decided_on_an_older_state_is_refused(published):
    stale = (await published.alias()).alias.lambda_revision_id
    fresh = (await move(published, revision_id=stale, function_version="2")).alias
    with pytest.raises(ConflictError) as refused:
        await move(published, revision_id=stale, function_version="1")
    assert refused.value.reason == "PRECONDITION_FAILED"
    await move(published, revision_id=fresh.lambda_revision_id, function_version="1")
    assert published.resolve("thumb:live").revision.version == "1"


async def test_a_move_retires_nothing_since_versions_stay_reachable(published):
    await published.alias()
    published.retired.clear()
    await move(published, function_version="2")
    assert published.retired == []


async def test_missing_aliases_are_not_found_in_lambdas_words(published):
    with pytest.raises(NotFoundError) as refused:
        published.registry.aliases.get("thumb", "none")
    assert refused.value.message == f"Cannot find alias arn: {ARN}:none"
    with pytest.raises(NotFoundError) as refused:
        await move(published, name="none", description="x")
    assert refused.value.message == f"Alias not found: {ARN}:none"
    with pytest.raises(NotFoundError) as refused:
        published.registry.get("thumb", "none")
    assert refused.value.message == f"Function not found: {ARN}:none"


async def test_deleting_an_alias_twice_succeeds(published):
    await published.alias()
    await published.registry.aliases.delete("thumb", "live")
    await published.registry.aliases.delete("thumb", "live")
    await published.open()
    with pytest.raises(NotFoundError):
        published.resolve("thumb:live")


async def test_aliases_are_listed_by_name_by_version_and_in_pages(published):
    for name, version in (("c", "1"), ("a", "2"), ("b", "1")):
        await published.alias(name, version)

    def names(version="", marker="", max_items=0):
        page = published.registry.aliases.list(
            "thumb", function_version=version, marker=marker, max_items=max_items
        )
        return [view.alias.name for view in page.items], page.next_marker

    assert names() == (["a", "b", "c"], "")
    assert names(version="1") == (["b", "c"], "")
    assert names(max_items=2) == (["a", "b"], "b")
    assert names(marker="b") == (["c"], "")
