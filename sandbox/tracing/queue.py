"""The bounded way of spans out of the host."""

from __future__ import annotations

import asyncio
from collections import deque

from sandbox.tracing.book import characters_of
from sandbox.tracing.spans import SpanRecord

RECORDS_MAX = 5_000
CHARACTERS_MAX = 8 * 1024 * 1024


class SpanQueue:
    """Spans of all sandboxes of a host. What does not fit is dropped and counted."""

    def __init__(self) -> None:
        self._records: deque[SpanRecord] = deque()
        self._characters = 0
        self._news = asyncio.Event()
        self._untold = 0

    def offer(self, record: SpanRecord) -> None:
        """Take a span, or count it as dropped."""
        if len(self._records) >= RECORDS_MAX or self._characters >= CHARACTERS_MAX:
            self.drop(1)
            return
        self._records.append(record)
        self._characters += characters_of(record.span)
        self._news.set()

    def drop(self, count: int) -> None:
        """Count spans that were refused."""
        self._untold += count
        if count:
            self._news.set()

    async def news(self) -> None:
        """Return once there is a span or a count to tell of."""
        await self._news.wait()

    def take(self, records_max: int, characters_max: int) -> tuple[list[SpanRecord], int]:
        """The oldest spans, at most so many, and how many were dropped since the last take."""
        batch: list[SpanRecord] = []
        size = 0
        while self._records and len(batch) < records_max and size < characters_max:
            batch.append(self._records.popleft())
            size += characters_of(batch[-1].span)
        self._characters -= size
        if not self._records:
            self._news.clear()
        dropped, self._untold = self._untold, 0
        return batch, dropped

    def give_back(self, records: list[SpanRecord], dropped: int) -> None:
        """Put back to the front what could not travel."""
        self._records.extendleft(reversed(records))
        self._characters += sum(characters_of(each.span) for each in records)
        self._untold += dropped
        self._news.set()
