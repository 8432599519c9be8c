"""Our spans as the SDK's."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.trace import SpanContext, Status, StatusCode, TraceFlags
from opentelemetry.trace import SpanKind as OtelSpanKind

from controlplane.model.spans import Span, SpanKind
from controlplane.otlp.resource import SCOPE

SAMPLED = TraceFlags(TraceFlags.SAMPLED)
OK = Status(StatusCode.UNSET)
KINDS = {SpanKind.SERVER: OtelSpanKind.SERVER, SpanKind.INTERNAL: OtelSpanKind.INTERNAL}


def sender(exporter: SpanExporter, resource: Resource) -> Callable[[Sequence[Span]], bool]:
    """Sends spans in the SDK's form; blocks through the exporter's own retries."""

    def send(spans: Sequence[Span]) -> bool:
        made = [readable(span, resource) for span in spans]
        return exporter.export(made) is SpanExportResult.SUCCESS

    return send


def readable(span: Span, resource: Resource) -> ReadableSpan:
    """One span.

    Made whole instead of started and ended on a tracer: these spans are over, their ids are known
    to the function already, and this way costs a fifth.
    """
    trace_id = int(span.trace_id, 16)
    parent = None
    if span.parent_span_id:
        remote = span.kind is SpanKind.SERVER
        parent = SpanContext(
            trace_id, int(span.parent_span_id, 16), is_remote=remote, trace_flags=SAMPLED
        )
    return ReadableSpan(
        name=span.name,
        context=SpanContext(trace_id, int(span.span_id, 16), is_remote=False, trace_flags=SAMPLED),
        parent=parent,
        resource=resource,
        attributes=span.attributes,
        kind=KINDS[span.kind],
        status=Status(StatusCode.ERROR, span.error_type) if span.error_type else OK,
        start_time=span.start_ns,
        end_time=span.end_ns,
        instrumentation_scope=SCOPE,
    )
