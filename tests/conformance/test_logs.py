"""What every store of logs and traces must do. Today there is one: SQLite in a file."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from controlplane.model.log import LogBatch, LogLine, LogQuery
from controlplane.model.spans import Span, SpanEvent, SpanKind, SpanLink, TraceQuery
from controlplane.storage.log_retention import AGED_EVERY_S, Caps, size_of
from controlplane.storage.logs import FOLLOWER_BYTES_MAX, LogStore
from controlplane.storage.telemetry import TelemetryStores, open_telemetry
from controlplane.storage.telemetry_db import TelemetryDatabase
from controlplane.storage.traces import TraceCaps, TraceStore
from emberd.wire.errors import NotFoundError
from tests.unit.telemetry.builders import REQUEST_ID, T0, TRACE_ID, line

SCHEMA_1 = """
CREATE TABLE log_line (
    id INTEGER PRIMARY KEY,
    function_name TEXT NOT NULL,
    version TEXT NOT NULL,
    request_id TEXT NOT NULL,
    log_stream TEXT NOT NULL,
    time_ns INTEGER NOT NULL,
    size INTEGER NOT NULL,
    message BLOB NOT NULL
);
CREATE INDEX log_line_by_function ON log_line (function_name);
PRAGMA user_version = 1;
"""
"""What earlier emberds made, as far as logs go."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "telemetry.db"


@pytest.fixture
async def stores(path: Path) -> AsyncIterator[TelemetryStores]:
    async with open_telemetry(path) as opened:
        yield opened


@pytest.fixture
async def database(path: Path) -> AsyncIterator[TelemetryDatabase]:
    opened = TelemetryDatabase(path)
    await opened.open()
    yield opened
    await opened.close()


def query(**changes: object) -> LogQuery:
    return LogQuery(**{"function_name": "hello", "lines_max": 1_000_000, **changes})  # type: ignore[arg-type]


def numbered(count: int, start: int = 0) -> list[LogLine]:
    return [line(str(number).encode()) for number in range(start, start + count)]


async def soon(awaited: AsyncGenerator[LogBatch, None]) -> LogBatch:
    async with asyncio.timeout(5):
        return await anext(awaited)


async def test_what_was_appended_is_read_at_once_and_in_order(stores: TelemetryStores) -> None:
    lines = numbered(50)
    stores.logs.append(lines)
    assert await stores.logs.read(query()) == tuple(lines)


async def test_bytes_stay_as_they_came(stores: TelemetryStores) -> None:
    strange = line(b"\xff\x00\x1b[31m\xc3(\r", version="7", request_id="")
    stores.logs.append([strange])
    assert await stores.logs.read(query()) == (strange,)


async def test_a_reader_sees_one_function_only(stores: TelemetryStores) -> None:
    stores.logs.append([line(b"ours"), line(b"theirs", function_name="other")])
    assert [each.message for each in await stores.logs.read(query())] == [b"ours"]


async def test_a_reader_gets_the_newest_so_many(stores: TelemetryStores) -> None:
    stores.logs.append(numbered(10))
    read = await stores.logs.read(query(lines_max=2))
    assert [each.message for each in read] == [b"8", b"9"]


async def test_a_reader_may_ask_for_one_request_and_for_a_time(stores: TelemetryStores) -> None:
    stores.logs.append(
        [
            line(b"early", time_ns=T0),
            line(b"late", time_ns=T0 + 5),
            line(b"foreign", time_ns=T0 + 6, request_id="other"),
        ]
    )
    read = await stores.logs.read(query(since_ns=T0 + 5, request_id=REQUEST_ID))
    assert [each.message for each in read] == [b"late"]


async def test_lines_outlive_a_restart_and_new_ones_follow_them(path: Path) -> None:
    async with open_telemetry(path) as stores:
        stores.logs.append(numbered(3))
    async with open_telemetry(path) as stores:
        stores.logs.append(numbered(2, start=3))
        read = await stores.logs.read(query())
    assert [each.message for each in read] == [b"0", b"1", b"2", b"3", b"4"]


