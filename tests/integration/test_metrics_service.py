"""Load and usage over the real wire, and usage on a real disk."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import os
import signal
import sqlite3
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import grpc
import pytest

from controlplane.api.grpc.metrics import MetricsService
from controlplane.metrics.metering import DAY_S, Meter, Usage
from controlplane.metrics.state import HostState, State
from controlplane.metrics.tallies import Tallies
from controlplane.storage import usage as module
from controlplane.storage.usage import UsageStore, open_usage
from emberd.telemetry.v1 import metrics_pb2 as pb
from emberd.telemetry.v1 import metrics_pb2_grpc
from emberd.wire.channels import authorization
from emberd.wire.errors import InvalidArgumentError
from emberd.wire.interceptors import ServerInterceptor, TokenTable
from emberd.wire.status import error_from
from tests.unit.telemetry.builders import T0, record

TOKEN = "client-token"
TODAY = T0 // 1_000_000_000 // DAY_S
HOST = HostState(
    host_id="host-1",
    running=1,
    idle=2,
    sandboxes=3,
    sandboxes_max=4,
    memory_charged_bytes=5 << 20,
    memory_bytes=6 << 20,
    draining=False,
    parked=2,
    runtime_templates=1,
    function_templates=3,
    starts_waiting=4,
    disk_free_bytes=500,
)


@dataclass(kw_only=True)
class House:
    address: str = ""
    tallies: Tallies
    meter: Meter
    stub: metrics_pb2_grpc.MetricsServiceStub | None = None
    on_look: Callable[[], object] = lambda: None
    """Called whenever somebody asks how it stands."""

    def state(self) -> State:
        self.on_look()
        return State(running=1, by_function={"hello": 1}, hosts=(HOST,))

    def invoked(self, **changes: object) -> None:
        made = record(**changes)
        self.tallies.measure(made)
        self.meter.measure(made)

    @property
    def environment(self) -> dict[str, str]:
        return {**os.environ, "EMBERD_ENDPOINT": self.address, "EMBERD_TOKEN": TOKEN}

    async def emberd(self, *arguments: str) -> tuple[int, str, str]:
        process = await asyncio.create_subprocess_exec(
            str(Path(sys.executable).with_name("emberd")),
            *arguments,
            env=self.environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await process.communicate()
        assert process.returncode is not None
        return process.returncode, out.decode(), err.decode()


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    tallies, meter = Tallies(), Meter(lambda _name: {"team": "red"})
    async with open_usage(tmp_path / "usage.db", meter) as store:
        made = House(tallies=tallies, meter=meter)
        service = MetricsService(tallies, made.state, store)
        tokens = TokenTable({"emberd.telemetry.v1.MetricsService": TOKEN})
        server = grpc.aio.server(interceptors=[ServerInterceptor(tokens)])
        metrics_pb2_grpc.add_MetricsServiceServicer_to_server(service, server)
        made.address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
        await server.start()
        async with grpc.aio.insecure_channel(made.address) as channel:
            made.stub = metrics_pb2_grpc.MetricsServiceStub(channel)
            yield made
        await server.stop(None)


async def test_top_shows_rates_hosts_and_percentiles(house: House) -> None:
    house.on_look = house.invoked
    status, out, err = await house.emberd("top", "--once", "--json", "--interval", "0.2")
    assert status == 0, err
    shown = json.loads(out)
    assert shown["Functions"][0]["Function"] == "hello"
    assert shown["Functions"][0]["Invocations"] == 2
    assert 0 < shown["Functions"][0]["PerSecond"] <= 5
    assert shown["Functions"][0]["P50Ms"] == pytest.approx(9, rel=0.34)
    assert shown["Functions"][0]["Running"] == 1
    assert shown["Hosts"][0] == {
        "Host": "host-1",
        "State": "Attached",
        "Running": 1,
        "Warm": 2,
        "Parked": 2,
        "Templates": 4,
        "Waiting": 4,
        "Sandboxes": 3,
        "SandboxesMax": 4,
        "MemoryMB": 5,
        "MemoryMaxMB": 6,
    }


async def test_top_redraws_a_terminal_until_it_is_interrupted(house: House) -> None:
    house.on_look = house.invoked
    ours, theirs = os.openpty()
    process = await asyncio.create_subprocess_exec(
        str(Path(sys.executable).with_name("emberd")),
        *("top", "--interval", "0.1"),
        env={**house.environment, "TERM": "xterm", "COLUMNS": "120", "LINES": "20"},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    seen = b""
    try:
        async with asyncio.timeout(30):
            while seen.count(b"invocations/s") < 3:
                seen += await asyncio.to_thread(os.read, ours, 65_536)
            process.send_signal(signal.SIGINT)
            while piece := await asyncio.to_thread(last_words, ours):
                seen += piece
            assert await process.wait() == 130
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
        os.close(ours)
    assert seen.startswith(b"\x1b[?1049h")
    assert b"\x1b[?1049l" in seen
    assert b"Traceback" not in seen


def last_words(terminal: int) -> bytes:
    """The next piece, or nothing once the other end is closed."""
    try:
        return os.read(terminal, 65_536)
    except OSError:
        return b""


async def test_usage_comes_as_table_csv_and_json(house: House) -> None:
    for _ in range(3):
        house.invoked(billed_ms=500, memory_size_mb=1024)
    day = datetime.fromtimestamp(TODAY * DAY_S, UTC).strftime("%Y-%m-%d")
    days = ("--since", day, "--until", day)
    status, out, err = await house.emberd("usage", "--format", "json", *days)
    assert status == 0, err
    (row,) = json.loads(out)["Usage"]
    assert row == {
        "Group": "hello",
        "Requests": 3,
        "BilledSeconds": 1.5,
        "GBSeconds": 1.5,
        "Cost": "0.000026",
    }
    assert json.loads(out)["Total"]["ToPay"] == "0.000000"
    _, out, _ = await house.emberd("usage", "--format", "csv", "--by", "tag:team", *days)
    assert [each["Group"] for each in csv.DictReader(io.StringIO(out))] == ["red"]
    _, out, _ = await house.emberd("usage", "--by", "day", *days)
    assert out.splitlines()[1].split() == [day, "3", "1.5", "1.5", "0.000026"]
    assert out.splitlines()[-1] == "free tier -0.000026, to pay 0.000000 USD"


async def test_days_in_the_wrong_order_are_refused(house: House) -> None:
    request = pb.GetUsageRequest()
    request.start_time.FromSeconds(DAY_S * 10)
    request.end_time.FromSeconds(DAY_S)
    assert house.stub is not None
    with pytest.raises(grpc.aio.AioRpcError) as failed:
        await house.stub.GetUsage(request, metadata=authorization(TOKEN), timeout=10)
    assert isinstance(error_from(failed.value), InvalidArgumentError)
    status, _, err = await house.emberd("usage", "--since", "yesterday")
    assert status == 252
    assert "write it like 2026-11-01" in err


async def kept(path: Path) -> list[Usage]:
    async with open_usage(path, Meter(lambda _name: {})) as store:
        return await store.read(0, 10**6)


async def test_usage_survives_a_restart_and_goes_on(tmp_path: Path) -> None:
    for _ in range(2):
        meter = Meter(lambda _name: {"team": "red"})
        async with open_usage(tmp_path / "u.db", meter):
            meter.measure(record(billed_ms=10, memory_size_mb=512))
    (found,) = await kept(tmp_path / "u.db")
    assert (found.requests, found.billed_ms, found.memory_mb_ms) == (2, 20, 10240)
    assert (found.tags, found.day) == ({"team": "red"}, TODAY)


async def test_usage_is_on_disk_without_being_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "FLUSH_S", 0.01)
    loop, done, add = asyncio.get_running_loop(), asyncio.Event(), module._add

    def added(connection: sqlite3.Connection, usages: Sequence[Usage]) -> None:
        add(connection, usages)
        loop.call_soon_threadsafe(done.set)

    monkeypatch.setattr(module, "_add", added)
    meter = Meter(lambda _name: {})
    async with open_usage(tmp_path / "u.db", meter), asyncio.timeout(10):
        meter.measure(record())
        await done.wait()
        assert written(tmp_path / "u.db") == 1


def written(path: Path) -> int:
    connection = sqlite3.connect(path)
    try:
        (count,) = connection.execute("SELECT count(*) FROM usage").fetchone()
    finally:
        connection.close()
    return int(count)


async def test_what_the_disk_refuses_is_written_later(tmp_path: Path) -> None:
    meter = Meter(lambda _name: {})
    store = UsageStore(tmp_path / "u.db", meter)
    await store.open()
    other = sqlite3.connect(tmp_path / "u.db")
    other.execute("ALTER TABLE usage RENAME TO hidden")
    meter.measure(record(billed_ms=7))
    await store.flush()
    other.execute("ALTER TABLE hidden RENAME TO usage")
    other.close()
    assert [each.billed_ms for each in await store.read(0, TODAY)] == [7]
    await store.close()


async def test_old_days_go_and_a_file_that_is_none_is_put_aside(tmp_path: Path) -> None:
    path = tmp_path / "u.db"
    path.write_bytes(b"not a database, certainly not one" * 100)
    meter = Meter(lambda _name: {})
    async with open_usage(path, meter) as store:
        meter.measure(record(end_ns=T0 - module.DAYS_KEPT * DAY_S * 1_000_000_000))
        await store.flush()
        meter.measure(record())
        assert [each.day for each in await store.read(0, TODAY)] == [TODAY]
    assert path.with_name("u.db.unreadable").exists()
