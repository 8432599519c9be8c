"""Logs and traces over the real wire: the service, and the commands that call it."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration

from controlplane.api.grpc.telemetry import TelemetryService
from controlplane.model.audit import AUDIT
from controlplane.model.ids import ArnScheme
from controlplane.model.invocation import StartLevel
from controlplane.storage.telemetry import TelemetryStores, open_telemetry
from controlplane.telemetry import Telemetry
from emberd.telemetry.v1 import telemetry_pb2 as pb
from emberd.telemetry.v1 import telemetry_pb2_grpc
from emberd.wire.channels import authorization
from emberd.wire.errors import InvalidArgumentError, NotFoundError
from emberd.wire.interceptors import ServerInterceptor, TokenTable
from emberd.wire.status import error_from
from emberd.wire.times import NS_PER_S, timestamp
from tests.unit.telemetry.builders import (
    CALLER_SPAN_ID,
    REQUEST_ID,
    SPAN_ID,
    T0,
    TRACE_ID,
    line,
    record,
)

TOKEN = "client-token"
DEADLINE_S = 20.0


@dataclass(kw_only=True)
class House:
    """A control plane's telemetry as a client meets it."""

    address: str
    stores: TelemetryStores
    telemetry: Telemetry
    service: TelemetryService
    stub: telemetry_pb2_grpc.TelemetryServiceStub

    def read(self, **fields: object) -> grpc.aio.UnaryStreamCall:
        request = pb.ReadLogsRequest(**{"function_name": "hello", **fields})
        return self.stub.ReadLogs(request, metadata=authorization(TOKEN), timeout=DEADLINE_S)

    async def trace(self, **key: str) -> pb.GetTraceResponse:
        request = pb.GetTraceRequest(**key)
        return await self.stub.GetTrace(request, metadata=authorization(TOKEN), timeout=DEADLINE_S)


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with open_telemetry(tmp_path / "telemetry.db") as stores:
        telemetry = Telemetry(stores.traces, service_instance="test", otlp=False)
        service = TelemetryService(
            stores.logs,
            stores.traces,
            arns=ArnScheme(region="us-east-1", account_id="000000000000"),
            exists=lambda name: name in {"hello", "silent"},
            settle=telemetry.settle,
        )
        tokens = TokenTable({"emberd.telemetry.v1.TelemetryService": TOKEN})
        server = grpc.aio.server(interceptors=[ServerInterceptor(tokens)])
        telemetry_pb2_grpc.add_TelemetryServiceServicer_to_server(service, server)
        address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
        await server.start()
        async with grpc.aio.insecure_channel(address) as channel:
            yield House(
                address=address,
                stores=stores,
                telemetry=telemetry,
                service=service,
                stub=telemetry_pb2_grpc.TelemetryServiceStub(channel),
            )
        await server.stop(None)


async def messages(call: grpc.aio.UnaryStreamCall) -> list[bytes]:
    return [each.message async for response in call for each in response.lines]


async def test_history_comes_whole_over_a_stock_clients_message_limit(house: House) -> None:
    house.stores.logs.append([line(bytes([65 + n]) * 250_000) for n in range(24)])
    assert [each[:1] for each in await messages(house.read())] == [
        bytes([65 + n]) for n in range(24)
    ]


async def test_following_goes_on_where_history_ends(house: House) -> None:
    house.stores.logs.append([line(b"%d" % n) for n in range(1500)])
    got: list[bytes] = []
    appended = 1500
    async with asyncio.timeout(DEADLINE_S):
        call = house.read(follow=True)
        async for response in call:
            got += [each.message for each in response.lines]
            if appended < 2000:
                house.stores.logs.append([line(b"%d" % n) for n in range(appended, appended + 100)])
                appended += 100
            if len(got) == 2000:
                break
        call.cancel()
    assert got == [b"%d" % n for n in range(2000)]


async def test_a_pattern_chooses_among_history_before_the_newest_are_counted(house: House) -> None:
    house.stores.logs.append([line(b"%s %d" % (b"bad" if n % 3 else b"ok", n)) for n in range(9)])
    assert await messages(house.read(filter_pattern="ok")) == [b"ok 0", b"ok 3", b"ok 6"]
    assert await messages(house.read(filter_pattern="ok", max_lines=2)) == [b"ok 3", b"ok 6"]


