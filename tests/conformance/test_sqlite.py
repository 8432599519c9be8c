"""What only the SQLite file can show: it outlives its process, migrates, and says what is wrong."""

from __future__ import annotations

import asyncio
import signal
import sqlite3
import stat
import sys

import pytest

from controlplane.storage.ports import Put
from controlplane.storage.schema import MIGRATIONS, prepare
from controlplane.storage.sqlite import SqliteRecords
from emberd.wire.errors import ConflictError, UnavailableError


async def filled(path, count=1):
    records = await SqliteRecords.open(path)
    for number in range(count):
        await records.commit([Put(key=f"k{number:05}", value=b"v" * 100)])
    await records.close()


async def test_records_and_versions_outlive_the_process(tmp_path):
    await filled(tmp_path / "a.db", 3)
    records = await SqliteRecords.open(tmp_path / "a.db")
    assert [each.version for each in await records.list("", limit=10)] == [1, 2, 3]
    assert await records.commit([]) == 4
    await records.close()


async def test_what_was_acknowledged_survives_a_kill(tmp_path):
    program = (
        "import asyncio, os, pathlib, signal, sys\n"
        "from controlplane.storage.ports import Put\n"
        "from controlplane.storage.sqlite import SqliteRecords\n"
        "async def main():\n"
        "    records = await SqliteRecords.open(pathlib.Path(sys.argv[1]))\n"
        "    await records.commit([Put(key='a', value=b'kept')])\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
        "asyncio.run(main())\n"
    )
    path = tmp_path / "a.db"
    environment = {"PYTHONPATH": ":".join(sys.path)}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, str(path), env=environment
    )
    assert await process.wait() == -signal.SIGKILL
    records = await SqliteRecords.open(path)
    assert (await records.get("a")).value == b"kept"
    await records.close()


async def test_only_its_owner_may_read_the_file(tmp_path):
    await filled(tmp_path / "a.db")
    for file in tmp_path.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


async def test_the_file_syncs_fully_and_writes_ahead(tmp_path):
    records = await SqliteRecords.open(tmp_path / "a.db")
    pragma = lambda name: records._connection.execute(f"PRAGMA {name}").fetchone()[0]  # noqa: E731
    settings = await records._run(lambda: (pragma("journal_mode"), pragma("synchronous")))
    assert settings == ("wal", 2)
    await records.close()


async def test_older_data_migrates_forward_and_keeps_everything(tmp_path):
    path = tmp_path / "a.db"
    await filled(path)
    newer = (*MIGRATIONS, ("ALTER TABLE records ADD COLUMN note TEXT NOT NULL DEFAULT 'old'",))
    connection = sqlite3.connect(path, isolation_level=None)
    prepare(connection, path, newer)
    assert connection.execute("PRAGMA user_version").fetchone() == (len(newer),)
    assert connection.execute("SELECT key, note FROM records").fetchall() == [("k00000", "old")]
    connection.close()


async def test_a_migration_that_fails_leaves_the_older_schema_whole(tmp_path):
    path = tmp_path / "a.db"
    await filled(path)
    broken = (*MIGRATIONS, ("DELETE FROM records", "CREATE TABLE records (x)"))
    connection = sqlite3.connect(path, isolation_level=None)
    with pytest.raises(ConflictError) as refused:
        prepare(connection, path, broken)
    connection.close()
    assert "already exists" in refused.value.message
    records = await SqliteRecords.open(path)
    assert await records.get("k00000") is not None
    await records.close()


async def test_data_of_a_newer_emberd_is_refused_by_name_and_left_alone(tmp_path):
    path = tmp_path / "a.db"
    await filled(path)
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(ConflictError) as refused:
        await SqliteRecords.open(path)
    assert refused.value.reason == "DATABASE_TOO_NEW"
    assert str(path) in refused.value.message
    assert "99" in refused.value.message
    assert "--data" in refused.value.message


async def test_a_file_that_is_no_database_is_refused_with_the_remedy(tmp_path):
    path = tmp_path / "a.db"
    path.write_bytes(b"this is not a database, although it is long enough to be one " * 50)
    with pytest.raises(ConflictError) as refused:
        await SqliteRecords.open(path)
    assert refused.value.reason == "DATABASE_DAMAGED"
    assert "backup" in refused.value.message


async def test_a_page_of_garbage_in_the_middle_is_found_at_the_start(tmp_path):
    path = tmp_path / "a.db"
    await filled(path, 300)
    whole = path.read_bytes()
    assert len(whole) > 5 * 4096
    path.write_bytes(whole[: 2 * 4096] + b"\xaa" * 4096 * 2 + whole[4 * 4096 :])
    with pytest.raises(ConflictError) as refused:
        await SqliteRecords.open(path)
    assert refused.value.reason == "DATABASE_DAMAGED"


async def test_a_folder_that_does_not_exist_is_named(tmp_path):
    with pytest.raises(ConflictError) as refused:
        await SqliteRecords.open(tmp_path / "missing" / "a.db")
    assert refused.value.reason == "DATABASE_UNREADABLE"
    assert str(tmp_path / "missing") in refused.value.message


async def test_a_full_disk_fails_the_change_and_keeps_what_was_there(tmp_path):
    records = await SqliteRecords.open(tmp_path / "a.db")
    await records.commit([Put(key="a", value=b"1")])
    limit = "PRAGMA max_page_count = 10"
    await records._run(lambda: records._connection.execute(limit).fetchone())
    with pytest.raises(UnavailableError) as failed:
        await records.commit([Put(key="b", value=b"x" * 1_000_000)])
    assert failed.value.reason == "STORE_FAILED"
    assert await records.get("b") is None
    await records.commit([Put(key="a", value=b"2")])
    assert (await records.get("a")).value == b"2"
    await records.close()


async def test_a_closed_store_refuses_and_may_be_closed_again(tmp_path):
    records = await SqliteRecords.open(tmp_path / "a.db")
    await records.close()
    await records.close()
    with pytest.raises(UnavailableError) as refused:
        await records.get("a")
    assert refused.value.reason == "STORE_CLOSED"
