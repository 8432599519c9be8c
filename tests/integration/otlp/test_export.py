"""Spans, metrics and log lines out over OTLP, to a real receiver."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest
from opentelemetry.proto.metrics.v1.metrics_pb2 import (
    AGGREGATION_TEMPORALITY_CUMULATIVE as SINCE_START,
)
from opentelemetry.proto.metrics.v1.metrics_pb2 import AGGREGATION_TEMPORALITY_DELTA as DELTA
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from controlplane.metrics.state import HostState, State
from controlplane.model.invocation import StartLevel
from controlplane.storage.telemetry import open_telemetry
from controlplane.telemetry import Telemetry, otlp_wanted
from tests.integration.otlp.receiver import RECEIVERS, grpc_receiver, plain
from tests.unit.telemetry.builders import (
    CALLER_SPAN_ID,
    REQUEST_ID,
    SPAN_ID,
    T0,
    TRACE_ID,
    line,
    record,
)

HOST = HostState(
    host_id="host-1",
    running=2,
    idle=3,
    sandboxes=5,
    sandboxes_max=10,
    memory_charged_bytes=300,
    memory_bytes=1000,
    draining=False,
    parked=2,
    runtime_templates=1,
    function_templates=3,
    starts_waiting=4,
    disk_free_bytes=500,
)


@pytest.mark.parametrize("protocol", RECEIVERS)
async def test_one_record_arrives_as_one_tree_of_spans(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, protocol: str
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", protocol)
    async with (
        RECEIVERS[protocol]() as (taken, endpoint),
        open_telemetry(tmp_path / "t.db") as stores,
    ):
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)
        monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment=test")
        assert otlp_wanted(os.environ)
        telemetry = Telemetry(stores.traces, service_instance="instance-1", otlp=True)
        telemetry.watch(lambda: State(running=7))
        telemetry.record(record(error_type="Sandbox.Timedout"))
        await telemetry.close()
        assert telemetry.export_dropped == 0
    names = {span.span_id: span.name for span in taken.spans}
    tree = {span.name: names.get(span.parent_span_id, "") for span in taken.spans}
    assert tree == {
        "hello": "",
        "front": "hello",
        "schedule": "hello",
        "artifact": "hello",
        "sandbox": "hello",
        "mounts": "sandbox",
        "init": "hello",
        "invoke": "hello",
    }
    assert {span.trace_id.hex() for span in taken.spans} == {TRACE_ID}
    root = next(span for span in taken.spans if span.name == "hello")
    assert (root.span_id.hex(), root.parent_span_id.hex()) == (SPAN_ID, CALLER_SPAN_ID)
    assert root.kind == Span.SPAN_KIND_SERVER
    assert (root.status.code, root.status.message) == (
        Status.STATUS_CODE_ERROR,
        "Sandbox.Timedout",
    )
    assert (root.start_time_unix_nano, root.end_time_unix_nano) == (T0, T0 + 60_000_000)
    attributes = plain(root.attributes)
    assert attributes["faas.invocation_id"] == REQUEST_ID
    assert attributes["faas.coldstart"] is True
    assert attributes["faas.max_memory"] == 134_217_728
    assert attributes["error.type"] == "Sandbox.Timedout"
    assert taken.resources[0]["service.name"] == "emberd"
    assert taken.resources[0]["service.instance.id"] == "instance-1"
    assert taken.resources[0]["deployment.environment"] == "test"
    assert taken.metrics["emberd.concurrent_executions"] == 7


async def test_a_failure_arrives_though_the_sampler_left_it_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with grpc_receiver() as (taken, endpoint), open_telemetry(tmp_path / "t.db") as stores:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)
        telemetry = Telemetry(stores.traces, service_instance="instance-1", otlp=True)
        warm = record(sampled=False, start_level=StartLevel.WARM)
        telemetry.record(replace(warm, request_id="warm"))
        telemetry.record(replace(warm, request_id="failed", error_type="ValueError"))
        await telemetry.close()
    roots = [plain(span.attributes) for span in taken.spans if span.name == "hello"]
    assert [each["faas.invocation_id"] for each in roots] == ["failed"]
    assert len(taken.spans) == 8


async def test_metrics_mean_what_cloudwatchs_mean(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with grpc_receiver() as (taken, endpoint), open_telemetry(tmp_path / "t.db") as stores:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)
        telemetry = Telemetry(stores.traces, service_instance="instance-1", otlp=True)
        telemetry.watch(lambda: State(running=1, unreserved=1, hosts=(HOST,)))
        telemetry.record(record())
        telemetry.record(record(error_type="Sandbox.Timedout", sampled=False, provisioned=True))
        telemetry.record(record(start_level=StartLevel.WARM, provisioned=False))
        telemetry.record(record(error_type="TOO_MANY_REQUESTS", start_level=None, phases=()))
        telemetry.record(record(error_type="HOST_LOST", start_level=None, phases=()))
        await telemetry.close()
    found = taken.metrics
    assert found.pop("emberd.duration") == pytest.approx(3 * 0.009)
    assert found.pop("faas.invoke_duration") == pytest.approx(3 * 0.009)
    assert found.pop("faas.init_duration") == pytest.approx(3 * 0.025)
    assert found.pop("faas.mem_usage") == 3 * (40 << 20)
    assert {name: value for name, value in found.items() if "host" not in name} == {
        "emberd.invocations": 3,
        "emberd.errors": 1,
        "emberd.throttles": 1,
        "emberd.failures": 1,
        "emberd.starts": 3,
        "emberd.provisioned_concurrency_invocations": 1,
        "emberd.provisioned_concurrency_spillover_invocations": 1,
        "emberd.concurrent_executions": 1,
        "emberd.unreserved_concurrent_executions": 1,
        "emberd.claimed_account_concurrency": 0,
        "faas.invocations": 2,
        "faas.errors": 1,
        "faas.timeouts": 1,
        "faas.coldstarts": 2,
    }
    assert found["emberd.hosts"] == 1
    assert found["emberd.host.sandboxes"] == 5 + 2
    assert found["emberd.host.templates"] == 1 + 3
    assert found["emberd.host.starts_waiting"] == 4
    assert found["emberd.host.disk_free"] == 500
    assert found["emberd.host.memory_charged"] == 300


async def test_a_kept_trace_is_the_exemplar_of_its_duration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with grpc_receiver() as (taken, endpoint), open_telemetry(tmp_path / "t.db") as stores:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)
        telemetry = Telemetry(stores.traces, service_instance="instance-1", otlp=True)
        telemetry.record(record(sampled=False, trace_id="f" * 32))
        telemetry.record(record())
        await telemetry.close()
    assert taken.exemplars["emberd.duration"] == {TRACE_ID}


async def test_temporality_is_what_the_variable_asks_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with grpc_receiver() as (taken, endpoint), open_telemetry(tmp_path / "t.db") as stores:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", "delta")
        telemetry = Telemetry(stores.traces, service_instance="instance-1", otlp=True)
        telemetry.record(record())
        await telemetry.close()
    assert taken.temporality["emberd.invocations"] == DELTA
    assert taken.temporality["emberd.duration"] == DELTA


async def test_lowmemory_means_differences_of_sizes_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with grpc_receiver() as (taken, endpoint), open_telemetry(tmp_path / "t.db") as stores:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", "LowMemory")
        telemetry = Telemetry(stores.traces, service_instance="instance-1", otlp=True)
        telemetry.record(record())
        await telemetry.close()
    assert taken.temporality["emberd.invocations"] == SINCE_START
    assert taken.temporality["emberd.duration"] == DELTA


@pytest.mark.parametrize("protocol", RECEIVERS)
async def test_log_lines_arrive_with_their_invocation_and_their_origin(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, protocol: str
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", protocol)
    async with RECEIVERS[protocol]() as (taken, endpoint), open_telemetry(tmp_path / "t.db") as s:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)
        telemetry = Telemetry(s.traces, service_instance="instance-1", otlp=True)
        begun = line(b"START RequestId: x Version: 3", trace_id=TRACE_ID, span_id=SPAN_ID)
        failed = line(
            b"[ERROR]\t2026-11-26T04:00:00Z\tid\tno \xff", trace_id=TRACE_ID, span_id=SPAN_ID
        )
        telemetry.take_lines([begun, failed, line(b"init", request_id="", version="7")])
        await telemetry.close()
        assert telemetry.lost["exported_log_lines"] == 0
    by_text = {found.body.string_value: (origin, found) for origin, found in taken.lines}
    origin, found = by_text["[ERROR]\t2026-11-26T04:00:00Z\tid\tno \ufffd"]
    assert (found.trace_id.hex(), found.span_id.hex()) == (TRACE_ID, SPAN_ID)
    assert (found.severity_text, found.severity_number) == ("ERROR", 17)
    assert found.time_unix_nano == T0
    assert plain(found.attributes) == {
        "emberd.log.kind": "function",
        "faas.invocation_id": REQUEST_ID,
    }
    assert origin["faas.name"] == "hello"
    assert origin["faas.version"] == "$LATEST"
    assert origin["faas.instance"] == line().log_stream
    assert origin["aws.log.group.names"] == ["/aws/lambda/hello"]
    assert origin["aws.log.stream.names"] == [line().log_stream]
    assert origin["service.instance.id"] == "instance-1"
    _, platform = by_text["START RequestId: x Version: 3"]
    assert plain(platform.attributes)["emberd.log.kind"] == "platform"
    other, init = by_text["init"]
    assert (init.trace_id, init.severity_number, other["faas.version"]) == (b"", 0, "7")
