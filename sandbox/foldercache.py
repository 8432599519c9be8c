"""Folders on this host by name: made once, shared by all who use them, evicted when nobody does."""

from __future__ import annotations

import asyncio
import itertools
import os
import shutil
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from pathlib import Path

Make = Callable[[Path], Awaitable[int]]
"""Makes a folder at a path where nothing is yet, and returns the bytes in it."""


class FolderCache:
    """Folders below one of the agent's own. Those that are held are never evicted."""

    def __init__(self, folder: Path, executor: Executor, *, bytes_max: int) -> None:
        """What lies there belongs to the cache; beyond bytes_max the longest unused go."""
        self.folder = folder
        self._executor = executor
        self._bytes_max = bytes_max
        self._under_way: dict[str, asyncio.Future[Path]] = {}
        self._used_s: dict[str, float] = {}
        self._sizes: dict[str, int] = {}
        self._held: dict[str, int] = {}
        self._evictions = itertools.count(1)

    def open(self, suffixes: tuple[str, ...]) -> None:
        """Take over the whole folders of an earlier life, and remove what it left half done."""
        self.folder.mkdir(mode=0o755, parents=True, exist_ok=True)
        for entry in self.folder.iterdir():
            if entry.name.endswith(suffixes):
                self._keep(entry.name, size_of(entry))
            elif entry.is_dir():
                _remove_tree(entry)
            else:
                entry.unlink()

    def __contains__(self, name: str) -> bool:
        """Whether a folder of this name is here, whole."""
        return name in self._used_s

    @property
    def names(self) -> list[str]:
        """Folders that are here now."""
        return list(self._used_s)

    def size(self, name: str) -> int:
        """Bytes in a folder that is here."""
        return self._sizes[name]

    def touch(self, name: str) -> None:
        """It is of use: the longest unused are evicted first."""
        self._used_s[name] = time.monotonic()

    def hold(self, name: str) -> None:
        """Somebody uses it, or is about to: not evicted until as many releases."""
        self._held[name] = self._held.get(name, 0) + 1

    def release(self, name: str) -> None:
        """Somebody who used it is gone."""
        left = self._held.get(name, 0) - 1
        if left > 0:
            self._held[name] = left
        else:
            self._held.pop(name, None)

    @contextmanager
    def holding(self, names: Iterable[str]) -> Iterator[None]:
        """Hold folders for as long as this lasts."""
        held = list(names)
        for name in held:
            self.hold(name)
        try:
            yield
        finally:
            for name in held:
                self.release(name)

    async def ensure(self, name: str, make: Make) -> Path:
        """The folder; made by the first who asks, awaited by the others.

        Raises:
            RefusedError: whatever make refuses with.
        """
        if name in self._used_s:
            self.touch(name)
            return self.folder / name
        under_way = self._under_way.get(name)
        if under_way is None:
            under_way = asyncio.ensure_future(self._bring(name, make))
            self._under_way[name] = under_way
            under_way.add_done_callback(lambda _: self._under_way.pop(name, None))
        return await asyncio.shield(under_way)

    async def _bring(self, name: str, make: Make) -> Path:
        staging = self.folder / f"{name}.unfinished"
        loop = asyncio.get_running_loop()
        try:
            size = await make(staging)
            staging.rename(self.folder / name)
        finally:
            if staging.exists():
                await loop.run_in_executor(self._executor, _remove_tree, staging)
        self._keep(name, size)
        for victim in self._victims():
            await loop.run_in_executor(self._executor, _remove_tree, victim)
        return self.folder / name

    def _keep(self, name: str, size: int) -> None:
        self._used_s[name] = time.monotonic()
        self._sizes[name] = size

    def _victims(self) -> list[Path]:
        """Forget the longest unused folders beyond the cache's size; the caller removes them.

        They have other names by then: the same folder may be wanted again before it is removed.
        """
        victims = []
        total = sum(self._sizes.values())
        for name in sorted(self._used_s, key=lambda each: self._used_s[each]):
            if total > self._bytes_max and name not in self._held:
                total -= self._sizes.pop(name)
                del self._used_s[name]
                victim = self.folder / f"{name}.evicted-{next(self._evictions)}"
                (self.folder / name).rename(victim)
                victims.append(victim)
        return victims


def size_of(folder: Path) -> int:
    """Bytes of all files in a folder."""
    return sum(each.lstat().st_size for each in folder.rglob("*") if not each.is_symlink())


def _remove_tree(folder: Path) -> None:
    """Remove a tree whose directories may lack permissions that their owner can give back."""

    def again(function: Callable[..., object], path: str, _: object) -> None:
        os.chmod(os.path.dirname(path), 0o700)
        function(path)

    shutil.rmtree(folder, onerror=again)
