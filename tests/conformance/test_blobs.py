"""What every blob store promises, played on each of them; then what only files can show."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib

import pytest

from controlplane.storage.files import FileBlobs
from emberd.wire.errors import ConflictError, NotFoundError
from tests.fakes.blobs import MemoryBlobs

CONTENT = bytes(range(256)) * 1000
DIGEST = hashlib.sha256(CONTENT).hexdigest()
ABSENT = "0" * 64


@pytest.fixture
async def files(tmp_path):
    store = await FileBlobs.open(tmp_path / "blobs")
    yield store
    await store.close()


@pytest.fixture(params=["files", "memory"])
def blobs(request):
    return MemoryBlobs() if request.param == "memory" else request.getfixturevalue("files")


async def keep(blobs, content=CONTENT, piece=10_000):
    async with blobs.write() as writer:
        for start in range(0, len(content), piece):
            await writer.write(content[start : start + piece])
        return await writer.keep()


async def read(blobs, digest, size=7_000):
    return [chunk async for chunk in blobs.chunks(digest, size)]


async def test_a_blob_is_named_by_its_digest_and_read_back_in_pieces(blobs):
    assert await keep(blobs) == DIGEST
    chunks = await read(blobs, DIGEST)
    assert b"".join(chunks) == CONTENT
    assert max(map(len, chunks)) <= 7_000
    assert await blobs.size(DIGEST) == len(CONTENT)
    assert await blobs.digests() == [DIGEST]


async def test_keeping_the_same_bytes_twice_is_one_blob(blobs):
    assert await keep(blobs) == await keep(blobs)
    assert await blobs.digests() == [DIGEST]


async def test_an_empty_blob_is_a_blob(blobs):
    digest = await keep(blobs, b"")
    assert await blobs.size(digest) == 0
    assert await read(blobs, digest) == []


async def test_what_was_written_can_be_read_before_it_is_kept(blobs):
    async with blobs.write() as writer:
        await writer.write(b"one ")
        await writer.write(b"two")
        with writer.open_written() as file:
            assert file.read() == b"one two"
            assert file.seek(4) == 4
            assert file.read() == b"two"


async def test_what_was_not_kept_does_not_exist(blobs):
    async with blobs.write() as writer:
        await writer.write(CONTENT)
    assert await blobs.size(DIGEST) is None
    assert await blobs.digests() == []


@pytest.mark.parametrize("digest", [ABSENT, "", "../../etc/passwd", "/etc/passwd", "a/../b"])
async def test_what_is_not_there_is_absent_whatever_it_is_called(blobs, digest):
    assert await blobs.size(digest) is None
    assert blobs.local_path(digest) is None
    await blobs.delete(digest)
    with pytest.raises(NotFoundError):
        await read(blobs, digest)


async def test_a_deleted_blob_is_gone(blobs):
    await keep(blobs)
    await blobs.delete(DIGEST)
    assert await blobs.size(DIGEST) is None
    assert await blobs.digests() == []


async def test_a_reader_finishes_although_the_blob_is_deleted_meanwhile(files):
    await keep(files)
    reading = files.chunks(DIGEST, 100_000)
    first = await anext(reading)
    await files.delete(DIGEST)
    assert first + b"".join([chunk async for chunk in reading]) == CONTENT


async def test_blobs_outlive_the_process_and_unfinished_ones_do_not(tmp_path):
    store = await FileBlobs.open(tmp_path)
    await keep(store)
    (tmp_path / "incoming" / "cut-off").write_bytes(b"half a package")
    await store.close()
    store = await FileBlobs.open(tmp_path)
    assert await store.digests() == [DIGEST]
    assert list((tmp_path / "incoming").iterdir()) == []
    assert store.local_path(DIGEST).read_bytes() == CONTENT
    await store.close()


async def test_a_failed_upload_leaves_no_file(files, tmp_path):
    async def cut_off():
        async with files.write() as writer:
            await writer.write(CONTENT)
            raise ConnectionError("the client went away")

    with pytest.raises(ConnectionError):
        await cut_off()
    assert [each for each in (tmp_path / "blobs").rglob("*") if each.is_file()] == []


async def test_a_caller_who_goes_away_at_any_moment_leaves_no_file(files, tmp_path):
    for moment in range(12):
        writing = asyncio.create_task(keep(files, bytes([moment]) * 30_000))
        for _ in range(moment):
            await asyncio.sleep(0)
        writing.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await writing
    await files.close()
    for _ in range(10):  # what the threads finished is told to the loop in a few turns
        await asyncio.sleep(0)
    assert list((tmp_path / "blobs" / "incoming").iterdir()) == []


async def test_a_folder_that_cannot_be_used_is_named(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ConflictError) as refused:
        await FileBlobs.open(tmp_path / "file")
    assert str(tmp_path / "file") in refused.value.message
