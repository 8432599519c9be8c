"""Takes every call that has ended, from both fronts, and writes what belongs there into the audit
log: the local store and, where logs are exported, OTLP.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from controlplane.model.audit import AuditEvent, audit_line, is_kept
from controlplane.model.log import LogLine
from controlplane.model.principal import Principal

HOSTS = "emberd.fleet.v1.FleetService"
"""Hosts speak all the time; of them only what is refused is told."""

RESOURCES = ("function_name", "layer_name", "name", "resource_arn", "access_key_id", "host_id")
"""Fields that name what a request is about, the most telling first."""


class Auditor:
    """Called on the event loop; never blocks."""

    def __init__(self, keep: Callable[[Sequence[LogLine]], None], client: Principal) -> None:
        """Client is who presents the bearer token of gRPC."""
        self._keep = keep
        self._client = client

    def http(self, event: AuditEvent) -> None:
        """A call over HTTP."""
        if is_kept(event.operation, event.error):
            self._keep([audit_line(event)])

    def grpc(self, method: str, request: object, peer: Callable[[], str], error: str) -> None:
        """A call over gRPC; see emberd.wire.interceptors.Witness."""
        service, _, operation = method.lstrip("/").partition("/")
        if not is_kept(operation, error) or (service == HOSTS and not error):
            return
        known = request is not None
        event = AuditEvent(
            time_ns=time.time_ns(),
            request_id="",
            service=service,
            operation=operation,
            principal_kind=self._client.kind.value if known else "",
            principal_arn=self._client.arn if known else "",
            source=peer(),
            resource=_resource(request),
            error=error,
        )
        self._keep([audit_line(event)])


def _resource(request: object) -> str:
    named = (getattr(request, name, "") for name in RESOURCES)
    return next((each for each in named if isinstance(each, str) and each), "")
