"""Spans and metrics out over OTLP, to a real receiver and to one that never answers."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import grpc
import pytest
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2, metrics_service_pb2_grpc
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.metrics.v1.metrics_pb2 import AGGREGATION_TEMPORALITY_DELTA as DELTA
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from controlplane.metrics.state import HostState, State
from controlplane.model.invocation import StartLevel
from controlplane.storage.telemetry import open_telemetry
from controlplane.telemetry import CLOSE_S, Telemetry, otlp_wanted
from tests.unit.telemetry.builders import (
    CALLER_SPAN_ID,
    REQUEST_ID,
    SPAN_ID,
    T0,
    TRACE_ID,
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
    logs_dropped=0,
)


@dataclass
class Receiver(
    trace_service_pb2_grpc.TraceServiceServicer, metrics_service_pb2_grpc.MetricsServiceServicer
):
    """What an OpenTelemetry collector is to us: two services that take everything."""

    spans: list[Span] = field(default_factory=list)
    resources: list[dict[str, object]] = field(default_factory=list)
    metrics: dict[str, float] = field(default_factory=dict)
    temporality: dict[str, int] = field(default_factory=dict)
    exemplars: dict[str, set[str]] = field(default_factory=dict)

    async def Export(self, request: object, context: object) -> object:
        if isinstance(request, trace_service_pb2.ExportTraceServiceRequest):
            for each in request.resource_spans:
                self.resources.append(plain(each.resource.attributes))
                self.spans += [span for scope in each.scope_spans for span in scope.spans]
            return trace_service_pb2.ExportTraceServiceResponse()
        assert isinstance(request, metrics_service_pb2.ExportMetricsServiceRequest)
        for resource in request.resource_metrics:
            for scope in resource.scope_metrics:
                for metric in scope.metrics:
                    self.take(metric)
        return metrics_service_pb2.ExportMetricsServiceResponse()

    def take(self, metric: Metric) -> None:
        kind = metric.WhichOneof("data")
        if kind is None:
            return  # an instrument that has nothing to say
        data = getattr(metric, kind)
        self.metrics[metric.name] = sum(value_of(kind, each) for each in data.data_points)
        self.temporality[metric.name] = getattr(data, "aggregation_temporality", 0)
        self.exemplars[metric.name] = {
            exemplar.trace_id.hex() for each in data.data_points for exemplar in each.exemplars
        }


def value_of(kind: str, point: object) -> float:
    if kind == "histogram":
        return point.sum  # type: ignore[attr-defined]
    return getattr(point, point.WhichOneof("value"))  # type: ignore[attr-defined]


def plain(attributes: object) -> dict[str, object]:
    found: dict[str, object] = {}
    for each in attributes:  # type: ignore[attr-defined]
        assert isinstance(each, KeyValue)
        assert isinstance(each.value, AnyValue)
        found[each.key] = getattr(each.value, each.value.WhichOneof("value") or "string_value")
    return found


@asynccontextmanager
async def receiver() -> AsyncIterator[tuple[Receiver, str]]:
    server, taken = grpc.aio.server(), Receiver()
    trace_service_pb2_grpc.add_TraceServiceServicer_to_server(taken, server)
    metrics_service_pb2_grpc.add_MetricsServiceServicer_to_server(taken, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    yield taken, f"http://127.0.0.1:{port}"
    await server.stop(None)


async def test_one_record_arrives_as_one_tree_of_spans(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with receiver() as (taken, endpoint), open_telemetry(tmp_path / "t.db") as stores:
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
    async with receiver() as (taken, endpoint), open_telemetry(tmp_path / "t.db") as stores:
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
    async with receiver() as (taken, endpoint), open_telemetry(tmp_path / "t.db") as stores:
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
        "faas.invocations": 2,
        "faas.errors": 1,
        "faas.timeouts": 1,
        "faas.coldstarts": 2,
    }
    assert found["emberd.hosts"] == 1
    assert found["emberd.host.sandboxes"] == 5
    assert found["emberd.host.memory_charged"] == 300


async def test_a_kept_trace_is_the_exemplar_of_its_duration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with receiver() as (taken, endpoint), open_telemetry(tmp_path / "t.db") as stores:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)
        telemetry = Telemetry(stores.traces, service_instance="instance-1", otlp=True)
        telemetry.record(record(sampled=False, trace_id="f" * 32))
        telemetry.record(record())
        await telemetry.close()
    assert taken.exemplars["emberd.duration"] == {TRACE_ID}


async def test_temporality_is_what_the_variable_asks_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with receiver() as (taken, endpoint), open_telemetry(tmp_path / "t.db") as stores:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", "delta")
        telemetry = Telemetry(stores.traces, service_instance="instance-1", otlp=True)
        telemetry.record(record())
        await telemetry.close()
    assert taken.temporality["emberd.invocations"] == DELTA
    assert taken.temporality["emberd.duration"] == DELTA


async def test_an_endpoint_that_is_down_costs_counted_spans_and_no_waiting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A listener that never answers is worse than none: every call hangs until it is given up."""
    silent = socket.create_server(("127.0.0.1", 0))
    port = silent.getsockname()[1]
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{port}")
    async with open_telemetry(tmp_path / "t.db") as stores:
        telemetry = Telemetry(stores.traces, service_instance="instance-1", otlp=True)
        for _ in range(1000):
            telemetry.record(record())
        await telemetry.settle()
        assert telemetry.export_dropped == 8 * 1000 - 2048
        assert (await stores.traces.by_trace_id(TRACE_ID)).spans
        loop = asyncio.get_running_loop()
        began = loop.time()
        await telemetry.close()
        assert loop.time() - began < CLOSE_S + 0.5
    silent.close()
