"""What the fronts lead to, put together by app.py."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from controlplane.dispatch.dispatcher import Dispatcher
from controlplane.identity.parts import Identity
from controlplane.metrics.state import State
from controlplane.metrics.tallies import Tallies
from controlplane.model.audit import AuditEvent
from controlplane.model.ids import ArnScheme
from controlplane.registry import FunctionRegistry
from controlplane.registry.log_book import LogBook


@dataclass(frozen=True, slots=True, kw_only=True)
class Behind:
    """The parts behind every front."""

    registry: FunctionRegistry
    dispatcher: Dispatcher
    identity: Identity
    logs: LogBook
    arns: ArnScheme
    tallies: Tallies
    read_state: Callable[[], State]
    audit: Callable[[AuditEvent], None]
    """Told of every call over HTTP."""
    metrics_token: str = field(repr=False)
    """Opens /metrics."""