async def test_a_level_chooses_with_a_pattern_or_without(house: House) -> None:
    house.stores.logs.append(
        [line(b"plain"), line(b"[WARNING]\tlow"), line(b"[ERROR] low"), line(b"[DEBUG]\tx")]
    )
    assert await messages(house.read(min_level="WARN")) == [b"[WARNING]\tlow", b"[ERROR] low"]
    assert await messages(house.read(min_level="INFO", filter_pattern="-low")) == [b"plain"]
    with pytest.raises(grpc.aio.AioRpcError) as failed:
        await messages(house.read(min_level="LOUD"))
    assert "TRACE, DEBUG, INFO, WARN, ERROR, FATAL" in error_from(failed.value).message


async def test_the_audit_log_is_read_like_a_functions(house: House) -> None:
    house.stores.logs.append([line(b"hello's"), line(b"{}", function_name=AUDIT, log_group="")])
    assert await messages(house.read(function_name="", audit=True)) == [b"{}"]
    assert await messages(house.read()) == [b"hello's"]


async def test_a_pattern_chooses_among_what_comes(house: House) -> None:
    house.stores.logs.append([line(b'{"level":"ERROR","n":1}'), line(b'{"level":"INFO"}')])
    got: list[bytes] = []
    async with asyncio.timeout(DEADLINE_S):
        call = house.read(follow=True, filter_pattern='{ $.level = "ERROR" }')
        async for response in call:
            got += [each.message for each in response.lines]
            if len(got) == 2:
                break
            house.stores.logs.append([line(b"\xff no JSON"), line(b'{"level":"ERROR","n":2}')])
        call.cancel()
    assert got == [b'{"level":"ERROR","n":1}', b'{"level":"ERROR","n":2}']


async def test_a_follower_of_a_silent_log_knows_that_it_follows_and_is_let_go(
    house: House,
) -> None:
    async with asyncio.timeout(DEADLINE_S):
        call = house.read(follow=True, function_name="silent")
        await call.initial_metadata()
        assert house.stores.logs.followers == 1
        call.cancel()
        while house.stores.logs.followers:  # noqa: ASYNC110  # nothing tells us but the count
            await asyncio.sleep(0)


async def test_followers_end_cleanly_when_the_server_is_to_stop(house: House) -> None:
    house.stores.logs.append([line(b"history")])
    call = house.read(follow=True)
    async with asyncio.timeout(DEADLINE_S):
        assert (await call.read()).lines[0].message == b"history"
        house.service.end_streams()
        assert await call.read() is grpc.aio.EOF
        assert await call.code() is grpc.StatusCode.OK


async def test_a_function_that_never_was_is_not_found(house: House) -> None:
    for follow in (False, True):
        with pytest.raises(grpc.aio.AioRpcError) as failed:
            await messages(house.read(function_name="nobody", follow=follow))
        error = error_from(failed.value)
        assert isinstance(error, NotFoundError)
        assert error.message == (
            "Function not found: arn:aws:lambda:us-east-1:000000000000:function:nobody"
        )


async def test_a_function_without_a_line_has_an_empty_log(house: House) -> None:
    assert await messages(house.read(function_name="silent")) == []


async def test_the_log_of_a_deleted_function_can_be_read_by_its_arn(house: House) -> None:
    house.stores.logs.append([line(b"kept")])
    arn = "arn:aws:lambda:us-east-1:000000000000:function:hello"
    assert await messages(house.read(function_name=arn)) == [b"kept"]


@pytest.mark.parametrize(
    "fields",
    [
        {"max_lines": -1},
        {"max_lines": 10_001},
        {"function_name": "a b"},
        {"filter_pattern": '"open'},
    ],
)
async def test_bad_requests_are_refused(house: House, fields: dict[str, object]) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as failed:
        await messages(house.read(**fields))
    assert isinstance(error_from(failed.value), InvalidArgumentError)