async def test_a_follower_gets_history_and_news_without_gap_or_repetition(
    stores: TelemetryStores,
) -> None:
    stores.logs.append(numbered(100))
    got: list[bytes] = []

    async def follow() -> None:
        async with aclosing(stores.logs.follow(query())) as batches:
            async for batch in batches:
                got.extend(each.message for each in batch.lines)
                if len(got) >= 300:
                    return

    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        group.create_task(follow())
        for start in range(100, 300, 10):
            stores.logs.append(numbered(10, start))
            await asyncio.sleep(0)
    assert got == [str(number).encode() for number in range(300)]


async def test_a_follower_of_a_request_gets_nothing_else(stores: TelemetryStores) -> None:
    async with aclosing(stores.logs.follow(query(request_id=REQUEST_ID))) as batches:
        assert (await soon(batches)).lines == ()
        stores.logs.append([line(b"foreign", request_id="other"), line(b"ours")])
        assert [each.message for each in (await soon(batches)).lines] == [b"ours"]


async def test_a_slow_follower_loses_the_oldest_lines_and_is_told_how_many(
    stores: TelemetryStores,
) -> None:
    big = line(b"x" * 100_000)
    fitting = FOLLOWER_BYTES_MAX // size_of(big)
    async with aclosing(stores.logs.follow(query())) as batches:
        await soon(batches)
        stores.logs.append([*[big] * (fitting + 5), line(b"newest")])
        batch = await soon(batches)
        assert batch.lost + len(batch.lines) == fitting + 6
        assert batch.lost in {5, 6}
        assert batch.lines[-1].message == b"newest"
        stores.logs.append([line(b"next")])
        assert (await soon(batches)).lost == 0


async def test_every_follower_gets_every_line(stores: TelemetryStores) -> None:
    async with (
        aclosing(stores.logs.follow(query())) as first,
        aclosing(stores.logs.follow(query())) as second,
    ):
        await soon(first)
        await soon(second)
        stores.logs.append([line(b"both")])
        assert (await soon(first)).lines == (await soon(second)).lines == (line(b"both"),)


async def test_followers_end_when_told_after_what_they_have(stores: TelemetryStores) -> None:
    async with aclosing(stores.logs.follow(query())) as batches:
        await soon(batches)
        stores.logs.append([line(b"last")])
        stores.logs.end_follows()
        assert [each.message for each in (await soon(batches)).lines] == [b"last"]
        with pytest.raises(StopAsyncIteration):
            await soon(batches)


async def test_lines_beyond_what_may_wait_are_dropped_and_counted(
    stores: TelemetryStores,
) -> None:
    stores.logs.append([line(b"x" * 1_000_000)] * 20)
    assert stores.logs.dropped == 4
    assert len(await stores.logs.read(query())) == 16


async def test_a_function_with_too_many_lines_loses_its_oldest(
    database: TelemetryDatabase,
) -> None:
    logs = LogStore(database, Caps(function_lines=100))
    logs.append([line(b"other", function_name="other"), *numbered(150)])
    kept = await logs.read(query())
    assert [each.message for each in kept] == [str(number).encode() for number in range(55, 150)]
    assert len(await logs.read(query(function_name="other"))) == 1


async def test_a_function_with_too_many_bytes_loses_its_oldest(
    database: TelemetryDatabase,
) -> None:
    logs = LogStore(database, Caps(function_bytes=10 * size_of(line(b"x" * 1000))))
    logs.append([line(b"x" * 1000) for _ in range(11)])
    assert len(await logs.read(query())) == 9


async def test_lines_that_are_too_old_go_with_the_next_write(database: TelemetryDatabase) -> None:
    now_s = T0 / 1e9
    logs = LogStore(database, Caps(age_s=100.0), clock=lambda: now_s)
    logs.append([line(b"old", time_ns=T0 - 101 * 10**9), line(b"young", time_ns=T0 - 99 * 10**9)])
    assert len(await logs.read(query())) == 2
    now_s += AGED_EVERY_S
    logs.append([line(b"new", time_ns=int(now_s * 1e9))])
    assert [each.message for each in await logs.read(query())] == [b"new"]


