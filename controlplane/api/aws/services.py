"""Everything that operations may use, put together by app.py."""

from __future__ import annotations

from dataclasses import dataclass

from controlplane.api.aws.downloads import Downloads
from controlplane.dispatch.dispatcher import Dispatcher
from controlplane.identity.parts import Identity
from controlplane.model.ids import ArnScheme
from controlplane.registry import FunctionRegistry
from controlplane.registry.log_book import LogBook
from controlplane.registry.settings.registry import SettingsRegistry


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """The parts behind the operations."""

    registry: FunctionRegistry
    settings: SettingsRegistry
    dispatcher: Dispatcher
    downloads: Downloads
    identity: Identity
    logs: LogBook
    arns: ArnScheme
