"""Who asked for what, and what came of it: the audit log. Pure.

Every call over HTTP and gRPC is in it, refused ones too, except what is asked all the time and
changes nothing of emberd: successful invocations, and lines that are put into logs or read.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime

from controlplane.model.log import LogLine

AUDIT = "emberd:audit"
"""Stands for a function's name where log lines are kept; no function can have it."""

TEXT_MAX = 512
"""Characters of what a caller chose."""

NS_PER_S = 1_000_000_000

_BUSY = frozenset(
    (
        *("Invoke", "InvokeAsync", "InvokeStream", "InvokeWithResponseStream"),
        *("PutLogEvents", "GetLogEvents", "FilterLogEvents", "ReadLogs", "GetLoad"),
    )
)
_READING = ("Get", "List", "Describe", "Filter", "Read")


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEvent:
    """One call that has ended."""

    time_ns: int
    """When it came, in nanoseconds since the epoch."""
    request_id: str
    """Empty over gRPC."""
    service: str
    """lambda, iam, sts, logs; over gRPC the service's full name."""
    operation: str
    """Empty where it was refused before it was understood."""
    principal_kind: str = ""
    """Empty where nobody was recognised."""
    principal_arn: str = ""
    access_key_id: str = ""
    source: str = ""
    """The address it came from."""
    resource: str = ""
    """What it names, as the caller wrote it."""
    error: str = ""
    """Why it was refused or failed, such as ACCESS_DENIED; empty on success."""


def is_kept(operation: str, error: str) -> bool:
    """Whether a call belongs into the log."""
    return bool(error) or operation not in _BUSY


def audit_line(event: AuditEvent) -> LogLine:
    """The event as a line of JSON, with CloudTrail's names where it has one."""
    moment = datetime.fromtimestamp(event.time_ns // NS_PER_S, UTC)
    fields = {
        "eventTime": f"{moment:%Y-%m-%dT%H:%M:%S}.{event.time_ns % NS_PER_S // 1_000_000:03d}Z",
        "level": "WARN" if event.error else "INFO",
        "eventSource": event.service,
        "eventName": event.operation,
        "readOnly": event.operation.startswith(_READING),
        "userIdentity": {
            "type": event.principal_kind,
            "arn": event.principal_arn,
            "accessKeyId": event.access_key_id,
        },
        "sourceIPAddress": event.source,
        "resource": event.resource[:TEXT_MAX],
        "requestID": event.request_id,
        "errorCode": event.error,
    }
    return LogLine(
        function_name=AUDIT,
        version="",
        request_id=event.request_id,
        log_group="",
        log_stream="",
        time_ns=event.time_ns,
        message=json.dumps(fields, separators=(",", ":")).encode(),
    )
