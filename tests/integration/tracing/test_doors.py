"""A sandbox's sockets for spans: real SDKs' bytes in, records out, and whatever else, nothing."""

from __future__ import annotations

import asyncio
import gzip
import json
import socket
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass

import pytest
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as service
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from sandbox.tracing import doors as module
from sandbox.tracing.context import TraceContext
from sandbox.tracing.doors import SpanDoor, SpanDoors
from sandbox.tracing.queue import SpanQueue
from sandbox.tracing.receiver import BODY_BYTES_MAX, Held
from sandbox.tracing.spans import SpanRecord

OWN = TraceContext(trace_id="1" * 32, span_id="a" * 16, sampled=True)


@dataclass(eq=False)
class Played:
    door: SpanDoor
    doors: SpanDoors
    queue: SpanQueue
    datagrams: socket.socket
    listener: socket.socket

    @property
    def url(self) -> str:
        host, port = self.listener.getsockname()
        return f"http://{host}:{port}/v1/traces"

    def send(self, *datagrams: bytes) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            for each in datagrams:
                sender.sendto(each, self.datagrams.getsockname())

    async def came(self, count: int) -> list[SpanRecord]:
        """So many spans."""
        records: list[SpanRecord] = []
        async with asyncio.timeout(10):
            while len(records) < count:
                await self.queue.news()
                records += self.queue.take(100, 10**9)[0]
        return records

    async def refused(self, why: str, count: int) -> None:
        async with asyncio.timeout(10):
            while self.doors.refused[why] < count:
                await self.queue.news()
                self.queue.take(100, 10**9)


@asynccontextmanager
async def door() -> AsyncIterator[Played]:
    queue = SpanQueue()
    doors = SpanDoors(queue)
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams,
        socket.create_server(("127.0.0.1", 0)) as listener,
    ):
        datagrams.bind(("127.0.0.1", 0))
        datagrams.settimeout(0)
        listener.settimeout(0)
        made = doors.open(datagrams, listener, "hello", "7")
        made.begin("inv-1", OWN)
        try:
            yield Played(made, doors, queue, datagrams, listener)
        finally:
            await made.close()
            await made.close()


def document(trace_id: str = OWN.trace_id, **changes: object) -> bytes:
    plain = {
        "id": "b" * 16,
        "name": "work",
        "trace_id": f"1-{trace_id[:8]}-{trace_id[8:]}",
        "type": "subsegment",
        "start_time": time.time() - 0.1,
        "end_time": time.time(),
    }
    return b'{"format": "json", "version": 1}\n' + json.dumps(plain | changes).encode()


async def test_a_document_is_a_record_of_the_invocation_in_whose_trace_it_is() -> None:
    async with door() as played:
        played.send(document(parent_id="c" * 16), document())
        first, second = await played.came(2)
    assert (first.function_name, first.version, first.invocation_id) == ("hello", "7", "inv-1")
    assert first.span.parent_span_id == "c" * 16
    assert second.span.parent_span_id == OWN.span_id


async def test_foreign_and_malformed_documents_are_counted_and_change_nothing() -> None:
    async with door() as played:
        played.send(b"", b"\xff" * 100, document("2" * 32), document(id=OWN.span_id))
        await played.refused("malformed", 2)
        await played.refused("of no invocation that this sandbox had", 1)
        await played.refused("with the id of the invocation's own span", 1)
        played.send(document())
        assert len(await played.came(1)) == 1


async def test_a_flood_rests_and_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BUSY_S", 0.0)
    async with door() as played:
        for number in range(1, 30):
            played.send(document(id=f"{number:016x}"))
        assert len(await played.came(29)) == 29


def export(url: str) -> None:
    """What a function with OpenTelemetry's SDK does."""
    provider = TracerProvider()
    exporter = OTLPSpanExporter(url)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    parent = TraceContextTextMapPropagator().extract({"traceparent": OWN.traceparent()})
    with provider.get_tracer("mine").start_as_current_span("outer", parent) as outer:
        outer.set_attribute("customer", "ada")
        with provider.get_tracer("mine").start_as_current_span("inner"):
            pass
    provider.shutdown()


async def test_opentelemetrys_own_exporter_is_understood() -> None:
    async with door() as played:
        await asyncio.to_thread(export, played.url)
        inner, outer = await played.came(2)
    assert (inner.span.name, outer.span.name) == ("inner", "outer")
    assert inner.span.parent_span_id == outer.span.span_id
    assert outer.span.parent_span_id == OWN.span_id
    assert outer.span.attributes == {"customer": "ada", "otel.scope.name": "mine"}


