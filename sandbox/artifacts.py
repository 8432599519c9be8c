"""Packages on this host: fetched once, checked by digest, unpacked once, evicted when unused.

    <digest>.code     an unpacked package, of a function or of a layer
    <digest>.opt      several layers laid one over the other, by the digest of their list
    <digest>.pyc      what was compiled of a package and its layers, by the digest of both

A list of one layer is that layer's own folder. Merged trees count in full against the cache's size
although they share the files of their layers: it is emptied too early rather than too late.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import os
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from emberd.wire.errors import EmberdError
from runtimes.catalog import RUNTIMES
from sandbox.bytecode import Compiler
from sandbox.foldercache import FolderCache
from sandbox.layers import merge
from sandbox.unpack import UnpackError, unpack
from sandbox.work import RefusalReason, RefusedError, Revision

logger = logging.getLogger(__name__)

Fetch = Callable[[str], AsyncIterator[bytes]]
"""Streams an artifact's bytes from the control plane."""

CACHE_BYTES_MAX = 10 * 1024**3
"""Unpacked code kept on a host."""

_CODE, _OPT, _BYTECODE = ".code", ".opt", ".pyc"

COMPILED_AFTER_S = 2.0
"""Nothing is compiled under the eyes of whoever waits for the first start, unless it must be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Folders:
    """What a sandbox sees of its function's packages, held until it is given back."""

    code: Path
    layers: Path | None
    """All layers as one tree; None without layers."""
    bytecode: Path | None = None
    """What was compiled of both; None as long as nothing is."""


