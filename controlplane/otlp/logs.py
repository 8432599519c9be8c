"""Our log lines as the SDK's log records."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache

from opentelemetry._logs import LogRecord
from opentelemetry._logs.severity import SeverityNumber
from opentelemetry.context import Context
from opentelemetry.sdk._logs import ReadableLogRecord
from opentelemetry.sdk._logs.export import LogRecordExporter, LogRecordExportResult
from opentelemetry.sdk.resources import Resource
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, set_span_in_context

from controlplane.model.audit import AUDIT
from controlplane.model.log import LogLine
from controlplane.model.log_levels import is_platforms, level_of
from controlplane.otlp.resource import SCOPE

RESOURCES_KEPT = 1_000
"""Of the functions' environments; one costs some 20 us to make."""

SAMPLED = TraceFlags(TraceFlags.SAMPLED)


def sender(exporter: LogRecordExporter, resource: Resource) -> Callable[[Sequence[LogLine]], bool]:
    """Sends lines in the SDK's form; blocks through the exporter's own retries."""

    @lru_cache(RESOURCES_KEPT)
    def origin(function_name: str, version: str, log_group: str, log_stream: str) -> Resource:
        stated = {
            "faas.name": "" if function_name == AUDIT else function_name,
            "faas.version": version,
            "faas.instance": log_stream,
            "aws.log.group.names": [log_group] if log_group else [],
            "aws.log.stream.names": [log_stream] if log_stream else [],
        }
        return resource.merge(Resource({key: value for key, value in stated.items() if value}))

    def send(lines: Sequence[LogLine]) -> bool:
        made = [
            _readable(
                line, origin(line.function_name, line.version, line.log_group, line.log_stream)
            )
            for line in lines
        ]
        return exporter.export(made) is LogRecordExportResult.SUCCESS

    return send


def _readable(line: LogLine, resource: Resource) -> ReadableLogRecord:
    level = level_of(line.message)
    attributes = {"emberd.log.kind": _kind(line)}
    if line.request_id:
        attributes["faas.invocation_id"] = line.request_id
    record = LogRecord(
        timestamp=line.time_ns,
        observed_timestamp=line.time_ns,
        context=_context(line),
        severity_text=level.name if level else None,
        severity_number=SeverityNumber(level.value) if level else SeverityNumber.UNSPECIFIED,
        body=line.message.decode("utf-8", "replace"),
        attributes=attributes,
    )
    return ReadableLogRecord(record, resource, SCOPE)


def _kind(line: LogLine) -> str:
    if line.function_name == AUDIT:
        return "audit"
    return "platform" if is_platforms(line.message) else "function"


def _context(line: LogLine) -> Context:
    if not line.trace_id or not line.span_id:
        return Context()
    span = SpanContext(
        int(line.trace_id, 16), int(line.span_id, 16), is_remote=False, trace_flags=SAMPLED
    )
    return set_span_in_context(NonRecordingSpan(span), Context())
