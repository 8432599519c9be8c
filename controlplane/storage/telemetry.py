"""Opens the local store of logs and traces."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from controlplane.storage.log_retention import DEFAULT_CAPS as DEFAULT_LOG_CAPS
from controlplane.storage.log_retention import Caps as LogCaps
from controlplane.storage.logs import LogStore
from controlplane.storage.telemetry_db import TelemetryDatabase
from controlplane.storage.traces import DEFAULT_CAPS, TraceCaps, TraceStore


@dataclass(frozen=True, slots=True, kw_only=True)
class TelemetryStores:
    """What is kept so that `emberd logs` and `emberd trace` need nothing else installed."""

    logs: LogStore
    traces: TraceStore


@asynccontextmanager
async def open_telemetry(
    path: Path, trace_caps: TraceCaps = DEFAULT_CAPS, log_caps: LogCaps = DEFAULT_LOG_CAPS
) -> AsyncIterator[TelemetryStores]:
    """Open, or make, the file; when the context ends what is pending is written first."""
    database = TelemetryDatabase(path)
    try:
        await database.open()
        stores = TelemetryStores(
            logs=LogStore(database, log_caps), traces=TraceStore(database, trace_caps)
        )
        await stores.logs.open()
        try:
            yield stores
        finally:
            stores.logs.close()
            stores.traces.close()
    finally:
        await database.close()
