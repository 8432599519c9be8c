"""Our spans as the SDK's."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.trace import Link, SpanContext, Status, StatusCode, TraceFlags
from opentelemetry.trace import SpanKind as OtelSpanKind

from controlplane.model.spans import Span, SpanKind, SpanLink
from controlplane.otlp.resource import SCOPE, of_function

SAMPLED = TraceFlags(TraceFlags.SAMPLED)
FUNCTIONS_KEPT = 1_000
"""Functions whose resource is remembered."""

OK = Status(StatusCode.UNSET)
KINDS = {
    SpanKind.SERVER: OtelSpanKind.SERVER,
    SpanKind.INTERNAL: OtelSpanKind.INTERNAL,
    SpanKind.CLIENT: OtelSpanKind.CLIENT,
    SpanKind.PRODUCER: OtelSpanKind.PRODUCER,
    SpanKind.CONSUMER: OtelSpanKind.CONSUMER,
}


def sender(exporter: SpanExporter, resource: Resource) -> Callable[[Sequence[Span]], bool]:
    """Sends spans in the SDK's form; blocks through the exporter's own retries."""

    functions: dict[str, Resource] = {}

    def _resource_of(span: Span) -> Resource:
        """A function's own spans come from a service of their own."""
        if not span.function:
            return resource
        known = functions.get(span.function)
        if known is None:
            if len(functions) >= FUNCTIONS_KEPT:
                functions.clear()
            known = functions[span.function] = of_function(resource, span.function)
        return known

    def send(spans: Sequence[Span]) -> bool:
        made = [readable(span, _resource_of(span)) for span in spans]
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
        status=_status(span),
        events=[Event(each.name, each.attributes, each.time_ns) for each in span.events],
        links=[_link(each) for each in span.links],
        start_time=span.start_ns,
        end_time=span.end_ns,
        instrumentation_scope=SCOPE,
    )


def _status(span: Span) -> Status:
    if not span.error_type:
        return OK
    return Status(StatusCode.ERROR, span.error_message or span.error_type)


def _link(link: SpanLink) -> Link:
    trace_id, span_id = int(link.trace_id, 16), int(link.span_id, 16)
    return Link(SpanContext(trace_id, span_id, is_remote=False, trace_flags=SAMPLED))
