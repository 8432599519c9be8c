"""Functions, layers and code-signing configurations in memory, every change on disk before it is
acknowledged.

A change is a step from one state of one of them to the next, carried out one at a time: decide,
commit, then show it to readers. A caller that goes away in the middle does not stop it
half-way.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Coroutine
from typing import TypeVar

from controlplane.model.code_signing import CodeSigningConfig
from controlplane.model.functions import Function
from controlplane.model.ids import ArnScheme
from controlplane.model.layers import Layer
from controlplane.registry.artifacts import FETCH_GRACE_S, ArtifactStore
from controlplane.registry.documents import writes_between
from controlplane.registry.index import FunctionIndex, Gone
from controlplane.registry.layer_index import LayerIndex, layer_writes, load_layers
from controlplane.registry.loading import first_version, load_functions
from controlplane.registry.quota import CodeStorage, growth_bytes
from controlplane.registry.settings.code_signing_index import (
    CodeSigningIndex,
    code_signing_writes,
    load_code_signing,
)
from controlplane.storage.ports import RecordStore
from emberd.wire.errors import UnavailableError

logger = logging.getLogger(__name__)

Answer = TypeVar("Answer")
Decide = Callable[[Function | None], Awaitable[tuple[Function | None, Answer]]]
"""From the state of a function (None: there is none) to the next one and an answer."""
DecideLayer = Callable[[Layer | None], Awaitable[tuple[Layer | None, Answer]]]
"""The same for a layer, which never ceases to exist."""
DecideCodeSigning = Callable[[CodeSigningConfig | None], tuple[CodeSigningConfig | None, Answer]]
"""The same for a code-signing configuration."""


class Ledger:
    """Where functions and layers are read and changed."""

    def __init__(
        self,
        records: RecordStore,
        artifacts: ArtifactStore,
        index: FunctionIndex,
        layers: LayerIndex,
        code_signing: CodeSigningIndex,
        storage: CodeStorage,
    ) -> None:
        self.index = index
        self.layers = layers
        self.code_signing = code_signing
        self.storage = storage
        self._records = records
        self._artifacts = artifacts
        self._retired: list[Callable[[str], None]] = []
        self._changed: list[Callable[[Function], None]] = []
        self._deleted: list[Callable[[str], None]] = []
        self._changing: set[asyncio.Task[object]] = set()
        # Held from reading a state until its successor is visible: changes are decided on what is.
        self._turn = asyncio.Lock()

    @classmethod
    async def open(
        cls, records: RecordStore, artifacts: ArtifactStore, arns: ArnScheme, code_bytes_max: int
    ) -> Ledger:
        """Load every function and layer, and remove packages that none of them uses.

        Raises:
            ConflictError: a record cannot be read.
        """
        index = FunctionIndex(arns)
        for function, version in await load_functions(records):
            index.put(function.name, function, version)
        layers, code_signing = await load_layers(records), await load_code_signing(records)
        storage = CodeStorage(code_bytes_max)
        storage.used_bytes += sum(growth_bytes(None, function) for function in index.all())
        storage.used_bytes += sum(growth_bytes(None, layer) for layer in layers.all())
        ledger = cls(records, artifacts, index, layers, code_signing, storage)
        # Nothing at all may mean a lost database beside good packages: those stay.
        if len(index) or len(ledger.layers):
            await artifacts.remove_orphans(ledger.uses)
        return ledger

    def uses(self, artifact_id: str) -> bool:
        """Whether any function or layer has this package."""
        return self.index.uses(artifact_id) or self.layers.uses(artifact_id)

    def on_retired(self, callback: Callable[[str], None]) -> None:
        """Call this with the id of every revision that no reference leads to any more."""
        self._retired.append(callback)

    def on_changed(self, callback: Callable[[Function], None]) -> None:
        """Call this with every new state of a function, once readers see it."""
        self._changed.append(callback)

    def on_deleted(self, callback: Callable[[str], None]) -> None:
        """Call this with the name of every function that is deleted, once readers see it."""
        self._deleted.append(callback)

    async def first_version(self, name: str) -> int:
        """The number of a new function's first version: one that no version of that name had."""
        return await first_version(self._records, name)

    async def change(self, name: str, decide: Decide[Answer]) -> Answer:
        """Carry out one change of one function.

        Raises:
            UnavailableError: the store failed; nothing changed.
            EmberdError: whatever decide refuses with; nothing changed.
        """
        return await self._to_its_end(self._change(name, decide))

    async def change_layer(self, name: str, decide: DecideLayer[Answer]) -> Answer:
        """Carry out one change of one layer. Functions do not change meanwhile, nor the reverse:
        a layer that a function is being given is not deleted before the function has it.

        Raises:
            UnavailableError: the store failed; nothing changed.
            EmberdError: whatever decide refuses with; nothing changed.
        """
        return await self._to_its_end(self._change_layer(name, decide))

    async def change_code_signing(self, arn: str, decide: DecideCodeSigning[Answer]) -> Answer:
        """Carry out one change of one code-signing configuration, while no function changes.

        Raises:
            UnavailableError: the store failed; nothing changed.
            EmberdError: whatever decide refuses with; nothing changed.
        """
        return await self._to_its_end(self._change_code_signing(arn, decide))

    async def close(self) -> None:
        """Wait for changes that were begun."""
        if self._changing:
            await asyncio.wait(self._changing)

    async def _to_its_end(self, change: Coroutine[None, None, Answer]) -> Answer:
        task = asyncio.ensure_future(change)
        self._changing.add(task)
        task.add_done_callback(self._done)
        return await asyncio.shield(task)

    async def _change_layer(self, name: str, decide: DecideLayer[Answer]) -> Answer:
        async with self._turn:
            before, version = self.layers.get(name)
            after, answer = await decide(before)
            if after is not None and after is not before:
                growth = growth_bytes(before, after)
                self.storage.check(growth)
                committed = await self._records.commit(layer_writes(before, after, version))
                self.storage.used_bytes += growth
                gone = self.layers.put(after, committed)
                for each in after.versions.values():
                    self._artifacts.let_go(each.artifact_id)
                await self._remove_unused(gone)
            return answer

    async def _change_code_signing(self, arn: str, decide: DecideCodeSigning[Answer]) -> Answer:
        async with self._turn:
            before, version = self.code_signing.get(arn)
            after, answer = decide(before)
            if after is not before:
                writes = code_signing_writes(before, after, version)
                self.code_signing.put(arn, after, await self._records.commit(writes))
            return answer

    async def _change(self, name: str, decide: Decide[Answer]) -> Answer:
        async with self._turn:
            before, version = self.index.get(name)
            after, answer = await decide(before)
            if after is not before:
                growth = growth_bytes(before, after)
                self.storage.check(growth)
                committed = await self._records.commit(writes_between(before, after, version))
                self.storage.used_bytes += growth
                gone = self.index.put(name, after, committed)
                for revision_id in sorted(gone.revision_ids):
                    for callback in self._retired:
                        callback(revision_id)
                if after is None:
                    for deleted in self._deleted:
                        deleted(name)
                else:
                    for changed in self._changed:
                        changed(after)
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
        await self._remove_unused(candidates)

    async def _remove_unused(self, candidates: Collection[str]) -> None:
        try:
            await self._artifacts.remove_unused(candidates, self.uses)
        except UnavailableError as error:
            # The change itself is on disk; the next start removes what was left over.
            logger.warning("unused packages were not removed", extra={"cause": error.message})

    def _done(self, task: asyncio.Task[object]) -> None:
        self._changing.discard(task)
        if not task.cancelled():
            # Fetched here so that a failure nobody waits for any more is no surprise to the loop.
            task.exception()
