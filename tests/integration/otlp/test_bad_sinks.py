"""Endpoints that are slow, refuse, are gone or come back: what they cost, and what is counted."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from controlplane.metrics.exposition import text
from controlplane.metrics.state import State
from controlplane.metrics.tallies import Tallies
from controlplane.storage.telemetry import open_telemetry
from controlplane.telemetry import CLOSE_S, Telemetry
from tests.integration.fleet.playing import until
from tests.integration.otlp.receiver import RECEIVERS, Tls
from tests.unit.telemetry.builders import TRACE_ID, line, record

PATIENCE_S = 30.0


@pytest.fixture
def silent() -> Iterator[str]:
    """A listener that never answers is worse than none: every call hangs until it is given up."""
    listener = socket.create_server(("127.0.0.1", 0))
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    listener.close()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


@pytest.mark.parametrize("protocol", RECEIVERS)
async def test_a_black_hole_costs_counted_items_and_no_waiting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, silent: str, protocol: str
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", silent)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", protocol)
    async with open_telemetry(tmp_path / "t.db") as stores:
        telemetry = Telemetry(stores.traces, service_instance="instance-1", otlp=True)
        for _ in range(1000):
            telemetry.record(record())
            telemetry.take_lines([line(), line(), line()])
        await telemetry.settle()
        assert telemetry.lost["exported_spans"] == 8 * 1000 - 2048
        assert telemetry.lost["exported_log_lines"] == 3 * 1000 - 2048
        assert (await stores.traces.by_trace_id(TRACE_ID)).spans
        loop = asyncio.get_running_loop()
        began = loop.time()
        await telemetry.close()
        assert loop.time() - began < CLOSE_S + 0.5


async def test_long_lines_are_bounded_by_their_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, silent: str
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", silent)
    async with open_telemetry(tmp_path / "t.db") as stores:
        telemetry = Telemetry(stores.traces, service_instance="instance-1", otlp=True)
        telemetry.take_lines([line(bytes(256 * 1024))] * 100)
        assert telemetry.lost["exported_log_lines"] == 100 - 63
        await telemetry.close()


@pytest.mark.parametrize("protocol", RECEIVERS)
async def test_a_refusal_loses_a_batch_and_what_comes_after_the_return_arrives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, protocol: str
) -> None:
    port = free_port()
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{port}")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", protocol)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "200")
    monkeypatch.setenv("OTEL_METRICS_EXPORTER", "none")
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "1")
    async with open_telemetry(tmp_path / "t.db") as stores, asyncio.timeout(PATIENCE_S):
        telemetry = Telemetry(stores.traces, service_instance="instance-1", otlp=True)
        telemetry.record(record())
        await telemetry.settle()
        await until(lambda: telemetry.export_dropped == 8)
        async with RECEIVERS[protocol](port) as (taken, _):
            while not taken.came.is_set():
                lost = telemetry.export_dropped
                telemetry.record(record())
                await telemetry.settle()
                await until(
                    lambda lost=lost: taken.came.is_set() or telemetry.export_dropped > lost
                )
            assert taken.spans[0].trace_id.hex() == TRACE_ID
            await telemetry.close()


@pytest.mark.parametrize("protocol", RECEIVERS)
async def test_headers_and_compression_are_what_the_variables_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, protocol: str
) -> None:
    async with RECEIVERS[protocol]() as (taken, endpoint), open_telemetry(tmp_path / "t.db") as s:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", protocol)
        monkeypatch.setenv(
            "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
            endpoint + ("/v1/traces" if protocol == "http/protobuf" else ""),
        )
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-team=red")
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip")
        telemetry = Telemetry(s.traces, service_instance="instance-1", otlp=True)
        telemetry.record(record())
        telemetry.take_lines([line()])
        await telemetry.close()
    assert len(taken.spans) == 8
    assert not taken.metrics
    assert not taken.lines
    (headers,) = taken.headers
    assert headers["x-team"] == "red"
    if protocol == "http/protobuf":
        assert headers["content-encoding"] == "gzip"


@pytest.mark.parametrize("protocol", RECEIVERS)
async def test_a_collectors_certificate_is_checked_against_the_one_that_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, protocol: str
) -> None:
    tls = Tls.make(tmp_path)
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)  # over HTTP they would win
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", protocol)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "1000")
    monkeypatch.setenv("OTEL_METRICS_EXPORTER", "none")
    async with (
        RECEIVERS[protocol](tls=tls) as (taken, endpoint),
        open_telemetry(tmp_path / "t.db") as stores,
    ):
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)
        for certificate, arrived in ((None, 0), (tls.certificate, 8)):
            if certificate is not None:
                monkeypatch.setenv("OTEL_EXPORTER_OTLP_CERTIFICATE", str(certificate))
            telemetry = Telemetry(stores.traces, service_instance="instance-1", otlp=True)
            telemetry.record(record())
            await telemetry.close()
            assert len(taken.spans) == arrived
            assert telemetry.export_dropped == 8 - arrived


def test_what_was_lost_is_shown_to_prometheus() -> None:
    page = text(Tallies(), State(dropped={"exported_log_lines": 7}), openmetrics=False)
    assert 'emberd_telemetry_dropped_total{emberd_kind="exported_log_lines"} 7' in page
