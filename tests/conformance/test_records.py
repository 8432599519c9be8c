"""What every record store promises, played on each of them."""

from __future__ import annotations

import asyncio

import pytest

from controlplane.storage.ports import (
    ABSENT,
    TOMBSTONES_MAX,
    ChangesLostError,
    Delete,
    Put,
    StaleRecordError,
)
from controlplane.storage.sqlite import SqliteRecords
from tests.fakes.records import MemoryRecords


@pytest.fixture(params=["sqlite", "memory"])
async def records(request, tmp_path):
    if request.param == "memory":
        store = MemoryRecords()
    else:
        store = await SqliteRecords.open(tmp_path / "records.db")
    yield store
    await store.close()


async def keys(records, prefix, **where):
    return [each.key for each in await records.list(prefix, limit=100, **where)]


async def test_what_was_put_is_there_with_the_version_of_its_transaction(records):
    version = await records.commit([Put(key="a", value=b"\x00\xff")])
    found = await records.get("a")
    assert (found.key, found.value, found.version) == ("a", b"\x00\xff", version)


async def test_what_was_never_put_or_was_deleted_is_absent(records):
    await records.commit([Put(key="a", value=b"1")])
    await records.commit([Delete(key="a")])
    assert await records.get("a") is None
    assert await records.get("b") is None
    assert await keys(records, "") == []


async def test_an_empty_value_is_a_value(records):
    await records.commit([Put(key="a", value=b"")])
    assert (await records.get("a")).value == b""


async def test_versions_only_grow_even_over_a_deletion(records):
    first = await records.commit([Put(key="a", value=b"1")])
    second = await records.commit([Delete(key="a")])
    third = await records.commit([Put(key="a", value=b"1")])
    assert first < second < third
    assert await records.newest() == third


async def test_a_write_on_the_expected_version_succeeds(records):
    version = await records.commit([Put(key="a", value=b"1", expected=ABSENT)])
    await records.commit([Put(key="a", value=b"2", expected=version)])
    assert (await records.get("a")).value == b"2"


@pytest.mark.parametrize(
    "write",
    [
        Put(key="a", value=b"x", expected=ABSENT),
        Put(key="a", value=b"x", expected=999),
        Delete(key="a", expected=999),
        Put(key="b", value=b"x", expected=1),
        Delete(key="b", expected=1),
    ],
)
async def test_a_write_on_another_version_changes_nothing_at_all(records, write):
    before = await records.commit([Put(key="a", value=b"1")])
    with pytest.raises(StaleRecordError) as refused:
        await records.commit([Put(key="other", value=b"x"), write])
    assert refused.value.reason == "STALE_RECORD"
    assert write.key in refused.value.message
    assert await keys(records, "") == ["a"]
    assert (await records.get("a")).value == b"1"
    assert await records.newest() == before


async def test_deleting_what_is_not_there_succeeds_unless_a_version_is_expected(records):
    await records.commit([Delete(key="a"), Delete(key="b", expected=ABSENT)])
    assert await keys(records, "") == []


async def test_one_transaction_gives_all_its_records_one_version(records):
    version = await records.commit([Put(key="a", value=b"1"), Put(key="b", value=b"2")])
    assert [each.version for each in await records.list("", limit=10)] == [version, version]


async def test_records_are_listed_by_prefix_in_order_and_in_pages(records):
    names = ["f/a", "f/b", "f/b/c", "f/é", "f/\U0010fffe", "e/z", "g"]
    await records.commit([Put(key=name, value=b"") for name in names])
    below = sorted(name for name in names if name.startswith("f/"))
    assert await keys(records, "f/") == below
    assert await keys(records, "f/", after="f/b") == below[2:]
    first = await records.list("f/", limit=2)
    rest = await records.list("f/", after=first[-1].key, limit=10)
    assert [each.key for each in [*first, *rest]] == below


async def test_the_feed_tells_the_last_change_of_every_key_oldest_first(records):
    start = await records.newest()
    await records.commit([Put(key="a", value=b"1"), Put(key="b", value=b"1")])
    await records.commit([Put(key="a", value=b"2")])
    await records.commit([Delete(key="b")])
    feed = await records.changes(start, limit=100)
    assert [(each.key, each.value) for each in feed] == [("a", b"2"), ("b", None)]
    assert await records.changes(feed[-1].version, limit=100) == []


async def test_the_feed_never_splits_a_transaction(records):
    await records.commit([Put(key=name, value=b"") for name in "abc"])
    await records.commit([Put(key="d", value=b"")])
    first = await records.changes(0, limit=1)
    assert [each.key for each in first] == ["a", "b", "c"]
    assert [each.key for each in await records.changes(first[-1].version, limit=1)] == ["d"]


async def test_a_reader_who_is_too_far_behind_is_told_that_deletions_were_forgotten(records):
    await records.commit([Put(key="a", value=b""), Put(key="b", value=b"")])
    await records.commit([Delete(key="a")])
    for _ in range(TOMBSTONES_MAX):
        await records.commit([])
    await records.commit([Delete(key="b")])
    with pytest.raises(ChangesLostError):
        await records.changes(0, limit=10)
    newest = await records.newest()
    assert [each.key for each in await records.changes(newest - 1, limit=10)] == ["b"]


async def test_of_many_writers_at_once_exactly_one_wins_each_round(records):
    async def claim(number):
        try:
            await records.commit([Put(key="a", value=b"%d" % number, expected=ABSENT)])
        except StaleRecordError:
            return None
        return number

    winners = [each for each in await asyncio.gather(*map(claim, range(20))) if each is not None]
    assert [b"%d" % each for each in winners] == [(await records.get("a")).value]
