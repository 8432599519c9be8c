"""Spans and metrics out over OTLP: the only file of the control plane that knows the OTel SDK.

The SDK's own variables say where to and how (OTEL_EXPORTER_OTLP_*, OTEL_BSP_*, OTEL_METRIC_*,
OTEL_SERVICE_NAME, OTEL_RESOURCE_ATTRIBUTES). Its threads do the sending; an endpoint that is down
fills one bounded queue, and from then on spans are counted instead of made.
"""

from __future__ import annotations

import asyncio
import logging
import os
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from importlib.metadata import version

from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.metrics import CallbackOptions, Observation
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import SERVICE_INSTANCE_ID, SERVICE_NAME, SERVICE_VERSION, Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext, Status, StatusCode, TraceFlags
from opentelemetry.trace import SpanKind as OtelSpanKind

from controlplane.model.invocation import InvocationRecord
from controlplane.model.spans import Span, SpanKind

logger = logging.getLogger(__name__)

CLOSE_S = 2.0
"""How long a stop lets the endpoint take what is left."""

SPANS_QUEUED_MAX = 2_048
"""OpenTelemetry's default for OTEL_BSP_MAX_QUEUE_SIZE."""

THROTTLED = "TOO_MANY_REQUESTS"
"""The reason of an invocation that was refused for lack of concurrency or room."""

DURATION_BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)
"""As OpenTelemetry recommends for faas.invoke_duration."""

NS_PER_S = 1_000_000_000
SAMPLED = TraceFlags(TraceFlags.SAMPLED)
SCOPE = InstrumentationScope("emberd")
OK = Status(StatusCode.UNSET)
KINDS = {SpanKind.SERVER: OtelSpanKind.SERVER, SpanKind.INTERNAL: OtelSpanKind.INTERNAL}


class OtlpSink:
    """Sends what the SDK's variables ask for."""

    def __init__(self, service_instance: str, read_concurrency: Callable[[], int]) -> None:
        self._resource = _resource(service_instance)
        self._queued_max = _queued_max()
        self._exporter = _CountingExporter()
        # Twice the room that is used: the processor's own way of dropping is never reached, so
        # that every lost span is counted here.
        self._processor = BatchSpanProcessor(self._exporter, max_queue_size=2 * self._queued_max)
        self._metrics = _Metrics(self._resource, read_concurrency) if _wants_metrics() else None
        self._handed = 0
        self._refused = 0

    @property
    def dropped(self) -> int:
        """Spans that were not taken, for whatever reason."""
        return self._refused + self._exporter.failed

    def measure(self, record: InvocationRecord) -> None:
        """Count an invocation."""
        if self._metrics:
            self._metrics.measure(record)

    def put(self, spans: Sequence[Span]) -> None:
        """Queue the spans of one invocation, all or none."""
        waiting = self._handed - self._exporter.settled
        if waiting + len(spans) > self._queued_max:
            self._refused += len(spans)
            return
        self._handed += len(spans)
        for span in spans:
            self._processor.on_end(self._readable(span))

    async def close(self) -> None:
        """Send what is left, but wait no longer than CLOSE_S."""
        closing = [threading.Thread(target=self._processor.shutdown, daemon=True)]
        if self._metrics:
            closing.append(threading.Thread(target=self._metrics.close, daemon=True))
        for thread in closing:
            thread.start()
        if not await asyncio.to_thread(_joined, closing, CLOSE_S):
            logger.warning("the OTLP endpoint did not take everything", extra={"seconds": CLOSE_S})
            # Ends the retry that still waits, so that no thread outlives the program.
            self._exporter.shutdown()

    def _readable(self, span: Span) -> ReadableSpan:
        # Made whole instead of started and ended on a tracer: these spans are over, their ids are
        # known to the function already, and this way costs a fifth.
        trace_id = int(span.trace_id, 16)
        parent = None
        if span.parent_span_id:
            remote = span.kind is SpanKind.SERVER
            parent = SpanContext(
                trace_id, int(span.parent_span_id, 16), is_remote=remote, trace_flags=SAMPLED
            )
        return ReadableSpan(
            name=span.name,
            context=SpanContext(
                trace_id, int(span.span_id, 16), is_remote=False, trace_flags=SAMPLED
            ),
            parent=parent,
            resource=self._resource,
            attributes=span.attributes,
            kind=KINDS[span.kind],
            status=Status(StatusCode.ERROR, span.error_type) if span.error_type else OK,
            start_time=span.start_ns,
            end_time=span.end_ns,
            instrumentation_scope=SCOPE,
        )


