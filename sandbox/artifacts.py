"""Packages on this host: fetched once, checked by digest, unpacked once, evicted when unused."""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Executor
from pathlib import Path

from emberd.wire.errors import EmberdError
from sandbox.unpack import UnpackError, unpack
from sandbox.work import RefusalReason, RefusedError

Fetch = Callable[[str], AsyncIterator[bytes]]
"""Streams an artifact's bytes from the control plane."""

CACHE_BYTES_MAX = 10 * 1024**3
"""Unpacked code kept on a host."""


class CodeCache:
    """Unpacked packages by their digest, below one folder of the agent's own."""

    def __init__(
        self, folder: Path, fetch: Fetch, executor: Executor, *, disk_reserve_bytes: int
    ) -> None:
        self._folder = folder
        self._fetch = fetch
        self._executor = executor
        self._disk_reserve_bytes = disk_reserve_bytes
        self._under_way: dict[str, asyncio.Future[Path]] = {}
        self._used_s: dict[str, float] = {}
        self._sizes: dict[str, int] = {}
        self._held: dict[str, int] = {}

    def open(self) -> None:
        """Take over what an earlier life left whole, and remove what it left half done."""
        self._folder.mkdir(mode=0o755, parents=True, exist_ok=True)
        for entry in self._folder.iterdir():
            if entry.name.endswith(".code"):
                artifact_id = entry.name.removesuffix(".code")
                self._used_s[artifact_id] = time.monotonic()
                self._sizes[artifact_id] = _size_of(entry)
            elif entry.is_dir():
                _remove_tree(entry)
            else:
                entry.unlink()

    @property
    def artifact_ids(self) -> list[str]:
        """Packages that are here now."""
        return list(self._used_s)

    def hold(self, artifact_id: str) -> None:
        """A sandbox uses it: not evicted until as many releases."""
        self._held[artifact_id] = self._held.get(artifact_id, 0) + 1

    def release(self, artifact_id: str) -> None:
        """A sandbox that used it is gone."""
        left = self._held.get(artifact_id, 0) - 1
        if left > 0:
            self._held[artifact_id] = left
        else:
            self._held.pop(artifact_id, None)

    async def ensure(self, artifact_id: str) -> Path:
        """The unpacked package's folder; fetched by the first who asks, awaited by the others.

        Raises:
            RefusedError: no disk, the control plane cannot give it, or it is not what it should be.
        """
        if artifact_id in self._used_s:
            self._used_s[artifact_id] = time.monotonic()
            return self._path(artifact_id)
        under_way = self._under_way.get(artifact_id)
        if under_way is None:
            under_way = asyncio.ensure_future(self._bring(artifact_id))
            self._under_way[artifact_id] = under_way
            under_way.add_done_callback(lambda _: self._under_way.pop(artifact_id, None))
        return await asyncio.shield(under_way)

    async def _bring(self, artifact_id: str) -> Path:
        archive = self._folder / f"{artifact_id}.zip"
        staging = self._folder / f"{artifact_id}.unpacking"
        loop = asyncio.get_running_loop()
        try:
            await self._download(artifact_id, archive)
            self._demand_disk()
            size = await loop.run_in_executor(self._executor, unpack, archive, staging)
            staging.rename(self._path(artifact_id))
        except UnpackError as error:
            raise RefusedError(RefusalReason.START_FAILED, str(error)) from error
        except EmberdError as error:
            raise RefusedError(
                RefusalReason.START_FAILED,
                f"artifact {artifact_id} cannot be fetched: {error.message}",
            ) from error
        finally:
            archive.unlink(missing_ok=True)
            if staging.exists():
                await loop.run_in_executor(self._executor, _remove_tree, staging)
        self._used_s[artifact_id] = time.monotonic()
        self._sizes[artifact_id] = size
        for victim in self._victims():
            await loop.run_in_executor(self._executor, _remove_tree, self._path(victim))
        return self._path(artifact_id)

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

    def _victims(self) -> list[str]:
        """Forget the longest unused packages beyond the cache's size; the caller removes them."""
        victims = []
        total = sum(self._sizes.values())
        for artifact_id in sorted(self._used_s, key=lambda each: self._used_s[each]):
            if total > CACHE_BYTES_MAX and artifact_id not in self._held:
                total -= self._sizes.pop(artifact_id)
                del self._used_s[artifact_id]
                victims.append(artifact_id)
        return victims

    def _path(self, artifact_id: str) -> Path:
        return self._folder / f"{artifact_id}.code"


def free_bytes(folder: Path) -> int:
    """What an ordinary user may still write there."""
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize


def _size_of(folder: Path) -> int:
    return sum(each.lstat().st_size for each in folder.rglob("*") if not each.is_symlink())


def _remove_tree(folder: Path) -> None:
    """Remove a tree whose directories may lack permissions that their owner can give back."""

    def again(function: Callable[..., object], path: str, _: object) -> None:
        os.chmod(os.path.dirname(path), 0o700)
        function(path)

    shutil.rmtree(folder, onerror=again)
