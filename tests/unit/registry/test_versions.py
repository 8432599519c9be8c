"""Versions by Lambda's rules: publish, list, delete."""

from __future__ import annotations

import pytest

from controlplane.model.configuration import ConfigurationChange
from emberd.wire.errors import ConflictError, InvalidArgumentError, NotFoundError
from tests.unit.registry.conftest import CODE_1, CODE_2

ARN = "arn:aws:lambda:us-east-1:000000000000:function:thumb"


async def describe(bench, text):
    change = ConfigurationChange(description=text)
    await bench.configure(change)


async def test_versions_are_numbered_from_one_and_stay_as_they_were(bench):
    await bench.create()
    first = await bench.publish()
    await bench.update_code()
    second = await bench.publish()
    assert [first.version.version, second.version.version] == ["1", "2"]
    assert first.function_arn == f"{ARN}:1"
    assert bench.registry.get("thumb", "1") == first
    assert bench.resolve("thumb:1").revision.artifact_id == first.version.artifact_id
    assert bench.resolve("thumb:1").revision.version == "1"


async def test_publishing_without_a_change_returns_the_last_version(bench):
    await bench.create()
    first = await bench.publish(description="first")
    assert await bench.publish(description="again") == first
    await bench.update_code(CODE_2)
    await bench.update_code(CODE_1)
    assert await bench.publish() == first


async def test_any_change_of_code_or_configuration_allows_a_new_version(bench):
    await bench.create()
    await bench.publish()
    await describe(bench, "changed")
    assert (await bench.publish()).version.version == "2"
    await bench.update_code(CODE_2)
    assert (await bench.publish()).version.version == "3"


async def test_a_version_has_its_own_description_or_that_of_latest(bench):
    await bench.create()
    await describe(bench, "of latest")
    assert (await bench.publish()).version.configuration.description == "of latest"
    await bench.update_code()
    own = await bench.publish(description="its own")
    assert own.version.configuration.description == "its own"
    assert bench.registry.get("thumb", "").version.configuration.description == "of latest"
    with pytest.raises(InvalidArgumentError):
        await bench.publish(description="x" * 257)


async def test_publishing_leaves_latest_and_its_sandboxes_alone(bench):
    before = await bench.create()
    await bench.publish()
    assert bench.registry.get("thumb", "").version == before.version
    assert bench.retired == []


async def test_publishing_other_code_than_the_caller_expects_is_refused(bench):
    current = (await bench.create()).version.code_sha256
    with pytest.raises(InvalidArgumentError) as refused:
        await bench.publish(code_sha256="somenonexistentsha256")
    assert refused.value.message == (
        "CodeSHA256 (somenonexistentsha256) is different from current CodeSHA256 in $LATEST "
        f"({current}). Please try again with the CodeSHA256 in $LATEST."
    )
    assert (await bench.publish(code_sha256=current)).version.version == "1"


async def test_versions_are_listed_from_latest_to_the_newest_in_pages(bench):
    await bench.create()
    for number in range(12):
        await describe(bench, str(number))
        await bench.publish()
    await bench.open()
    seen, marker = [], ""
    while True:
        page = bench.registry.versions.list("thumb", marker, 5)
        seen.append([view.version.version for view in page.items])
        marker = page.next_marker
        if not marker:
            break
    assert seen == [
        ["$LATEST", "1", "2", "3", "4"],
        ["5", "6", "7", "8", "9"],
        ["10", "11", "12"],
    ]
    arns = [view.function_arn for view in bench.registry.versions.list("thumb", "", 2).items]
    assert arns == [f"{ARN}:$LATEST", f"{ARN}:1"]


async def test_all_versions_of_all_functions_are_listed_though_one_goes_between_two_pages(bench):
    for name in ("a", "b", "c"):
        await bench.create(name, publish=True)

    def page(marker):
        page = bench.registry.list(marker, 3, every_version=True)
        return [
            (each.version.function_name, each.version.version) for each in page.items
        ], page.next_marker

    first, marker = page("")
    assert first == [("a", "$LATEST"), ("a", "1"), ("b", "$LATEST")]
    assert page(marker) == ([("b", "1"), ("c", "$LATEST"), ("c", "1")], "")
    await bench.registry.delete("b", "")
    assert page(marker) == ([("c", "$LATEST"), ("c", "1")], "")


async def test_a_deleted_version_is_gone_and_its_number_is_not_given_again(bench):
    await bench.create(publish=True)
    revision_id = bench.resolve("thumb:1").revision.revision_id
    await bench.registry.delete("thumb", "1")
    assert bench.retired == [revision_id]
    with pytest.raises(NotFoundError) as refused:
        bench.resolve("thumb:1")
    assert refused.value.message == f"Function not found: {ARN}:1"
    await bench.open()
    assert (await bench.publish()).version.version == "2"


async def test_a_function_of_the_same_name_gives_no_number_again(bench):
    await bench.create(publish=True)
    await bench.registry.delete("thumb", "")
    await bench.open()
    view = await bench.create(publish=True)
    assert view.version.version == "2"
    await bench.registry.delete("thumb", "")
    await bench.create()
    assert (await bench.publish()).version.version == "3"


async def test_latest_alone_cannot_be_deleted(bench):
    await bench.create()
    with pytest.raises(InvalidArgumentError) as refused:
        await bench.registry.delete("thumb:$LATEST", "")
    assert (
        refused.value.message == "$LATEST version cannot be deleted without deleting the function."
    )


async def test_a_version_that_an_alias_leads_to_cannot_be_deleted(bench):
    await bench.create(publish=True)
    await bench.update_code(publish=True)
    await bench.alias("live", "1", weights={"2": 0.1})
    await bench.alias("beta", "2")
    for number, names in (("1", "live"), ("2", "beta, live")):
        with pytest.raises(ConflictError) as refused:
            await bench.registry.delete("thumb", number)
        assert f"[{names}]" in refused.value.message
        assert refused.value.reason == "RESOURCE_CONFLICT"
    await bench.registry.aliases.delete("thumb", "live")
    await bench.registry.delete("thumb", "1")
    assert [v.version.version for v in bench.registry.versions.list("thumb", "", 0).items] == [
        "$LATEST",
        "2",
    ]


async def test_deleting_a_missing_version_succeeds_as_on_lambda(bench):
    await bench.create()
    await bench.registry.delete("thumb", "7")
    assert bench.resolve().revision.version == "$LATEST"


async def test_an_alias_is_not_deleted_as_a_version(bench):
    await bench.create(publish=True)
    await bench.alias()
    with pytest.raises(InvalidArgumentError) as refused:
        await bench.registry.delete("thumb", "live")
    assert refused.value.message.startswith("Deletion of aliases is not currently supported.")
