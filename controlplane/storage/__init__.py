"""Where the control plane keeps what must survive it.

* ports     what is asked of a store: records, blobs; every adapter passes tests/conformance
* sqlite    records in one SQLite file
* schema    the shape of that file, and how an older one becomes today's
* files     blobs as files
* logs, traces   the small local store of telemetry
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from controlplane.storage.files import FileBlobs
from controlplane.storage.ports import BlobStore, RecordStore
from controlplane.storage.sqlite import SqliteRecords

DATABASE_NAME = "emberd.sqlite"
BLOBS_NAME = "artifacts"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stores:
    """The open stores of one control plane."""

    records: RecordStore
    blobs: BlobStore


@asynccontextmanager
async def open_stores(data: Path) -> AsyncIterator[Stores]:
    """Open, or make, the embedded stores in a folder; closed when the context ends.

    Raises:
        ConflictError: a store is damaged, too new or unusable; says what to do.
    """
    await asyncio.to_thread(data.mkdir, mode=0o700, parents=True, exist_ok=True)
    records = await SqliteRecords.open(data / DATABASE_NAME)
    try:
        blobs = await FileBlobs.open(data / BLOBS_NAME)
        try:
            yield Stores(records=records, blobs=blobs)
        finally:
            await blobs.close()
    finally:
        await records.close()