async def test_a_trace_can_be_asked_for_the_moment_an_invocation_was_answered(house: House) -> None:
    house.telemetry.record(record())
    trace = await house.trace(request_id=REQUEST_ID)
    assert trace == await house.trace(trace_id=TRACE_ID.upper())
    assert [span.name for span in trace.spans] == [
        "hello",
        "front",
        "schedule",
        "artifact",
        "sandbox",
        "mounts",
        "init",
        "invoke",
    ]
    root = trace.spans[0]
    assert (root.span_id, root.parent_span_id, root.error) == (SPAN_ID, CALLER_SPAN_ID, False)
    assert root.attributes["faas.coldstart"] == "true"
    assert root.attributes["faas.max_memory"] == "134217728"
    assert root.start_time.ToNanoseconds() == T0


async def test_a_trace_must_be_named(house: House) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as failed:
        await house.trace()
    assert isinstance(error_from(failed.value), InvalidArgumentError)


async def start_cli(house: House, *arguments: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        "from controlplane.cli import main; main()",
        *arguments,
        env={**os.environ, "EMBERD_ENDPOINT": house.address, "EMBERD_TOKEN": TOKEN, "TZ": "UTC"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def run_cli(house: House, *arguments: str) -> tuple[int, bytes, str]:
    process = await start_cli(house, *arguments)
    async with asyncio.timeout(DEADLINE_S):
        out, err = await process.communicate()
    return process.returncode or 0, out, err.decode()


async def test_the_command_logs_prints_lines_and_nothing_else_on_stdout(house: House) -> None:
    house.stores.logs.append([line(b"START \x1b[31m"), line(b"REPORT\tx\t")])
    code, out, err = await run_cli(house, "logs", "hello")
    assert (code, err) == (0, "")
    assert out == (
        b"2027-01-15 08:00:00.000 8e2a6a4e START \\x1b[31m\n"
        b"2027-01-15 08:00:00.000 8e2a6a4e REPORT\tx\n"
    )


async def test_the_command_logs_says_when_nothing_matched_and_where_it_looked(
    house: House,
) -> None:
    house.stores.logs.append([line(b"old")])
    code, out, err = await run_cli(house, "logs", "hello", "--since", "2030-01-01T00:00:00Z")
    assert (code, out) == (0, b"")
    assert "no log line of hello" in err
    assert "2030-01-01 00:00:00 UTC" in err


async def test_the_command_logs_follows_until_emberd_stops(house: House) -> None:
    house.stores.logs.append([line(b"history")])
    process = await start_cli(house, "logs", "hello", "-f", "--format", "raw")
    assert process.stdout is not None
    async with asyncio.timeout(DEADLINE_S):
        assert await process.stdout.readline() == b"history\n"
        house.stores.logs.append([line(b"news \xff")])
        house.service.end_streams()
        out, err = await process.communicate()
    assert (process.returncode, out) == (0, b"news \xff\n")
    assert b"stopping" in err


async def test_the_command_trace_draws_the_phases(house: House) -> None:
    house.telemetry.record(record(error_type="Sandbox.Timedout"))
    code, out, err = await run_cli(house, "trace", REQUEST_ID)
    assert (code, err) == (0, "")
    rows = out.decode().splitlines()
    assert rows[0] == f"trace {TRACE_ID}"
    assert rows[1] == f"hello:3  {REQUEST_ID}  60.00 ms, fresh, failed: Sandbox.Timedout"
    drawn = [row.split("  ")[0] or row.strip().split("  ")[0] for row in rows[3:]]
    assert drawn[0] == "hello"
    assert [name.strip() for name in drawn[1:]] == [
        "front",
        "schedule",
        "artifact",
        "sandbox",
        "mounts",
        "init",
        "invoke",
    ]
    assert "\x1b" not in out.decode()
    assert all("█" in row for row in rows[3:])


async def test_the_command_trace_prints_json(house: House) -> None:
    house.telemetry.record(record())
    code, out, _ = await run_cli(house, "trace", TRACE_ID, "--output", "json")
    answer = json.loads(out)
    assert code == 0
    assert answer["TraceId"] == TRACE_ID
    assert answer["Spans"][0]["DurationMs"] == 60.0
    assert answer["Spans"][0]["Attributes"]["faas.trigger"] == "other"


async def test_the_command_trace_tells_what_is_not_kept(house: House) -> None:
    code, out, err = await run_cli(house, "trace", REQUEST_ID)
    assert (code, out) == (254, b"")
    assert f"no trace of request {REQUEST_ID} is kept" in err
    assert "TRACE_NOT_FOUND" in err


async def list_traces(house: House, **fields: object) -> list[str]:
    request = pb.ListTracesRequest(**fields)
    answer = await house.stub.ListTraces(request, metadata=authorization(TOKEN), timeout=DEADLINE_S)
    return [each.request_id for each in answer.traces]


def record_several(house: House) -> None:
    """Five invocations, a second apart, of two functions."""
    warm = {"start_level": StartLevel.WARM}
    for index, changes in enumerate(
        (
            {"request_id": "cold"},
            {"request_id": "warm", **warm, "duration": 3},
            {"request_id": "failed", **warm, "error_type": "ValueError"},
            {"request_id": "throttled", "start_level": None, "error_type": "TOO_MANY_REQUESTS"},
            {"request_id": "other", "function_name": "other", "start_level": StartLevel.PARKED},
        )
    ):
        start_ns = T0 + index * NS_PER_S
        took_ns = changes.pop("duration", 60) * 1_000_000
        times = {"start_ns": start_ns, "end_ns": start_ns + took_ns}
        house.telemetry.record(record(**times, **changes))


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        ({}, ["other", "throttled", "failed", "warm", "cold"]),
        ({"max_traces": 2}, ["other", "throttled"]),
        ({"function_name": "hello"}, ["throttled", "failed", "warm", "cold"]),
        ({"function_name": "nobody"}, []),
        ({"status": pb.INVOCATION_STATUS_ERROR}, ["throttled", "failed"]),
        ({"status": pb.INVOCATION_STATUS_OK, "function_name": "hello"}, ["warm", "cold"]),
        ({"start_level": "fresh"}, ["cold"]),
        ({"start_level": "warm", "status": pb.INVOCATION_STATUS_OK}, ["warm"]),
        ({"min_duration": Duration(nanos=3_000_001)}, ["other", "throttled", "failed", "cold"]),
        ({"start_time": timestamp(T0 + 3 * NS_PER_S)}, ["other", "throttled"]),
    ],
)
async def test_kept_invocations_are_listed_newest_first_and_filtered(
    house: House, fields: dict[str, object], found: list[str]
) -> None:
    record_several(house)
    assert await list_traces(house, **fields) == found


