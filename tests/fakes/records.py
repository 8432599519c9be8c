"""Records in memory: a fake that passes the same conformance suite as the real ones."""

from __future__ import annotations

from collections.abc import Sequence

from controlplane.storage.ports import (
    ABSENT,
    TOMBSTONES_MAX,
    Change,
    ChangesLostError,
    Put,
    Record,
    StaleRecordError,
    Write,
)
from emberd.wire.errors import UnavailableError


class MemoryRecords:
    """A RecordStore that forgets everything with its process."""

    def __init__(self) -> None:
        self._changes: dict[str, Change] = {}
        self._newest = 0
        self._forgotten = 0
        self.broken = False
        """Set by a test: every commit fails as on a full disk."""

    async def get(self, key: str) -> Record | None:
        change = self._changes.get(key)
        if change is None or change.value is None:
            return None
        return Record(key=key, value=change.value, version=change.version)

    async def list(self, prefix: str, *, after: str = "", limit: int) -> Sequence[Record]:
        found = [
            Record(key=key, value=change.value, version=change.version)
            for key, change in sorted(self._changes.items())
            if key.startswith(prefix) and key > after and change.value is not None
        ]
        return found[:limit]

    async def commit(self, writes: Sequence[Write]) -> int:
        if self.broken:
            raise UnavailableError("the disk is full", reason="STORE_FAILED")
        version = self._newest + 1
        changes = dict(self._changes)
        for write in writes:
            old = changes.get(write.key)
            current = ABSENT if old is None or old.value is None else old.version
            if write.expected is not None and write.expected != current:
                raise StaleRecordError(write.key)
            value = write.value if isinstance(write, Put) else None
            if value is not None or current != ABSENT:
                changes[write.key] = Change(key=write.key, value=value, version=version)
        self._changes, self._newest = changes, version
        if not all(isinstance(write, Put) for write in writes):
            self._forget(version - TOMBSTONES_MAX)
        return version

    async def newest(self) -> int:
        return self._newest

    async def changes(self, after: int, *, limit: int) -> Sequence[Change]:
        if after < self._forgotten:
            raise ChangesLostError(after)
        later = sorted(
            (each for each in self._changes.values() if each.version > after),
            key=lambda each: (each.version, each.key),
        )
        last = later[:limit][-1].version if later else 0
        return [each for each in later if each.version <= last]

    async def close(self) -> None:
        return

    def _forget(self, version: int) -> None:
        old = [k for k, c in self._changes.items() if c.value is None and c.version <= version]
        for key in old:
            del self._changes[key]
        if old:
            self._forgotten = version
