"""A running emberd and a collector over HTTP: what a stop leaves unsent, and what it says."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from tests.e2e.system import Emberd
from tests.integration.otlp.receiver import http_receiver, plain


async def test_all_three_signals_arrive_over_http_and_belong_together(
    folder: Path, examples: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the usual delays most of it is sent by the stop alone."""
    async with http_receiver() as (taken, endpoint):
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf")
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip")
        emberd = Emberd(folder)
        info = await asyncio.to_thread(used, emberd, examples)
    request_id, trace_id = info["RequestId"], info["TraceId"]
    lines = [
        (origin, found, plain(found.attributes))
        for origin, found in taken.lines
        if plain(found.attributes).get("faas.invocation_id") == request_id
    ]
    assert {found.trace_id.hex() for _, found, _ in lines} == {trace_id}
    roots = [span for span in taken.spans if span.trace_id.hex() == trace_id]
    (root,) = (span for span in roots if span.name == "hello")
    assert {found.span_id for _, found, _ in lines} == {root.span_id}
    assert {origin["faas.name"] for origin, _, _ in lines} == {"hello"}
    kinds = {said["emberd.log.kind"] for _, _, said in lines}
    assert kinds == {"function", "platform"}
    texts = [found.body.string_value for _, found, _ in lines]
    assert any(each.startswith("START ") for each in texts)
    assert any(each.startswith("REPORT ") for each in texts)
    audit = [
        json.loads(found.body.string_value)
        for _, found in taken.lines
        if plain(found.attributes)["emberd.log.kind"] == "audit"
    ]
    assert "CreateFunction" in {each["eventName"] for each in audit}
    assert taken.metrics["emberd.invocations"] == 1
    assert "emberd.hosts" in taken.metrics
    assert {each["content-encoding"] for each in taken.headers} == {"gzip"}


def used(emberd: Emberd, examples: Path) -> dict[str, str]:
    """Start it, use it, stop it; what it said of one invocation."""
    try:
        emberd.start()
        emberd.ok("deploy", examples / "hello")
        done = emberd.run("invoke", "hello", "--payload", "{}", "--info")
        info: dict[str, str] = json.loads(done.stderr.splitlines()[0])
        assert emberd.stop() == 0, emberd.log()
        assert "did not take everything" not in emberd.log()
    finally:
        emberd.close()
    return info