@pytest.mark.parametrize(
    "fields",
    [{"max_traces": -1}, {"max_traces": 1_001}, {"start_level": "hot"}, {"function_name": "a b"}],
)
async def test_a_list_of_traces_refuses_what_means_nothing(
    house: House, fields: dict[str, object]
) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as failed:
        await list_traces(house, **fields)
    assert isinstance(error_from(failed.value), InvalidArgumentError)


async def test_the_command_traces_lists_invocations(house: House) -> None:
    record_several(house)
    code, out, err = await run_cli(house, "traces", "hello", "--status", "error", "-n", "2")
    assert (code, err) == (0, "")
    assert [row.split() for row in out.decode().splitlines()] == [
        [
            "StartTime",
            "FunctionName",
            "Version",
            "RequestId",
            "DurationMs",
            "StartLevel",
            "ErrorType",
        ],
        ["2027-01-15T08:00:03Z", "hello", "3", "throttled", "60.0", "TOO_MANY_REQUESTS"],
        ["2027-01-15T08:00:02Z", "hello", "3", "failed", "60.0", "warm", "ValueError"],
    ]


async def test_the_command_traces_prints_json(house: House) -> None:
    record_several(house)
    code, out, _ = await run_cli(
        house, "traces", "--start-level", "warm", "--slower-than", "50ms", "--output", "json"
    )
    assert code == 0
    assert json.loads(out)["Traces"] == [
        {
            "TraceId": TRACE_ID,
            "RequestId": "failed",
            "FunctionName": "hello",
            "Version": "3",
            "StartTime": "2027-01-15T08:00:02Z",
            "DurationMs": 60.0,
            "StartLevel": "warm",
            "ErrorType": "ValueError",
        }
    ]


async def test_the_command_logs_filters_by_cloudwatchs_patterns(house: House) -> None:
    house.stores.logs.append([line(b"not found"), line(b"not found, retried"), line(b"found")])
    arguments = ("logs", "hello", "--format", "raw", "--filter", '"not found" -retried')
    code, out, err = await run_cli(house, *arguments)
    assert (code, out, err) == (0, b"not found\n", "")