async def test_the_oldest_lines_of_all_go_when_all_are_too_many(path: Path) -> None:
    async with open_telemetry(path) as stores:
        stores.logs.append([line(b"oldest", function_name="old")])
    database = TelemetryDatabase(path)
    await database.open()
    logs = LogStore(database, Caps(all_lines=20))
    await logs.open()
    logs.append(numbered(20))
    assert await logs.read(query(function_name="old")) == ()
    assert len(await logs.read(query())) == 19
    await database.close()


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches=st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 30)), max_size=12))
async def test_the_caps_hold_whatever_comes(
    tmp_path_factory: pytest.TempPathFactory, batches: list[tuple[str, int]]
) -> None:
    database = TelemetryDatabase(tmp_path_factory.mktemp("caps") / "telemetry.db")
    await database.open()
    logs = LogStore(database, Caps(function_lines=25, all_lines=40))
    for name, count in batches:
        logs.append([line(str(number).encode(), function_name=name) for number in range(count)])
        kept = {each: await logs.read(query(function_name=each)) for each in "abc"}
        assert all(len(lines) <= 25 for lines in kept.values())
        assert sum(map(len, kept.values())) <= 40
        assert kept[name][-1].message == str(count - 1).encode()
    await database.close()


async def test_a_full_disk_costs_lines_and_nothing_else(
    database: TelemetryDatabase, caplog: pytest.LogCaptureFixture
) -> None:
    logs = LogStore(database)
    await database.submit(lambda c: c.execute("PRAGMA max_page_count = 16").fetchall())
    logs.append([line(b"x" * 200_000)])
    assert await logs.read(query()) == ()
    assert logs.dropped == 1
    await database.submit(lambda c: c.execute("PRAGMA max_page_count = 100000").fetchall())
    logs.append([line(b"room again")])
    assert [each.message for each in await logs.read(query())] == [b"room again"]
    assert [each.message for each in caplog.records] == [
        "logs or traces could not be written and are dropped"
    ]