def body(trace_id: str = OWN.trace_id, count: int = 1) -> bytes:
    now = time.time_ns()
    spans = [
        Span(
            trace_id=bytes.fromhex(trace_id),
            span_id=(n + 1).to_bytes(8, "big"),
            name="work",
            start_time_unix_nano=now - 1,
            end_time_unix_nano=now,
        )
        for n in range(count)
    ]
    request = service.ExportTraceServiceRequest(
        resource_spans=[ResourceSpans(scope_spans=[ScopeSpans(spans=spans)])]
    )
    return request.SerializeToString()


def request(
    content: bytes, path: str = "/v1/traces", kind: str = "application/x-protobuf", **more: str
) -> bytes:
    headers = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in more.items())
    return (
        f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: {kind}\r\n{headers}"
        f"Content-Length: {len(content)}\r\n\r\n"
    ).encode() + content


async def exchange(played: Played, *sent: bytes) -> bytes:
    """Everything that is answered until the connection ends; ours ends after the last."""
    reader, writer = await asyncio.open_connection(*played.listener.getsockname())
    try:
        for each in sent:
            writer.write(each)
        writer.write_eof()
        async with asyncio.timeout(10):
            return await reader.read()
    except OSError:
        return b""
    finally:
        writer.close()


async def test_a_packed_body_and_several_requests_of_one_connection_are_taken() -> None:
    async with door() as played:
        packed = request(gzip.compress(body()), Content_Encoding="gzip")
        answered = await exchange(played, packed, request(body()))
        assert answered.count(b"HTTP/1.1 200 OK") == 2
        assert len(await played.came(2)) == 2


async def test_a_sender_is_told_what_was_refused() -> None:
    async with door() as played:
        answered = await exchange(played, request(body("2" * 32, 3)))
        head, _, told = answered.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200 OK")
        partial = service.ExportTraceServiceResponse.FromString(told).partial_success
        assert partial.rejected_spans == 3


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (request(b"", path="/v1/metrics"), 404),
        (request(b"{}", kind="application/json"), 415),
        (request(b"", Content_Encoding="br"), 415),
        (request(b"\xff\xff"), 400),
        (request(b"no gzip", Content_Encoding="gzip"), 400),
        (request(gzip.compress(b"x")[:-6], Content_Encoding="gzip"), 400),
        (request(gzip.compress(bytes(BODY_BYTES_MAX + 1)), Content_Encoding="gzip"), 413),
        (request(bytes(BODY_BYTES_MAX + 1)), 413),
        (b"nonsense\r\n\r\n", 400),
        (b"GET /v1/traces HTTP/1.1\r\n" + b"a: b\r\n" * 5_000, 431),
    ],
    ids=range(10),
)
async def test_anything_else_is_refused_and_ends_its_connection(sent: bytes, status: int) -> None:
    async with door() as played:
        answered = await exchange(played, sent)
        # A reset over what was not read may swallow the answer, but never the end.
        assert answered.startswith(b"HTTP/1.1 %d " % status) or not answered
        assert b"HTTP/1.1 200" in await exchange(played, request(body()))


async def test_what_is_held_of_bodies_is_bounded_and_let_go(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Held, "LIMIT_BYTES", 100_000)
    async with door() as played:
        refused = await exchange(played, request(bytes(200_000)))
        assert refused.startswith(b"HTTP/1.1 429 ") or not refused
        for _ in range(3):
            await exchange(played, request(b"\xff" * 90_000))
        assert b"HTTP/1.1 200" in await exchange(played, request(body()))


@contextmanager
def silent(played: Played, count: int) -> Iterator[None]:
    connections = [socket.create_connection(played.listener.getsockname()) for _ in range(count)]
    try:
        yield
    finally:
        for each in connections:
            each.close()


async def test_connections_beyond_the_places_wait_for_one() -> None:
    async with door() as played:
        with silent(played, module.CONNECTIONS_PER_SANDBOX):
            late = asyncio.create_task(exchange(played, request(body())))
            done, _ = await asyncio.wait({late}, timeout=0.1)
            assert not done
        assert b"HTTP/1.1 200" in await late


async def test_connections_that_come_and_go_keep_no_place() -> None:
    async with door() as played:
        for _ in range(3 * module.CONNECTIONS_PER_SANDBOX):
            with silent(played, 1):
                pass
        assert b"HTTP/1.1 200" in await exchange(played, request(body()))
