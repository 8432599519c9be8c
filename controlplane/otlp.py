"""Spans and metrics out over OTLP: the only file of the control plane that knows the OTel SDK.

The SDK's own variables say where to and how (OTEL_EXPORTER_OTLP_*, OTEL_BSP_*, OTEL_METRIC_*,
OTEL_SERVICE_NAME, OTEL_RESOURCE_ATTRIBUTES). Its threads do the sending; an endpoint that is down
fills one bounded queue, and from then on spans are counted instead of made.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import logging
import os
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from importlib.metadata import version

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.metrics import CallbackOptions, Meter, Observation
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import SERVICE_INSTANCE_ID, SERVICE_NAME, SERVICE_VERSION, Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import (
    NonRecordingSpan,
    SpanContext,
    Status,
    StatusCode,
    TraceFlags,
    set_span_in_context,
)
from opentelemetry.trace import SpanKind as OtelSpanKind

from controlplane.metrics.families import (
    BOUNDS,
    FAMILIES,
    Family,
    Kind,
    cloudwatch_labels,
    faas_labels,
)
from controlplane.metrics.histogram import NS_PER_S, Histogram
from controlplane.metrics.state import State
from controlplane.metrics.tallies import Key, Tallies
from controlplane.model.invocation import InvocationRecord
from controlplane.model.spans import Span, SpanKind

logger = logging.getLogger(__name__)

CLOSE_S = 2.0
"""How long a stop lets the endpoint take what is left."""

STATE_S = 0.5
"""A state that was read serves every instrument of one collection."""

LOOP_S = 1.0
"""How long the SDK's thread waits for the event loop to read the state."""

SPANS_QUEUED_MAX = 2_048
"""OpenTelemetry's default for OTEL_BSP_MAX_QUEUE_SIZE."""

SAMPLED = TraceFlags(TraceFlags.SAMPLED)
SCOPE = InstrumentationScope("emberd")
OK = Status(StatusCode.UNSET)
KINDS = {SpanKind.SERVER: OtelSpanKind.SERVER, SpanKind.INTERNAL: OtelSpanKind.INTERNAL}


class OtlpSink:
    """Sends what the SDK's variables ask for."""

    def __init__(
        self, service_instance: str, tallies: Tallies, read_state: Callable[[], State]
    ) -> None:
        """Opened on the event loop, where read_state is called too."""
        self._resource = _resource(service_instance)
        self._queued_max = _queued_max()
        self._exporter = _CountingExporter()
        # Twice the room that is used: the processor's own way of dropping is never reached, so
        # that every lost span is counted here.
        self._processor = BatchSpanProcessor(self._exporter, max_queue_size=2 * self._queued_max)
        self._metrics = (
            OtlpMetrics(self._resource, tallies, read_state) if _wants_metrics() else None
        )
        self._handed = 0
        self._refused = 0

    @property
    def dropped(self) -> int:
        """Spans that were not taken, for whatever reason."""
        return self._refused + self._exporter.failed

    def measure(self, record: InvocationRecord, key: Key) -> None:
        """Take an invocation's sizes; the tallies have counted it under that key."""
        if self._metrics:
            self._metrics.measure(record, key)

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


class OtlpMetrics:
    """The families of `metrics` as instruments of the SDK.

    Counters and gauges are read from the tallies when the SDK collects; only sizes are handed to
    it one by one, because its histograms cannot be read from elsewhere.
    """

    def __init__(
        self, resource: Resource, tallies: Tallies, read_state: Callable[[], State]
    ) -> None:
        """Made on the event loop, where read_state is called too."""
        self._tallies = tallies
        self._state = _StateFromThread(read_state)
        reader = PeriodicExportingMetricReader(OTLPMetricExporter())
        self._provider = MeterProvider([reader], resource, shutdown_on_exit=False)
        meter = self._provider.get_meter("emberd")
        for family in FAMILIES:
            self._observe(meter, family)
        self._sizes = {
            family.name: meter.create_histogram(
                family.name,
                family.unit,
                family.help,
                explicit_bucket_boundaries_advisory=BOUNDS[family.name],
            )
            for family in FAMILIES
            if family.kind is Kind.HISTOGRAM
        }

    def measure(self, record: InvocationRecord, key: Key) -> None:
        """Take an invocation's sizes; a kept trace becomes an exemplar."""
        if record.start_level is None:
            return
        context = _context_of(record) if record.sampled else Context()
        duration_s, labels = record.duration_ns / NS_PER_S, faas_labels(key)
        self._sizes["emberd.duration"].record(duration_s, dict(cloudwatch_labels(key)), context)
        self._sizes["faas.invoke_duration"].record(duration_s, dict(labels), context)
        if record.init_duration_ns:
            init_s = record.init_duration_ns / NS_PER_S
            self._sizes["faas.init_duration"].record(init_s, dict(labels), context)
        if record.memory_peak_bytes:
            self._sizes["faas.mem_usage"].record(record.memory_peak_bytes, dict(labels), context)

    def close(self) -> None:
        """Send what is left; blocks, so a thread calls it."""
        self._provider.shutdown(timeout_millis=CLOSE_S * 1000)

    def _observe(self, meter: Meter, family: Family) -> None:
        def observed(_options: CallbackOptions) -> Iterable[Observation]:
            return [
                Observation(value, dict(labels))
                for labels, value in family.read(self._tallies, self._state.read())
                if not isinstance(value, Histogram)
            ]

        if family.kind is Kind.COUNTER:
            meter.create_observable_counter(family.name, [observed], family.unit, family.help)
        elif family.kind is Kind.GAUGE:
            meter.create_observable_gauge(family.name, [observed], family.unit, family.help)


class _StateFromThread:
    """Lets the SDK's thread have a state, which the event loop reads."""

    def __init__(self, read_state: Callable[[], State]) -> None:
        self._read_state = read_state
        self._loop = asyncio.get_running_loop()
        self._newest = State()
        self._read_s = float("-inf")

    def read(self) -> State:
        """The newest state, or an older one while the loop is too busy or has ended."""
        if time.monotonic() - self._read_s > STATE_S:
            done: concurrent.futures.Future[State] = concurrent.futures.Future()
            try:
                self._loop.call_soon_threadsafe(lambda: done.set_result(self._read_state()))
                self._newest = done.result(LOOP_S)
            except (RuntimeError, TimeoutError):
                pass  # numbers of a moment ago are better than none
            self._read_s = time.monotonic()
        return self._newest


def _context_of(record: InvocationRecord) -> Context:
    span = SpanContext(
        int(record.trace_id, 16),
        int(record.span_id, 16),
        is_remote=False,
        trace_flags=SAMPLED,
    )
    return set_span_in_context(NonRecordingSpan(span), Context())


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
