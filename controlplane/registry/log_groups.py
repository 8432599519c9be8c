"""The log groups that somebody made: records of their own, kept in memory for reading."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import asdict

from controlplane.model.log_groups import LogGroup
from controlplane.registry.loading import all_records, read_record
from controlplane.storage.ports import Delete, Put, RecordStore

PREFIX = "log-groups/"

Decide = Callable[[LogGroup | None], LogGroup | None]
"""From what there is (None: nothing) to what there shall be."""


class LogGroups:
    """Every change is on disk before it is seen."""

    def __init__(self, records: RecordStore) -> None:
        self._records = records
        self._groups: dict[str, LogGroup] = {}
        self._turn = asyncio.Lock()

    @classmethod
    async def open(cls, records: RecordStore) -> LogGroups:
        """Load them all.

        Raises:
            ConflictError: a record cannot be read.
        """
        groups = cls(records)
        async for record in all_records(records, PREFIX):
            group = read_record(record, _read)
            groups._groups[group.name] = group
        return groups

    def all(self) -> list[LogGroup]:
        """In no order."""
        return list(self._groups.values())

    def get(self, name: str) -> LogGroup | None:
        """One of them, if somebody made it."""
        return self._groups.get(name)

    async def change(self, name: str, decide: Decide) -> None:
        """Carry out one change of one group.

        Raises:
            UnavailableError: the store failed; nothing changed.
            EmberdError: whatever decide refuses with; nothing changed.
        """
        async with self._turn:
            before = self._groups.get(name)
            after = decide(before)
            if after is None:
                await self._records.commit([Delete(key=PREFIX + name)])
                self._groups.pop(name, None)
            elif after != before:
                await self._records.commit([Put(key=PREFIX + name, value=_write(after))])
                self._groups[name] = after


def _write(group: LogGroup) -> bytes:
    return json.dumps(asdict(group)).encode()


def _read(value: bytes) -> LogGroup:
    return LogGroup(**json.loads(value))
