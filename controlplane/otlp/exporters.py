"""The SDK's exporters, by protocol. Each reads its endpoint, headers, certificates and compression
from the environment; of the two protocols only the one that is used is imported.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from controlplane.otlp.wanted import Export, Protocol

if TYPE_CHECKING:
    from opentelemetry.sdk._logs.export import LogRecordExporter
    from opentelemetry.sdk.metrics.export import MetricExporter
    from opentelemetry.sdk.trace.export import SpanExporter


def span_exporter(export: Export) -> SpanExporter:
    """Sends spans."""
    if export.protocol is Protocol.HTTP:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import (
            OTLPSpanExporter as HttpExporter,
        )

        return HttpExporter(timeout=export.timeout_s)
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import (
        OTLPSpanExporter as GrpcExporter,
    )

    return GrpcExporter(timeout=export.timeout_s)


def log_exporter(export: Export) -> LogRecordExporter:
    """Sends log records."""
    if export.protocol is Protocol.HTTP:
        from opentelemetry.exporter.otlp.proto.http._log_exporter import (
            OTLPLogExporter as HttpExporter,
        )

        return HttpExporter(timeout=export.timeout_s)
    from opentelemetry.exporter.otlp.proto.grpc._log_exporter import (
        OTLPLogExporter as GrpcExporter,
    )

    return GrpcExporter(timeout=export.timeout_s)


def metric_exporter(export: Export) -> MetricExporter:
    """Sends metrics."""
    if export.protocol is Protocol.HTTP:
        from opentelemetry.exporter.otlp.proto.http.metric_exporter import (
            OTLPMetricExporter as HttpExporter,
        )

        return HttpExporter(timeout=export.timeout_s)
    from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import (
        OTLPMetricExporter as GrpcExporter,
    )

    return GrpcExporter(timeout=export.timeout_s)
