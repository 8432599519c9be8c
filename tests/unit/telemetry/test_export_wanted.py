"""What OpenTelemetry's variables ask of the export, and how its queue is bounded."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import pytest

from controlplane.otlp.outbox import Limits, Outbox, Sender
from controlplane.otlp.wanted import Export, Protocol, Signal, read_wanted

ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
PROTOCOL = "OTEL_EXPORTER_OTLP_PROTOCOL"
ALL = set(Signal)


@pytest.mark.parametrize(
    ("environment", "wanted"),
    [
        ({}, set()),
        ({ENDPOINT: "http://127.0.0.1:4317"}, ALL),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "x"}, {Signal.TRACES}),
        ({"OTEL_EXPORTER_OTLP_LOGS_ENDPOINT": "x"}, {Signal.LOGS}),
        ({ENDPOINT: "x", "OTEL_SDK_DISABLED": "true"}, set()),
        ({ENDPOINT: "x", "OTEL_TRACES_EXPORTER": "none"}, {Signal.METRICS, Signal.LOGS}),
        ({ENDPOINT: "x", "OTEL_METRICS_EXPORTER": "prometheus"}, {Signal.TRACES, Signal.LOGS}),
        ({"OTEL_METRICS_EXPORTER": "otlp"}, {Signal.METRICS}),
        ({ENDPOINT: "x", PROTOCOL: "http/json"}, set()),
        ({ENDPOINT: "x", "OTEL_TRACES_EXPORTER": "zipkin"}, {Signal.METRICS, Signal.LOGS}),
    ],
)
def test_a_signal_is_exported_when_somebody_names_where_to(
    environment: dict[str, str], wanted: set[Signal]
) -> None:
    assert set(read_wanted(environment).exports) == wanted


def test_a_signals_own_variable_wins_and_time_is_in_milliseconds() -> None:
    exports = read_wanted(
        {
            ENDPOINT: "x",
            PROTOCOL: "http/protobuf",
            "OTEL_EXPORTER_OTLP_LOGS_PROTOCOL": "grpc",
            "OTEL_EXPORTER_OTLP_TIMEOUT": "2500",
            "OTEL_EXPORTER_OTLP_METRICS_TIMEOUT": "soon",
        }
    ).exports
    assert exports[Signal.TRACES] == Export(protocol=Protocol.HTTP, timeout_s=2.5)
    assert exports[Signal.LOGS] == Export(protocol=Protocol.GRPC, timeout_s=2.5)
    assert exports[Signal.METRICS] == Export(protocol=Protocol.HTTP, timeout_s=10.0)


def test_what_cannot_be_had_is_said_once() -> None:
    (complaint,) = read_wanted({ENDPOINT: "x", PROTOCOL: "http/json"}).complaints
    assert "grpc or http/protobuf" in complaint
    assert read_wanted({ENDPOINT: "x", "OTEL_METRICS_EXPORTER": "prometheus"}).complaints == ()


@pytest.mark.parametrize(
    ("given", "limits"),
    [
        ({}, (2048, 512, 5.0)),
        ({"OTEL_BSP_MAX_QUEUE_SIZE": "100", "OTEL_BSP_SCHEDULE_DELAY": "50"}, (100, 100, 0.05)),
        (
            {"OTEL_BSP_MAX_QUEUE_SIZE": "none", "OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "-1"},
            (2048, 512, 5.0),
        ),
    ],
)
def test_a_queues_bounds_are_opentelemetrys_where_nothing_else_is_said(
    given: dict[str, str], limits: tuple[int, int, float]
) -> None:
    read = Limits.read(given, "OTEL_BSP", delay_ms=5000)
    assert (read.items_max, read.batch_items, read.delay_s) == limits


def test_batches_are_bounded_by_bytes_and_a_surprise_loses_one_of_them() -> None:
    sent: list[list[bytes]] = []
    gate = threading.Event()

    def send(items: Sequence[bytes]) -> bool:
        gate.wait()
        sent.append(list(items))
        if items[0] == b"b":
            raise ValueError("surprise")
        return True

    limits = Limits(items_max=10, batch_items=10, delay_s=0.001, batch_bytes=4)
    box = Outbox(lambda: Sender(send=send, give_up=gate.set), limits, name="test", weigh=len)
    box.put([b"a"])
    box.put([b"ccc", b"dd"])
    box.put([b"b"] * 8)
    assert box.dropped == 8
    box.put([b"b"])
    gate.set()
    assert box.close(10)
    assert [each for batch in sent for each in batch] == [b"a", b"ccc", b"dd", b"b"]
    assert all(sum(map(len, batch)) <= 4 for batch in sent)
    assert box.dropped == 8 + (1 if sent[-1] == [b"b"] else 0)
