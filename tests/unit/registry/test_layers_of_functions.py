"""Functions with layers: which they may have, and that they keep them."""

from __future__ import annotations

import io
import zipfile
from dataclasses import replace

import pytest

from controlplane.model.configuration import ConfigurationChange
from controlplane.registry import InlineCode
from emberd.wire.errors import EmberdError
from tests.unit.registry.conftest import BASIC, CODE_1, CODE_2

ARNS = "arn:aws:lambda:us-east-1:000000000000:layer"


def with_layers(*arns):
    return replace(BASIC, layers=arns)


async def refusal(awaitable):
    with pytest.raises(EmberdError) as caught:
        await awaitable
    return caught.value.reason, caught.value.message


async def update(bench, *arns):
    return await bench.registry.update_configuration(
        "thumb", ConfigurationChange(layers=arns), revision_id=""
    )


def zeros(megabytes):
    """A small package that unpacks to so many MiB."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros", bytes(megabytes * 1024 * 1024))
    return InlineCode(zip_file=file.getvalue())


async def test_a_function_runs_with_its_layers_in_order(bench):
    one = await bench.publish_layer("one", CODE_1)
    two = await bench.publish_layer("two", CODE_2)
    await bench.create(configuration=with_layers(two.version_arn, one.version_arn))
    revision = bench.resolve().revision
    assert revision.layers == (two.version.artifact_id, one.version.artifact_id)


async def test_other_layers_or_another_order_make_another_revision(bench):
    one = (await bench.publish_layer("one", CODE_1)).version_arn
    two = (await bench.publish_layer("two", CODE_2)).version_arn
    await bench.create(configuration=with_layers(one, two))
    first = bench.resolve().revision.revision_id
    await update(bench, two, one)
    second = bench.resolve().revision.revision_id
    await update(bench)
    assert len({first, second, bench.resolve().revision.revision_id}) == 3
    assert bench.resolve().revision.layers == ()


async def test_a_version_is_published_when_only_layers_changed(bench):
    arn = (await bench.publish_layer()).version_arn
    await bench.create(publish=True)
    await update(bench, arn)
    assert (await bench.publish()).version.version == "2"
    assert len(bench.registry.get("thumb", "2").version.layers) == 1
    assert len(bench.registry.get("thumb", "1").version.layers) == 0


async def test_a_deleted_layer_stays_with_the_functions_that_use_it(bench):
    view = await bench.publish_layer()
    await bench.create(configuration=with_layers(view.version_arn))
    await bench.registry.layers.delete("tools", 1)
    await bench.open()
    assert bench.resolve().revision.layers == (view.version.artifact_id,)
    assert view.version.artifact_id in await bench.blobs.digests()
    await bench.registry.update_configuration(
        "thumb", ConfigurationChange(timeout_s=5), revision_id=""
    )
    await bench.update_code(CODE_1)
    assert bench.resolve().revision.layers == (view.version.artifact_id,)
    await bench.registry.delete("thumb", "")
    assert view.version.artifact_id not in await bench.blobs.digests()


async def test_a_deleted_layer_cannot_be_given_to_a_function(bench):
    arn = (await bench.publish_layer()).version_arn
    await bench.registry.layers.delete("tools", 1)
    assert await refusal(bench.create(configuration=with_layers(arn))) == (
        "INVALID_PARAMETER_VALUE",
        f"Layer version {arn} does not exist.",
    )


async def test_layers_that_do_not_exist_are_refused_in_lambdas_words(bench):
    await bench.publish_layer("known")
    await bench.create()
    for missing in (f"{ARNS}:known:9", f"{ARNS}:doesnotexist:1"):
        assert await refusal(update(bench, missing)) == (
            "INVALID_PARAMETER_VALUE",
            f"Layer version {missing} does not exist.",
        )


async def test_two_versions_of_one_layer_are_refused_in_lambdas_words(bench):
    first = (await bench.publish_layer()).version_arn
    second = (await bench.publish_layer()).version_arn
    for one, other in ((first, second), (first, first)):
        assert await refusal(bench.create(configuration=with_layers(one, other))) == (
            "INVALID_PARAMETER_VALUE",
            "Two different versions of the same layer are not allowed to be referenced in the "
            f"same function. {one} and {other} are versions of the same layer.",
        )


async def test_more_than_five_layers_are_refused_in_lambdas_words(bench):
    arns = [(await bench.publish_layer(f"l{number}")).version_arn for number in range(6)]
    await bench.create(configuration=with_layers(*arns[:5]))
    assert await refusal(update(bench, *arns)) == (
        "INVALID_PARAMETER_VALUE",
        "Cannot reference more than 5 layers.",
    )


async def test_a_layer_of_another_region_is_refused_in_lambdas_words(bench):
    arn = "arn:aws:lambda:eu-west-1:000000000000:layer:tools:1"
    assert await refusal(bench.create(configuration=with_layers(arn))) == (
        "INVALID_PARAMETER_VALUE",
        "Layers are not in the same region as the function. Layers are expected to be in region "
        "us-east-1.",
    )


async def test_a_layer_of_another_account_is_denied(bench):
    arn = "arn:aws:lambda:us-east-1:111111111111:layer:tools:1"
    assert (await refusal(bench.create(configuration=with_layers(arn))))[0] == "ACCESS_DENIED"


async def test_an_arn_without_a_version_is_refused_in_lambdas_words(bench):
    reason, message = await refusal(bench.create(configuration=with_layers(f"{ARNS}:tools")))
    assert reason == "VALIDATION"
    assert message.startswith(
        f"1 validation error detected: Value '[{ARNS}:tools]' at 'layers' failed to satisfy "
        "constraint: Member must satisfy constraint: [Member must have length less than or equal "
        "to 2048, Member must have length greater than or equal to 1, Member must satisfy regular "
        "expression pattern: "
    )


async def test_code_and_layers_together_have_a_greatest_size(bench):
    one = (await bench.publish_layer("one", zeros(100))).version_arn
    two = (await bench.publish_layer("two", zeros(100))).version_arn
    await bench.create(configuration=with_layers(one, two))
    actual = 260 * 1024 * 1024
    assert await refusal(bench.update_code(zeros(60))) == (
        "INVALID_PARAMETER_VALUE",
        "Function code combined with layers exceeds the maximum allowed size of 262144000 bytes. "
        f"The actual size is {actual} bytes.",
    )
    three = (await bench.publish_layer("three", zeros(60))).version_arn
    assert await refusal(update(bench, one, two, three)) == (
        "INVALID_PARAMETER_VALUE",
        "Layers consume more than the available size of 262144000 bytes",
    )
    assert len(bench.resolve().revision.layers) == 2
