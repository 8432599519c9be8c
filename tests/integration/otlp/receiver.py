"""What an OpenTelemetry collector is to us: it takes everything, over gRPC or over HTTP."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import grpc
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2, logs_service_pb2_grpc
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2, metrics_service_pb2_grpc
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric
from opentelemetry.proto.trace.v1.trace_pb2 import Span


@dataclass
class Receiver:
    """What came."""

    spans: list[Span] = field(default_factory=list)
    resources: list[dict[str, object]] = field(default_factory=list)
    lines: list[tuple[dict[str, object], LogRecord]] = field(default_factory=list)
    """Each with its resource."""
    metrics: dict[str, float] = field(default_factory=dict)
    temporality: dict[str, int] = field(default_factory=dict)
    exemplars: dict[str, set[str]] = field(default_factory=dict)
    headers: list[dict[str, str]] = field(default_factory=list)
    came: asyncio.Event = field(default_factory=asyncio.Event)

    def take(self, request: object) -> object:
        """A request of any of the three services; its answer."""
        self.came.set()
        if isinstance(request, trace_service_pb2.ExportTraceServiceRequest):
            for each in request.resource_spans:
                self.resources.append(plain(each.resource.attributes))
                self.spans += [span for scope in each.scope_spans for span in scope.spans]
            return trace_service_pb2.ExportTraceServiceResponse()
        if isinstance(request, logs_service_pb2.ExportLogsServiceRequest):
            for group in request.resource_logs:
                origin = plain(group.resource.attributes)
                self.lines += [
                    (origin, line) for scope in group.scope_logs for line in scope.log_records
                ]
            return logs_service_pb2.ExportLogsServiceResponse()
        assert isinstance(request, metrics_service_pb2.ExportMetricsServiceRequest)
        for resource in request.resource_metrics:
            for scope in resource.scope_metrics:
                for metric in scope.metrics:
                    self._measure(metric)
        return metrics_service_pb2.ExportMetricsServiceResponse()

    def _measure(self, metric: Metric) -> None:
        kind = metric.WhichOneof("data")
        assert kind is not None, f"{metric.name} says nothing"
        data = getattr(metric, kind)
        self.metrics[metric.name] = sum(value_of(kind, each) for each in data.data_points)
        self.temporality[metric.name] = getattr(data, "aggregation_temporality", 0)
        self.exemplars[metric.name] = {
            exemplar.trace_id.hex() for each in data.data_points for exemplar in each.exemplars
        }


@dataclass(frozen=True)
class Tls:
    """A key and a certificate for 127.0.0.1 that nobody but its own bearer vouches for."""

    key: Path
    certificate: Path

    @classmethod
    def make(cls, folder: Path) -> Tls:
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "collector")])
        now = datetime.now(UTC)
        here = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(here, critical=False)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(key, hashes.SHA256())
        )
        made = cls(folder / "key.pem", folder / "certificate.pem")
        pem = serialization.Encoding.PEM
        plain_key = key.private_bytes(
            pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        made.key.write_bytes(plain_key)
        made.certificate.write_bytes(certificate.public_bytes(pem))
        return made


class _Services(
    trace_service_pb2_grpc.TraceServiceServicer,
    metrics_service_pb2_grpc.MetricsServiceServicer,
    logs_service_pb2_grpc.LogsServiceServicer,
):
    def __init__(self, taken: Receiver) -> None:
        self.taken = taken

    async def Export(self, request: object, context: grpc.aio.ServicerContext) -> object:
        metadata = context.invocation_metadata() or ()
        self.taken.headers.append({key: str(value) for key, value in metadata})
        return self.taken.take(request)


@asynccontextmanager
async def grpc_receiver(
    port: int = 0, *, tls: Tls | None = None
) -> AsyncIterator[tuple[Receiver, str]]:
    """Over gRPC; its endpoint."""
    server, taken = grpc.aio.server(), Receiver()
    services = _Services(taken)
    trace_service_pb2_grpc.add_TraceServiceServicer_to_server(services, server)
    metrics_service_pb2_grpc.add_MetricsServiceServicer_to_server(services, server)
    logs_service_pb2_grpc.add_LogsServiceServicer_to_server(services, server)
    address = f"127.0.0.1:{port}"
    if tls is None:
        port = server.add_insecure_port(address)
    else:
        pair = tls.key.read_bytes(), tls.certificate.read_bytes()
        port = server.add_secure_port(address, grpc.ssl_server_credentials([pair]))
    await server.start()
    try:
        yield taken, f"{'https' if tls else 'http'}://127.0.0.1:{port}"
    finally:
        await server.stop(None)


@asynccontextmanager
async def http_receiver(
    port: int = 0, *, tls: Tls | None = None
) -> AsyncIterator[tuple[Receiver, str]]:
    """Over HTTP with protobuf; its endpoint."""
    taken = Receiver()
    requests = {
        "/v1/traces": trace_service_pb2.ExportTraceServiceRequest,
        "/v1/metrics": metrics_service_pb2.ExportMetricsServiceRequest,
        "/v1/logs": logs_service_pb2.ExportLogsServiceRequest,
    }

    async def export(request: web.Request) -> web.Response:
        assert request.content_type == "application/x-protobuf"
        taken.headers.append({key.lower(): value for key, value in request.headers.items()})
        answer = taken.take(requests[request.path].FromString(await request.read()))
        body = answer.SerializeToString()  # type: ignore[attr-defined]
        return web.Response(body=body, content_type="application/x-protobuf")

    application = web.Application(client_max_size=8 << 20)
    application.add_routes([web.post(path, export) for path in requests])
    runner = web.AppRunner(application)
    await runner.setup()
    context = None
    if tls is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(tls.certificate, tls.key)
    site = web.TCPSite(runner, "127.0.0.1", port, reuse_address=True, ssl_context=context)
    await site.start()
    try:
        yield taken, f"{'https' if tls else 'http'}://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


RECEIVERS: dict[str, Callable[..., AbstractAsyncContextManager[tuple[Receiver, str]]]] = {
    "grpc": grpc_receiver,
    "http/protobuf": http_receiver,
}
"""By what OTEL_EXPORTER_OTLP_PROTOCOL calls them."""


def value_of(kind: str, point: object) -> float:
    """A point's value; a histogram's is its sum."""
    if kind == "histogram":
        return point.sum  # type: ignore[attr-defined]
    return getattr(point, point.WhichOneof("value"))  # type: ignore[attr-defined]


def plain(attributes: object) -> dict[str, object]:
    """Attributes as a dictionary."""
    found: dict[str, object] = {}
    for each in attributes:  # type: ignore[attr-defined]
        assert isinstance(each, KeyValue)
        found[each.key] = _value(each.value)
    return found


def _value(value: AnyValue) -> object:
    kind = value.WhichOneof("value") or "string_value"
    if kind == "array_value":
        return [_value(each) for each in value.array_value.values]
    return getattr(value, kind)
