"""Packages are kept while something uses them, or is about to, and no longer."""

from __future__ import annotations

import asyncio

import pytest

from controlplane.registry import ArtifactStore, InlineCode, UploadedCode
from controlplane.registry.artifacts import FETCH_GRACE_S, HOLD_S, UPLOADS_MAX
from controlplane.registry.packages import ZIPPED_BYTES_MAX
from emberd.wire.errors import (
    CapacityError,
    InvalidArgumentError,
    NotFoundError,
    UnavailableError,
)
from tests.fakes.archives import in_pieces, package
from tests.fakes.blobs import MemoryBlobs
from tests.unit.registry.conftest import CODE_1, CODE_2


class Timer:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def timer():
    return Timer()


@pytest.fixture
def blobs():
    return MemoryBlobs()


@pytest.fixture
def store(blobs, timer):
    store = ArtifactStore(blobs, monotonic=timer)
    yield store
    store.close()


def nothing_uses(_artifact_id):
    return False


async def test_a_package_is_read_back_as_it_was_uploaded(store):
    content = package()
    artifact = await store.upload(in_pieces(content, 7))
    assert artifact.size_bytes == len(content)
    assert b"".join([chunk async for chunk in store.chunks(artifact.artifact_id)]) == content
    assert await store.find(artifact.artifact_id) == artifact


async def test_the_same_package_twice_is_one(store, blobs):
    first = await store.upload(in_pieces(package()))
    assert await store.upload(in_pieces(package())) == first
    assert await blobs.digests() == [first.artifact_id]


async def test_a_package_that_is_refused_leaves_nothing(store, blobs):
    with pytest.raises(InvalidArgumentError):
        await store.upload(in_pieces(b"no zip"))
    assert await blobs.digests() == []


async def test_more_than_50_mb_are_refused_before_they_are_all_sent(store, blobs):
    sent = 0

    async def endless():
        nonlocal sent
        while True:
            sent += 1024 * 1024
            yield bytes(1024 * 1024)

    with pytest.raises(InvalidArgumentError) as refused:
        await store.upload(endless())
    assert refused.value.message == "Zipped size must be smaller than 52428800 bytes"
    assert refused.value.reason == "REQUEST_ENTITY_TOO_LARGE"
    assert sent == ZIPPED_BYTES_MAX + 1024 * 1024
    assert await blobs.digests() == []


async def test_uploads_beyond_the_limit_wait_and_are_refused_when_it_takes_too_long(blobs):
    store = ArtifactStore(blobs, turn_wait_s=0.01)
    release = asyncio.Event()

    async def slow():
        await release.wait()
        yield package()

    async with asyncio.TaskGroup() as group:
        uploads = [group.create_task(store.upload(slow())) for _ in range(UPLOADS_MAX)]
        await asyncio.sleep(0)
        with pytest.raises(CapacityError):
            await store.upload(slow())
        release.set()
    (artifact_id,) = {upload.result().artifact_id for upload in uploads}
    assert (await store.upload(in_pieces(package()))).artifact_id == artifact_id
    store.close()


async def test_an_upload_that_stalls_is_given_up_and_leaves_nothing(blobs):
    store = ArtifactStore(blobs, stall_s=0.01)

    async def stalls():
        yield package()[:50]
        await asyncio.Event().wait()

    with pytest.raises(UnavailableError) as refused:
        await store.upload(stalls())
    assert refused.value.reason == "UPLOAD_STALLED"
    assert await blobs.digests() == []
    store.close()


async def test_a_missing_package_is_not_found(store):
    with pytest.raises(NotFoundError):
        [chunk async for chunk in store.chunks("0" * 64)]
    with pytest.raises(NotFoundError):
        store.path("0" * 64)
    with pytest.raises(InvalidArgumentError):
        await store.find("0" * 64)


async def test_an_uploaded_package_waits_for_its_function_but_not_for_ever(store, timer):
    artifact = await store.upload(in_pieces(package()))
    await store.remove_unused([artifact.artifact_id], nothing_uses)
    assert await store.find(artifact.artifact_id) == artifact
    timer.now = HOLD_S
    await store.remove_unused([], nothing_uses)
    with pytest.raises(InvalidArgumentError):
        await store.find(artifact.artifact_id)


async def test_a_package_in_use_stays_although_its_hold_lapsed(store, timer):
    artifact = await store.upload(in_pieces(package()))
    timer.now = HOLD_S
    await store.remove_unused([], lambda artifact_id: artifact_id == artifact.artifact_id)
    assert await store.find(artifact.artifact_id) == artifact


async def test_deleting_a_function_removes_its_package(bench):
    await bench.create()
    await bench.registry.delete("thumb", "")
    assert await bench.blobs.digests() == []


async def test_a_package_that_another_function_uses_stays(bench):
    view = await bench.create()
    await bench.create("other")
    await bench.registry.delete("thumb", "")
    assert await bench.blobs.digests() == [view.version.artifact_id]
    await bench.registry.delete("other", "")
    assert await bench.blobs.digests() == []


async def test_a_package_that_a_version_uses_stays_until_the_version_is_deleted(bench):
    first = await bench.create(publish=True)
    second = await bench.update_code()
    digests = sorted([first.version.artifact_id, second.version.artifact_id])
    assert await bench.blobs.digests() == digests
    await bench.registry.delete("thumb", "1")
    assert await bench.blobs.digests() == [second.version.artifact_id]


async def test_replaced_code_can_still_be_fetched_for_a_moment(bench):
    first = await bench.create()
    second = await bench.update_code()
    kept = await bench.blobs.digests()
    assert kept == sorted([first.version.artifact_id, second.version.artifact_id])
    assert FETCH_GRACE_S < HOLD_S


async def test_a_package_uploaded_again_survives_the_deletion_of_its_last_user(bench):
    await bench.create()
    again = await bench.registry.artifacts.upload(in_pieces(CODE_1.zip_file))
    await bench.registry.delete("thumb", "")
    view = await bench.create("other", code=UploadedCode(artifact_id=again.artifact_id))
    assert view.version.artifact_id == again.artifact_id


async def test_a_restart_removes_packages_that_nothing_uses(bench):
    view = await bench.create()
    await bench.registry.artifacts.upload(in_pieces(CODE_2.zip_file))
    await bench.open()
    assert await bench.blobs.digests() == [view.version.artifact_id]


async def test_a_start_without_any_function_leaves_packages_alone(bench):
    await bench.registry.artifacts.upload(in_pieces(CODE_2.zip_file))
    await bench.open()
    assert len(await bench.blobs.digests()) == 1


async def test_a_create_that_is_refused_does_not_use_its_package(bench):
    await bench.create()
    with pytest.raises(InvalidArgumentError):
        await bench.create("bad", code=InlineCode(zip_file=b"no zip"))
    assert len(await bench.blobs.digests()) == 1
