"""All functions in memory, every change on disk before it is acknowledged.

A change is a step from one state of a function to the next, carried out one at a time: decide,
commit, then show it to readers. A caller that goes away in the middle does not stop it half-way.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

from controlplane.model.functions import Function
from controlplane.model.ids import ArnScheme
from controlplane.registry.artifacts import FETCH_GRACE_S, ArtifactStore
from controlplane.registry.documents import writes_between
from controlplane.registry.index import FunctionIndex, Gone
from controlplane.registry.loading import load_functions
from controlplane.storage.ports import RecordStore
from emberd.wire.errors import UnavailableError

logger = logging.getLogger(__name__)

Answer = TypeVar("Answer")
Decide = Callable[[Function | None], Awaitable[tuple[Function | None, Answer]]]
"""From the state of a function (None: there is none) to the next one and an answer."""


class Ledger:
    """Where functions are read and changed."""

    def __init__(
        self, records: RecordStore, artifacts: ArtifactStore, index: FunctionIndex
    ) -> None:
        self.index = index
        self._records = records
        self._artifacts = artifacts
        self._retired: list[Callable[[str], None]] = []
        self._changing: set[asyncio.Task[object]] = set()
        # Held from reading a state until its successor is visible: changes are decided on what is.
        self._turn = asyncio.Lock()

    @classmethod
    async def open(cls, records: RecordStore, artifacts: ArtifactStore, arns: ArnScheme) -> Ledger:
        """Load every function and remove packages that none of them uses.

        Raises:
            ConflictError: a record cannot be read.
        """
        index = FunctionIndex(arns)
        for function, version in await load_functions(records):
            index.put(function.name, function, version)
        # No function at all may mean a lost database beside good packages: those stay.
        if len(index):
            await artifacts.remove_orphans(index.uses)
        return cls(records, artifacts, index)

    def on_retired(self, callback: Callable[[str], None]) -> None:
        """Call this with the id of every revision that no reference leads to any more."""
        self._retired.append(callback)

    async def change(self, name: str, decide: Decide[Answer]) -> Answer:
        """Carry out one change of one function.

        Raises:
            UnavailableError: the store failed; nothing changed.
            EmberdError: whatever decide refuses with; nothing changed.
        """
        task = asyncio.ensure_future(self._change(name, decide))
        self._changing.add(task)
        task.add_done_callback(self._done)
        return await asyncio.shield(task)

    async def close(self) -> None:
        """Wait for changes that were begun."""
        if self._changing:
            await asyncio.wait(self._changing)

    async def _change(self, name: str, decide: Decide[Answer]) -> Answer:
        async with self._turn:
            before, version = self.index.get(name)
            after, answer = await decide(before)
            if after is not before:
                committed = await self._records.commit(writes_between(before, after, version))
                gone = self.index.put(name, after, committed)
                for revision_id in sorted(gone.revision_ids):
                    for callback in self._retired:
                        callback(revision_id)
                await self._settle_artifacts(before, after, gone)
            return answer

    async def _settle_artifacts(
        self, before: Function | None, after: Function | None, gone: Gone
    ) -> None:
        if after is not None:
            self._artifacts.let_go(after.latest.artifact_id)
        candidates = gone.artifact_ids
        if before is not None and after is not None and before.latest is not after.latest:
            # Its last invocations may just be on their way to hosts that have to fetch it.
            for artifact_id in candidates:
                self._artifacts.hold(artifact_id, FETCH_GRACE_S)
        try:
            await self._artifacts.remove_unused(candidates, self.index.uses)
        except UnavailableError as error:
            # The change itself is on disk; the next start removes what was left over.
            logger.warning("unused packages were not removed", extra={"cause": error.message})

    def _done(self, task: asyncio.Task[object]) -> None:
        self._changing.discard(task)
        if not task.cancelled():
            # Fetched here so that a failure nobody waits for any more is no surprise to the loop.
            task.exception()