class _CountingExporter(SpanExporter):
    """The SDK's exporter, with its outcomes counted. Used by the processor's thread."""

    def __init__(self) -> None:
        self._exporter = OTLPSpanExporter()
        self.settled = 0
        """Spans that were sent or given up."""
        self.failed = 0

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send a batch; blocks through the exporter's own retries."""
        result = SpanExportResult.FAILURE
        try:
            result = self._exporter.export(spans)
        finally:
            if result is not SpanExportResult.SUCCESS:
                self.failed += len(spans)
            self.settled += len(spans)
        return result

    def shutdown(self) -> None:
        """Give up what is being sent."""
        self._exporter.shutdown()


class _Metrics:
    """Instruments with the meanings of CloudWatch's metrics for functions (AWS/Lambda)."""

    def __init__(self, resource: Resource, read_concurrency: Callable[[], int]) -> None:
        reader = PeriodicExportingMetricReader(OTLPMetricExporter())
        self._provider = MeterProvider([reader], resource, shutdown_on_exit=False)
        meter = self._provider.get_meter("emberd")
        self._invocations = meter.create_counter(
            "emberd.invocations", "{invocation}", "Invocations that ran, failed ones included"
        )
        self._errors = meter.create_counter(
            "emberd.errors", "{invocation}", "Invocations that failed: code, time-outs, exits"
        )
        self._throttles = meter.create_counter(
            "emberd.throttles", "{invocation}", "Invocations refused for lack of concurrency"
        )
        self._duration = meter.create_histogram(
            "emberd.duration",
            "s",
            "Time a function took for an event, without its init",
            explicit_bucket_boundaries_advisory=DURATION_BUCKETS_S,
        )

        def concurrency(_options: CallbackOptions) -> Iterable[Observation]:
            return [Observation(read_concurrency())]

        meter.create_observable_gauge(
            "emberd.concurrent_executions",
            [concurrency],
            "{invocation}",
            "Invocations that run now",
        )

    def measure(self, record: InvocationRecord) -> None:
        """Count one invocation."""
        labels = {"faas.name": record.function_name, "faas.version": record.version}
        if record.error_type == THROTTLED:
            self._throttles.add(1, labels)
            return
        self._invocations.add(1, labels)
        if record.error_type:
            self._errors.add(1, labels)
        for phase in record.phases:
            if phase.name == "invoke":
                self._duration.record((phase.end_ns - phase.start_ns) / NS_PER_S, labels)

    def close(self) -> None:
        """Send what is left."""
        self._provider.shutdown(timeout_millis=CLOSE_S * 1000)


def _resource(service_instance: str) -> Resource:
    resource = Resource.create(
        {SERVICE_INSTANCE_ID: service_instance, SERVICE_VERSION: version("emberd")}
    )
    if str(resource.attributes.get(SERVICE_NAME, "")).startswith("unknown_service"):
        resource = resource.merge(Resource({SERVICE_NAME: "emberd"}))
    return resource


def _queued_max() -> int:
    try:
        return max(512, int(os.environ.get("OTEL_BSP_MAX_QUEUE_SIZE", SPANS_QUEUED_MAX)))
    except ValueError:
        return SPANS_QUEUED_MAX


def _wants_metrics() -> bool:
    """Traces may go to an endpoint of their own; metrics need the common one or theirs."""
    if os.environ.get("OTEL_METRICS_EXPORTER") == "none":
        return False
    names = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT")
    return any(os.environ.get(name) for name in names)


def _joined(threads: Sequence[threading.Thread], timeout_s: float) -> bool:
    """Wait for all of them together; whether all have ended."""
    until = time.monotonic() + timeout_s
    for thread in threads:
        thread.join(max(0.0, until - time.monotonic()))
    return not any(thread.is_alive() for thread in threads)