class CodeCache:
    """Unpacked packages by their digest, below one folder of the agent's own."""

    def __init__(
        self,
        folder: Path,
        fetch: Fetch,
        executor: Executor,
        *,
        disk_reserve_bytes: int,
        bytes_max: int = CACHE_BYTES_MAX,
    ) -> None:
        self._cache = FolderCache(folder, executor, bytes_max=bytes_max)
        self._folder = folder
        self._fetch = fetch
        self._executor = executor
        self._disk_reserve_bytes = disk_reserve_bytes
        self._compiler: Compiler | None = None
        self._compiling: dict[str, asyncio.Task[None]] = {}
        """By name; also of what was tried and is not worth it, or does not go."""

    def compile_with(self, compiler: Compiler) -> None:
        """From now on, compile packages for their next starts."""
        self._compiler = compiler

    async def close(self) -> None:
        """Compile no more."""
        for task in self._compiling.values():
            task.cancel()
        await asyncio.gather(*self._compiling.values(), return_exceptions=True)

    def open(self) -> None:
        """Take over what an earlier life left whole, and remove what it left half done."""
        self._cache.open((_CODE, _OPT, _BYTECODE))

    @property
    def artifact_ids(self) -> list[str]:
        """Packages that are here now."""
        return [each.removesuffix(_CODE) for each in self._cache.names if each.endswith(_CODE)]

    async def take(self, revision: Revision) -> Folders:
        """What a revision's sandboxes see, held until give_back.

        Raises:
            RefusedError: no disk, the control plane cannot give it, or it is not what it should be.
        """
        code = revision.artifact_id + _CODE
        layers = [each + _CODE for each in revision.layers]
        with self._cache.holding([code, *layers]):
            await self._ensure_all(dict.fromkeys((revision.artifact_id, *revision.layers)))
            merged = await self._merged(layers) if layers else None
            # Nothing is awaited from here to the holds that the sandbox keeps.
            bytecode = self._bytecode(revision, self._folder / code, merged)
            folders = Folders(code=self._folder / code, layers=merged, bytecode=bytecode)
            for each in _held(folders):
                self._cache.hold(each.name)
        return folders

    def give_back(self, folders: Folders) -> None:
        """The sandbox that used them is gone."""
        for each in _held(folders):
            self._cache.release(each.name)

    async def make_ready(self, revision: Revision) -> None:
        """Bring a package whose runtime wants it compiled first, and wait until it is.

        One that cannot be compiled here is ready too: each of its sandboxes will try for itself.

        Raises:
            RefusedError: as take.
        """
        runtime = RUNTIMES.get(revision.runtime_id)
        if runtime is None or not runtime.compiled_first:
            return
        folders = await self.take(revision)
        try:
            compiling = self._compiling.get(
                self._bytecode_name(revision, folders.code, folders.layers)
            )
            if compiling is not None:
                await asyncio.wait((compiling,))
        finally:
            self.give_back(folders)

    def _bytecode(self, revision: Revision, code: Path, layers: Path | None) -> Path | None:
        """What was compiled already; where nothing was, it will be."""
        name = self._bytecode_name(revision, code, layers)
        if name in self._cache:
            self._cache.touch(name)
            return self._folder / name
        if name and self._compiler and name not in self._compiling:
            work = self._compile(self._compiler, name, revision, code, layers)
            self._compiling[name] = asyncio.create_task(work)
        return None

    def _bytecode_name(self, revision: Revision, code: Path, layers: Path | None) -> str:
        """Of the folder of what is compiled of a package; empty where nothing is."""
        digest = self._compiler.name_of(revision, code, layers) if self._compiler else ""
        return digest and digest + _BYTECODE

    async def _compile(
        self, compiler: Compiler, name: str, revision: Revision, code: Path, layers: Path | None
    ) -> None:
        if not RUNTIMES[revision.runtime_id].compiled_first:
            await asyncio.sleep(COMPILED_AFTER_S)
        with self._cache.holding([each.name for each in (code, layers) if each is not None]):
            try:
                runtime_id = revision.runtime_id
                if code.exists() and await compiler.is_worthwhile(runtime_id, code, layers):
                    self._demand_disk()
                    make = partial(compiler.compile, revision, code, layers)
                    await self._cache.ensure(name, make)
                    # Should it be evicted, it is made anew.
                    del self._compiling[name]
            except (EmberdError, RefusedError, UnpackError, OSError) as error:
                # Starts go on as before: each compiles for itself.
                told = {"function": revision.function_name, "why": str(error)}
                logger.warning("a package is not compiled ahead", extra=told)

    async def _ensure_all(self, artifact_ids: dict[str, None]) -> None:
        """Several at a time, since a cold start waits for all of them."""
        names = [each + _CODE for each in artifact_ids]
        if all(each in self._cache for each in names):
            for each in names:
                self._cache.touch(each)
            return
        try:
            async with asyncio.TaskGroup() as group:
                for each in artifact_ids:
                    group.create_task(self._cache.ensure(each + _CODE, partial(self._bring, each)))
        except ExceptionGroup as failures:
            raise failures.exceptions[0] from None

    async def _merged(self, layers: Sequence[str]) -> Path:
        """The layers as one tree, which the caller holds before it awaits anything."""
        if len(layers) == 1:
            return self._folder / layers[0]
        name = hashlib.sha256(" ".join(layers).encode()).hexdigest() + _OPT
        with self._cache.holding([name]):
            return await self._cache.ensure(name, partial(self._merge, layers))

    async def _merge(self, layers: Sequence[str], target: Path) -> int:
        self._demand_disk()
        folders = [self._folder / each for each in layers]
        try:
            await asyncio.get_running_loop().run_in_executor(self._executor, merge, folders, target)
        except (UnpackError, OSError) as error:
            raise RefusedError(
                RefusalReason.START_FAILED, f"layers cannot be laid over each other: {error}"
            ) from error
        return sum(self._cache.size(each) for each in layers)

    async def _bring(self, artifact_id: str, target: Path) -> int:
        archive = self._folder / f"{artifact_id}.zip"
        loop = asyncio.get_running_loop()
        try:
            await self._download(artifact_id, archive)
            self._demand_disk()
            return await loop.run_in_executor(self._executor, unpack, archive, target)
        except UnpackError as error:
            raise RefusedError(RefusalReason.START_FAILED, str(error)) from error
        except EmberdError as error:
            raise RefusedError(
                RefusalReason.START_FAILED,
                f"artifact {artifact_id} cannot be fetched: {error.message}",
            ) from error
        finally:
            archive.unlink(missing_ok=True)

    async def _download(self, artifact_id: str, archive: Path) -> None:
        self._demand_disk()
        digest = hashlib.sha256()
        with archive.open("wb") as sink:
            async for chunk in self._fetch(artifact_id):
                digest.update(chunk)
                sink.write(chunk)
        if digest.hexdigest() != artifact_id:
            raise RefusedError(
                RefusalReason.START_FAILED,
                f"artifact {artifact_id} arrived as {digest.hexdigest()}: "
                "the control plane's copy is damaged; deploy the function again",
            )

    def _demand_disk(self) -> None:
        free = free_bytes(self._folder)
        if free < self._disk_reserve_bytes:
            raise RefusedError(
                RefusalReason.DISK,
                f"{free >> 20} MB of disk are free, below the reserve of "
                f"{self._disk_reserve_bytes >> 20} MB",
            )


def free_bytes(folder: Path) -> int:
    """What an ordinary user may still write there."""
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize


def _held(folders: Folders) -> list[Path]:
    every = (folders.code, folders.layers, folders.bytecode)
    return [each for each in every if each is not None]
