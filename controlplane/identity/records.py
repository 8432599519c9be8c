"""Small JSON documents of one kind in the store, all of them in memory.

Changes come one at a time and are on disk before anybody sees them.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from typing import Generic, TypeVar

from controlplane.storage.ports import Delete, Put, RecordStore
from emberd.wire.errors import ConflictError

Item = TypeVar("Item")
PAGE = 1_000


class Shelf(Generic[Item]):
    """Items by name, each a record under a prefix of its own."""

    def __init__(
        self,
        records: RecordStore,
        prefix: str,
        *,
        write: Callable[[Item], Mapping[str, object]],
        items: dict[str, Item],
    ) -> None:
        self._records = records
        self._prefix = prefix
        self._write = write
        self._items = items
        self._turn = asyncio.Lock()
        self.changes = 0
        """How many there were since the start: what was read before the last one may be old."""

    @classmethod
    async def open(
        cls,
        records: RecordStore,
        prefix: str,
        *,
        write: Callable[[Item], Mapping[str, object]],
        read: Callable[[str, Mapping[str, object]], Item],
    ) -> Shelf[Item]:
        """Read every item.

        Raises:
            ConflictError: a record cannot be understood.
        """
        items: dict[str, Item] = {}
        after = ""
        while page := await records.list(prefix, after=after, limit=PAGE):
            for record in page:
                name = record.key.removeprefix(prefix)
                try:
                    items[name] = read(name, json.loads(record.value))
                except (KeyError, TypeError, ValueError) as error:
                    raise ConflictError(
                        f"record {record.key} cannot be read ({error!r}): restore registry.db "
                        "from a backup, or use the emberd that wrote it",
                        reason="RECORD_UNREADABLE",
                        key=record.key,
                    ) from error
            after = page[-1].key
        return cls(records, prefix, write=write, items=items)

    def get(self, name: str) -> Item | None:
        """One item, or None."""
        return self._items.get(name)

    def all(self) -> list[Item]:
        """Every item, in order of names."""
        return [self._items[name] for name in sorted(self._items)]

    async def change(self, name: str, decide: Callable[[Item | None], Item | None]) -> Item | None:
        """Put what decide makes of an item in its place; None removes it.

        Raises:
            UnavailableError: the store failed; nothing changed.
            EmberdError: whatever decide refuses with; nothing changed.
        """
        # Shielded: a caller that goes away in the middle must not leave memory behind the disk.
        return await asyncio.shield(asyncio.ensure_future(self._change(name, decide)))

    async def _change(self, name: str, decide: Callable[[Item | None], Item | None]) -> Item | None:
        async with self._turn:
            before = self._items.get(name)
            after = decide(before)
            if after is before:
                return after
            key = self._prefix + name
            if after is None:
                await self._records.commit([Delete(key=key)])
                del self._items[name]
            else:
                value = json.dumps(self._write(after), separators=(",", ":")).encode()
                await self._records.commit([Put(key=key, value=value)])
                self._items[name] = after
            self.changes += 1
            return after
