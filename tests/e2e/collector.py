"""An OpenTelemetry collector for tests that are no coroutines: it takes spans over gRPC."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field

import grpc
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as pb
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2_grpc
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.integration.otlp.receiver import plain

PATIENCE_S = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One span as a collector got it."""

    span: Span
    service: str
    attributes: dict[str, object]

    @property
    def name(self) -> str:
        return self.span.name

    @property
    def id(self) -> str:
        return self.span.span_id.hex()

    @property
    def parent(self) -> str:
        return self.span.parent_span_id.hex()

    @property
    def length_ns(self) -> int:
        return self.span.end_time_unix_nano - self.span.start_time_unix_nano


@dataclass(eq=False)
class Collector(trace_service_pb2_grpc.TraceServiceServicer):
    """Keeps every span by its trace."""

    traces: dict[str, list[Told]] = field(default_factory=dict)
    news: threading.Condition = field(default_factory=threading.Condition)

    def Export(  # gRPC's name
        self, request: pb.ExportTraceServiceRequest, context: grpc.ServicerContext
    ) -> pb.ExportTraceServiceResponse:
        with self.news:
            for group in request.resource_spans:
                service = str(plain(group.resource.attributes)["service.name"])
                for scope in group.scope_spans:
                    for span in scope.spans:
                        told = Told(span=span, service=service, attributes=plain(span.attributes))
                        self.traces.setdefault(span.trace_id.hex(), []).append(told)
            self.news.notify_all()
        return pb.ExportTraceServiceResponse()

    def trace(
        self, trace_id: str, whole: Callable[[list[Told]], bool] = lambda spans: True
    ) -> list[Told]:
        """A trace, once it is there and whole."""

        def there() -> bool:
            spans = self.traces.get(trace_id)
            return spans is not None and whole(spans)

        with self.news:
            came = self.news.wait_for(there, PATIENCE_S)
            spans = self.traces.get(trace_id, [])
            assert came, f"of trace {trace_id} came only {[each.name for each in spans]}"
            return sorted(spans, key=lambda each: each.span.start_time_unix_nano)


@contextmanager
def collector() -> Iterator[tuple[Collector, str]]:
    """One that listens, and its endpoint."""
    with ThreadPoolExecutor(2) as threads:
        server, taken = grpc.server(threads), Collector()
        trace_service_pb2_grpc.add_TraceServiceServicer_to_server(taken, server)
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        try:
            yield taken, f"http://127.0.0.1:{port}"
        finally:
            server.stop(None).wait()
