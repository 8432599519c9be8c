"""What the fronts lead to, put together by app.py."""

from __future__ import annotations

from dataclasses import dataclass

from controlplane.dispatch.dispatcher import Dispatcher
from controlplane.identity.parts import Identity
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