async def test_a_file_that_is_no_database_is_put_aside(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path.write_bytes(b"this is not a database" * 100)
    async with open_telemetry(path) as stores:
        stores.logs.append([line(b"new")])
        assert len(await stores.logs.read(query())) == 1
    assert path.with_name("telemetry.db.unreadable").read_bytes().startswith(b"this is not")
    assert "put aside" in caplog.text


async def test_a_file_of_a_later_emberd_is_put_aside(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    async with open_telemetry(path) as stores:
        assert await stores.logs.read(query()) == ()


async def test_a_file_of_the_first_schema_goes_on_with_its_lines(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.executescript(SCHEMA_1)
    connection.execute(
        "INSERT INTO log_line VALUES (1, 'hello', '7', 'id', 'stream', ?, 201, ?)", (T0, b"old")
    )
    connection.commit()
    connection.close()
    async with open_telemetry(path) as stores:
        stores.logs.append([line(b"new", trace_id=TRACE_ID, span_id="00f067aa0ba902b7")])
        kept = await stores.logs.read(query())
    assert [(each.message, each.log_group) for each in kept] == [
        (b"old", "/aws/lambda/hello"),
        (b"new", "/aws/lambda/hello"),
    ]
    assert [(each.trace_id, each.span_id) for each in kept] == [
        ("", ""),
        (TRACE_ID, "00f067aa0ba902b7"),
    ]


def span(name: str = "hello", **changes: object) -> Span:
    plain: dict[str, object] = {
        "trace_id": TRACE_ID,
        "span_id": "00f067aa0ba902b7",
        "parent_span_id": "",
        "name": name,
        "kind": SpanKind.SERVER,
        "start_ns": T0,
        "end_ns": T0 + 1,
        "attributes": {"faas.invocation_id": REQUEST_ID, "faas.coldstart": True, "n": 3},
        "error_type": "Runtime.ExitError",
    }
    return Span(**{**plain, **changes})  # type: ignore[arg-type]


def part(name: str, start_ns: int) -> Span:
    return span(name, start_ns=start_ns, attributes={}, kind=SpanKind.INTERNAL, error_type="")


async def test_a_trace_is_found_by_its_id_and_by_a_request(stores: TelemetryStores) -> None:
    spans = (span(), part("front", T0 + 1))
    stores.traces.put(spans)
    by_trace = await stores.traces.by_trace_id(TRACE_ID)
    assert by_trace.spans == spans
    assert await stores.traces.by_request_id(REQUEST_ID) == by_trace


async def test_the_pieces_of_a_trace_are_joined_in_the_order_of_time(
    stores: TelemetryStores,
) -> None:
    stores.traces.put([span(start_ns=T0 + 5), part("invoke", T0 + 9)])
    stores.traces.put([part("earlier", T0)])
    trace = await stores.traces.by_request_id(REQUEST_ID)
    assert [each.name for each in trace.spans] == ["earlier", "hello", "invoke"]


async def test_an_unknown_trace_is_not_found(stores: TelemetryStores) -> None:
    with pytest.raises(NotFoundError) as trace:
        await stores.traces.by_trace_id("0" * 31 + "1")
    with pytest.raises(NotFoundError) as request:
        await stores.traces.by_request_id("nobody")
    assert trace.value.reason == request.value.reason == "TRACE_NOT_FOUND"


async def test_the_oldest_traces_go_first(database: TelemetryDatabase) -> None:
    traces = TraceStore(database, TraceCaps(parts=10))
    for number in range(25):
        traces.put([span(trace_id=f"{number:032x}")])
    assert (await traces.by_trace_id(f"{24:032x}")).spans
    rows = await database.submit(lambda c: c.execute("SELECT count(*) FROM trace_part").fetchone())
    assert 1 <= rows[0] <= 10
    with pytest.raises(NotFoundError):
        await traces.by_trace_id(f"{0:032x}")


async def test_traces_go_when_together_they_measure_too_much(database: TelemetryDatabase) -> None:
    caps = TraceCaps(size_bytes=40_000)
    traces = TraceStore(database, caps)
    for number in range(25):
        traces.put([span(trace_id=f"{number:032x}", attributes={"large": "x" * 4_000})])
        await traces.find(TraceQuery(most=1))
    assert (await traces.by_trace_id(f"{24:032x}")).spans
    sizes = "SELECT sum(length(spans)), count(*) FROM trace_part"
    size, count = await database.submit(lambda c: c.execute(sizes).fetchone())
    assert size <= caps.size_bytes
    assert count >= 5
    # What was there when it was opened counts too.
    again = TraceStore(database, TraceCaps(size_bytes=10_000))
    await again.find(TraceQuery(most=1))
    size, count = await database.submit(lambda c: c.execute(sizes).fetchone())
    assert (size <= 10_000, count >= 1) == (True, True)


async def test_traces_go_when_they_are_old(database: TelemetryDatabase) -> None:
    now_s = T0 / 1e9
    traces = TraceStore(database, TraceCaps(age_s=60.0), clock=lambda: now_s)
    traces.put([span(trace_id="1" * 32, end_ns=T0)])
    traces.put([span(trace_id="2" * 32, end_ns=T0 + 30 * 10**9)])
    assert (await traces.by_trace_id("1" * 32)).spans
    now_s += 61.0
    with pytest.raises(NotFoundError):
        await traces.by_trace_id("1" * 32)
    assert (await traces.by_trace_id("2" * 32)).spans


async def test_all_of_a_span_is_kept(stores: TelemetryStores) -> None:
    whole = span(
        error_message="broken",
        function="hello",
        events=(SpanEvent(name="exception", time_ns=T0, attributes={"exception.type": "E"}),),
        links=(SpanLink(trace_id="2" * 32, span_id="3" * 16),),
        attributes={"a": 1, "b": 2.5, "c": True, "d": "text"},
    )
    stores.traces.put([whole])
    assert (await stores.traces.by_trace_id(whole.trace_id)).spans == (whole,)


async def test_a_functions_own_span_never_passes_for_an_invocation(
    stores: TelemetryStores,
) -> None:
    forged = span(function="hello", attributes={"faas.invocation_id": "forged"})
    stores.traces.put([forged])
    with pytest.raises(NotFoundError):
        await stores.traces.by_request_id("forged")
    assert await stores.traces.find(TraceQuery(most=10)) == ()


async def test_an_empty_piece_is_no_trace(stores: TelemetryStores) -> None:
    stores.traces.put([])
    with pytest.raises(NotFoundError):
        await stores.traces.by_trace_id(TRACE_ID)
