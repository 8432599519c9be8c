"""Functions by Lambda's rules: create, read, list, update, delete."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from dataclasses import replace

import pytest

from controlplane.model.configuration import ConfigurationChange
from controlplane.model.status import READY
from controlplane.registry import InlineCode, UploadedCode
from emberd.wire.errors import (
    ConflictError,
    InvalidArgumentError,
    NotFoundError,
    UnavailableError,
)
from tests.unit.registry.conftest import BASIC, CODE_1, EPOCH

ARN = "arn:aws:lambda:us-east-1:000000000000:function:thumb"
PRECONDITION = (
    "The Revision Id provided does not match the latest Revision Id. Call the "
    "GetFunction/GetAlias API to retrieve the latest Revision Id"
)


async def test_a_new_function_has_lambdas_defaults(bench):
    view = await bench.create()
    version = view.version
    assert view.function_arn == ARN
    assert version.version == "$LATEST"
    assert version.configuration == replace(
        BASIC, role="arn:aws:iam::000000000000:role/emberd", timeout_s=3, memory_size_mb=128
    )
    assert (
        version.code_sha256 == base64.b64encode(hashlib.sha256(CODE_1.zip_file).digest()).decode()
    )
    assert version.artifact_size_bytes == len(CODE_1.zip_file)
    assert version.status == READY
    assert version.last_modified > EPOCH


async def test_a_function_published_at_once_answers_with_version_1_under_the_bare_arn(bench):
    view = await bench.create(publish=True)
    assert (view.version.version, view.function_arn) == ("1", ARN)
    assert bench.registry.get("thumb", "1").function_arn == f"{ARN}:1"


async def test_a_name_is_given_once(bench):
    await bench.create()
    with pytest.raises(ConflictError) as refused:
        await bench.create()
    assert refused.value.message == "Function already exist: thumb"
    assert refused.value.reason == "RESOURCE_CONFLICT"


async def test_of_many_creates_at_once_one_wins(bench):
    results = await asyncio.gather(*(bench.create() for _ in range(10)), return_exceptions=True)
    assert sum(isinstance(each, ConflictError) for each in results) == 9


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"configuration": replace(BASIC, memory_size_mb=1)}, "'memorySize'"),
        ({"configuration": replace(BASIC, runtime_id="cobol")}, "[python3.12, python3.13]"),
        ({"code": None}, "Please provide a source for function code."),
        ({"code": InlineCode(zip_file=b"no zip")}, "Could not unzip uploaded file."),
        ({"code": UploadedCode(artifact_id="0" * 64)}, "upload it first"),
        ({"code": UploadedCode(artifact_id="../../etc/passwd")}, "upload it first"),
        ({"name": "thumb:1"}, "This operation is permitted on Lambda functions only."),
        ({"name": "a b"}, "'functionName'"),
    ],
)
async def test_what_is_refused_leaves_nothing(bench, changes, part):
    with pytest.raises(InvalidArgumentError) as refused:
        await bench.create(**changes)
    assert part in refused.value.message
    assert bench.registry.list("", 0).items == ()
    assert await bench.records.list("", limit=10) == []


async def test_an_uploaded_package_can_be_named_by_its_id(bench):
    first = await bench.create()
    named = UploadedCode(artifact_id=first.version.artifact_id)
    second = await bench.create("other", code=named)
    assert second.version.code_sha256 == first.version.code_sha256


async def test_what_does_not_exist_is_not_found_under_the_arn_that_was_asked_for(bench):
    for reference, qualifier, arn in [
        ("thumb", "", ARN),
        ("thumb:7", "", f"{ARN}:7"),
        (ARN, "live", f"{ARN}:live"),
        ("thumb", "$LATEST", f"{ARN}:$LATEST"),
    ]:
        for ask in (bench.registry.get, lambda *asked: bench.registry.resolve(*asked, 0.5)):
            with pytest.raises(NotFoundError) as refused:
                ask(reference, qualifier)
            assert refused.value.message == f"Function not found: {arn}"
            assert refused.value.reason == "RESOURCE_NOT_FOUND"


async def test_an_arn_ends_in_the_qualifier_only_where_one_was_named(bench):
    await bench.create()
    assert bench.registry.get("thumb", "").function_arn == ARN
    assert bench.registry.get("thumb", "$LATEST").function_arn == f"{ARN}:$LATEST"
    assert bench.resolve("thumb").invoked_arn == ARN
    assert bench.resolve("thumb:$LATEST").invoked_arn == f"{ARN}:$LATEST"
    assert bench.resolve("thumb").revision.function_arn == ARN


async def test_functions_are_listed_by_name_in_pages(bench):
    names = [f"f{number:03}" for number in range(120)]
    for name in reversed(names):
        await bench.create(name)
    pages, marker = [], ""
    while True:
        page = bench.registry.list(marker, 0)
        pages.append([view.version.function_name for view in page.items])
        marker = page.next_marker
        if not marker:
            break
    assert [len(page) for page in pages] == [50, 50, 20]
    assert [name for page in pages for name in page] == names
    assert [each.version.function_name for each in bench.registry.list("f003", 2).items] == [
        "f004",
        "f005",
    ]


async def test_a_page_that_ends_with_the_last_function_has_no_marker(bench):
    await bench.create("a")
    await bench.create("b")
    assert bench.registry.list("", 2).next_marker == ""
    assert bench.registry.list("", 1).next_marker == "a"
    assert bench.registry.list("zzz", 1).items == ()


async def test_new_code_makes_a_new_revision_and_retires_the_old_one(bench):
    await bench.create()
    old = bench.resolve().revision
    before = bench.registry.get("thumb", "").version
    view = await bench.update_code()
    new = bench.resolve().revision
    assert new.revision_id != old.revision_id
    assert new.artifact_id == view.version.artifact_id != old.artifact_id
    assert bench.retired == [old.revision_id]
    assert view.version.lambda_revision_id != before.lambda_revision_id
    assert view.version.last_modified > before.last_modified
    assert view.function_arn == ARN


async def test_new_code_can_be_published_at_once(bench):
    await bench.create()
    view = await bench.update_code(publish=True)
    assert (view.version.version, view.function_arn) == ("1", f"{ARN}:1")


async def test_a_dry_run_says_what_would_be_and_changes_nothing(bench):
    before = await bench.create()
    view = await bench.update_code(dry_run=True)
    assert view.version.code_sha256 != before.version.code_sha256
    assert bench.registry.get("thumb", "").version == before.version
    with pytest.raises(InvalidArgumentError):
        await bench.update_code(InlineCode(zip_file=b"no zip"), dry_run=True)


async def test_a_change_of_configuration_sets_what_it_names_and_leaves_the_rest(bench):
    await bench.create(configuration=replace(BASIC, environment={"AB": "1"}, timeout_s=9))
    change = ConfigurationChange(memory_size_mb=256, description="words")
    view = await bench.configure(change)
    configuration = view.version.configuration
    assert (configuration.memory_size_mb, configuration.description) == (256, "words")
    assert (configuration.timeout_s, configuration.environment) == (9, {"AB": "1"})
    change = ConfigurationChange(environment={"CD": "2"})
    view = await bench.configure(change)
    assert view.version.configuration.environment == {"CD": "2"}


async def test_a_change_that_no_sandbox_can_see_retires_none(bench):
    await bench.create()
    change = ConfigurationChange(description="words")
    await bench.configure(change)
    assert bench.retired == []


@pytest.mark.parametrize(
    "change",
    [
        ConfigurationChange(timeout_s=901),
        ConfigurationChange(handler=""),
        ConfigurationChange(runtime_id="cobol"),
        ConfigurationChange(role="r1"),
        ConfigurationChange(network="elsewhere"),
        ConfigurationChange(environment={"AWS_REGION": "x"}),
    ],
)
async def test_a_change_beyond_the_limits_is_refused_whole(bench, change):
    before = await bench.create()
    with pytest.raises(InvalidArgumentError):
        await bench.configure(change)
    assert bench.registry.get("thumb", "").version == before.version


async def test_another_network_is_another_revision_and_a_version_keeps_the_one_it_had(bench):
    bench.networks = {"db"}
    await bench.create(configuration=replace(BASIC, network="db"), publish=True)
    before = bench.resolve().revision
    await bench.configure(ConfigurationChange(network="none"))
    assert bench.resolve().revision.network == "none"
    assert bench.resolve("thumb:1").revision.network == "db"
    assert bench.retired == [before.revision_id]


async def test_a_network_that_no_host_offers_makes_no_function(bench):
    with pytest.raises(InvalidArgumentError) as refused:
        await bench.create(configuration=replace(BASIC, network="db"))
    assert "no attached host offers the network db" in refused.value.message


async def test_a_network_that_no_host_has_now_does_not_stop_other_changes(bench):
    bench.networks = {"db"}
    await bench.create(configuration=replace(BASIC, network="db"))
    bench.networks.clear()
    view = await bench.configure(ConfigurationChange(memory_size_mb=256))
    assert view.version.configuration.network == "db"


async def test_a_runtime_that_no_host_has_now_does_not_stop_other_changes(bench):
    await bench.create()
    bench.runtimes.clear()
    change = ConfigurationChange(memory_size_mb=256)
    view = await bench.configure(change)
    assert view.version.configuration.memory_size_mb == 256


async def test_a_stale_revision_id_stops_every_kind_of_change(bench):
    stale = (await bench.create()).version.lambda_revision_id
    fresh = (await bench.update_code(revision_id=stale)).version.lambda_revision_id
    change = ConfigurationChange(memory_size_mb=256)
    for attempt in (
        bench.update_code(CODE_1, revision_id=stale),
        bench.configure(change, revision_id=stale),
        bench.publish(revision_id=stale),
    ):
        with pytest.raises(ConflictError) as refused:
            await attempt
        assert refused.value.message == PRECONDITION
        assert refused.value.reason == "PRECONDITION_FAILED"
    assert (await bench.publish(revision_id=fresh)).version.version == "1"


async def test_a_deleted_function_is_gone_with_everything_of_it(bench):
    await bench.create(publish=True)
    await bench.alias()
    ids = {bench.resolve(f"thumb:{each}").revision.revision_id for each in ("$LATEST", "1")}
    await bench.registry.delete(ARN, "")
    assert set(bench.retired) == ids
    left = await bench.records.list("", limit=10)
    assert [record.key for record in left] == ["numbers/thumb"]
    with pytest.raises(NotFoundError):
        bench.resolve("thumb:live")
    with pytest.raises(NotFoundError):
        await bench.registry.delete("thumb", "")
    assert (await bench.create()).version.version == "$LATEST"


async def test_updates_of_a_missing_function_are_not_found(bench):
    change = ConfigurationChange(memory_size_mb=256)
    for attempt in (
        bench.update_code(),
        bench.publish(),
        bench.configure(change),
        bench.registry.delete("thumb", ""),
    ):
        with pytest.raises(NotFoundError) as refused:
            await attempt
        assert refused.value.message == f"Function not found: {ARN}"


async def test_everything_is_as_it_was_after_a_restart(bench):
    await bench.create(configuration=replace(BASIC, environment={"AB": "ü"}), publish=True)
    await bench.update_code(publish=True)
    await bench.alias(weights={"2": 0.25})
    before = [
        [bench.registry.get("thumb", each) for each in ("", "1", "2", "live")],
        bench.registry.versions.list("thumb", "", 0),
        bench.registry.aliases.get("thumb", "live"),
        [bench.resolve("thumb:live", draw=draw) for draw in (0.1, 0.9)],
    ]
    registry = await bench.open()
    assert before == [
        [registry.get("thumb", each) for each in ("", "1", "2", "live")],
        registry.versions.list("thumb", "", 0),
        registry.aliases.get("thumb", "live"),
        [bench.resolve("thumb:live", draw=draw) for draw in (0.1, 0.9)],
    ]
    assert (await bench.update_code(CODE_1, publish=True)).version.version == "3"


async def test_a_store_that_fails_changes_nothing_that_readers_see(bench):
    await bench.create()
    before = bench.resolve()
    bench.records.broken = True
    with pytest.raises(UnavailableError):
        await bench.update_code()
    assert bench.resolve() == before
    assert bench.retired == []
    bench.records.broken = False
    await bench.update_code()
    assert bench.resolve() != before


async def test_a_caller_who_goes_away_does_not_stop_a_change_half_way(bench):
    await bench.create()
    before = bench.registry.get("thumb", "").version
    change = ConfigurationChange(memory_size_mb=256)
    caller = asyncio.create_task(bench.configure(change))
    await asyncio.sleep(0)
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    await bench.registry.close()
    seen = bench.registry.get("thumb", "").version
    assert seen != before
    await bench.open()
    assert bench.registry.get("thumb", "").version == seen


async def test_two_registries_on_one_store_never_overwrite_each_other(bench):
    await bench.create()
    first = bench.registry
    second = await bench.open()
    change = ConfigurationChange(memory_size_mb=256)
    await second.update_configuration("thumb", change, revision_id="")
    with pytest.raises(ConflictError) as refused:
        await first.update_configuration(
            "thumb", ConfigurationChange(memory_size_mb=512), revision_id=""
        )
    assert refused.value.reason == "STALE_RECORD"
    await first.close()
