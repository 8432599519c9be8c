"""Blobs as files: FOLDER/ab/abcdef... after a write to FOLDER/incoming, fsync and rename.

A blob is either whole under its name or not there. What a crash left in `incoming` is removed at
the next start.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import re
import tempfile
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import BinaryIO, Protocol, TypeVar

from controlplane.storage.ports import BlobWriter
from emberd.wire.errors import ConflictError, NotFoundError, UnavailableError

_Result = TypeVar("_Result")

THREADS = 4
INCOMING = "incoming"
_DIGEST = re.compile(r"[0-9a-f]{64}")


class _Runner(Protocol):
    """Runs blocking work off the event loop."""

    async def __call__(self, work: Callable[[], _Result]) -> _Result:
        """Run it and return what it returns."""


class FileBlobs:
    """A BlobStore in one folder."""

    def __init__(self, folder: Path, executor: ThreadPoolExecutor) -> None:
        self._folder = folder
        self._executor = executor

    @classmethod
    async def open(cls, folder: Path) -> FileBlobs:
        """Use the folder, or make it, and remove what was never finished there.

        Raises:
            ConflictError: it cannot be used; says what to do.
        """
        executor = ThreadPoolExecutor(max_workers=THREADS, thread_name_prefix="blobs")
        try:
            await asyncio.get_running_loop().run_in_executor(executor, _make_ready, folder)
        except OSError as error:
            executor.shutdown(wait=False)
            raise ConflictError(
                f"packages cannot be kept in {folder} ({error}): see that the data folder belongs "
                "to the user that runs emberd",
                reason="BLOBS_UNUSABLE",
                path=str(folder),
            ) from error
        return cls(folder, executor)

    @contextlib.asynccontextmanager
    async def write(self) -> AsyncIterator[BlobWriter]:
        """Begin a blob; what was not kept is gone when the context ends."""
        writer = await self._begin()
        try:
            yield writer
        finally:
            writer.discard()

    async def chunks(self, digest: str, size: int) -> AsyncIterator[bytes]:
        """Its bytes in pieces."""
        source = await self._run(lambda: _open_or_none(self._path(digest)))
        if source is None:
            raise NotFoundError(
                f"package {digest} is not here: it was never uploaded, or nothing uses it any more",
                reason="ARTIFACT_NOT_FOUND",
                artifact_id=digest,
            )
        with source:
            while chunk := await self._run(lambda: source.read(size)):
                yield chunk

    async def size(self, digest: str) -> int | None:
        """Its length in bytes, or None."""
        return await self._run(lambda: _size_or_none(self._path(digest)))

    async def digests(self) -> Sequence[str]:
        """Every blob, in order."""
        return await self._run(
            lambda: sorted(
                each.name for each in self._folder.glob("??/*") if _DIGEST.fullmatch(each.name)
            )
        )

    async def delete(self, digest: str) -> None:
        """Remove it."""
        await self._run(lambda: self._path(digest).unlink(missing_ok=True))

    def local_path(self, digest: str) -> Path | None:
        """The file that holds it, or None."""
        path = self._path(digest)
        return path if path.is_file() else None

    async def close(self) -> None:
        """Finish what was begun."""
        await asyncio.to_thread(self._executor.shutdown)

    def _path(self, digest: str) -> Path:
        if not _DIGEST.fullmatch(digest):
            # Anything else could name a file outside the folder.
            return self._folder / "none"
        return self._folder / digest[:2] / digest

    async def _begin(self) -> FileBlobWriter:
        beginning = asyncio.ensure_future(
            self._run(lambda: FileBlobWriter(self._folder, self._run))
        )
        try:
            return await asyncio.shield(beginning)
        except asyncio.CancelledError:
            # The file may come to be only after its caller went away.
            beginning.add_done_callback(_discard_begun)
            raise

    async def _run(self, work: Callable[[], _Result]) -> _Result:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._executor, work)
        except OSError as error:
            raise UnavailableError(
                f"the package store failed ({error}): see that its disk has room and is "
                "writable, then try again",
                reason="STORE_FAILED",
            ) from error


class FileBlobWriter:
    """A blob under construction: a file in `incoming` and the digest of what went into it."""

    def __init__(self, folder: Path, run: _Runner) -> None:
        self._folder = folder
        self._run = run
        self._digest = hashlib.sha256()
        fd, name = tempfile.mkstemp(dir=folder / INCOMING)
        self._path = Path(name)
        self._file = os.fdopen(fd, "wb")

    async def write(self, chunk: bytes) -> None:
        """Append bytes."""
        await self._run(lambda: self._append(chunk))

    def open_written(self) -> BinaryIO:
        """Read what was written so far."""
        self._file.flush()
        return self._path.open("rb")

    async def keep(self) -> str:
        """Make it durable under its digest, which is returned."""
        return await self._run(self._keep)

    def discard(self) -> None:
        """Remove what was not kept. Safe to repeat."""
        # Closing flushes, and a full disk must not hide the error that brought us here.
        with contextlib.suppress(OSError):
            self._file.close()
        self._path.unlink(missing_ok=True)

    def _append(self, chunk: bytes) -> None:
        self._file.write(chunk)
        self._digest.update(chunk)

    def _keep(self) -> str:
        digest = self._digest.hexdigest()
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        shelf = self._folder / digest[:2]
        shelf.mkdir(mode=0o700, exist_ok=True)
        self._path.replace(shelf / digest)
        # The rename, and a folder that was just made, are durable only with their folders.
        _sync_folder(shelf)
        _sync_folder(self._folder)
        return digest


def _discard_begun(beginning: asyncio.Future[FileBlobWriter]) -> None:
    if not beginning.cancelled() and beginning.exception() is None:
        beginning.result().discard()


def _make_ready(folder: Path) -> None:
    incoming = folder / INCOMING
    incoming.mkdir(mode=0o700, parents=True, exist_ok=True)
    for unfinished in incoming.iterdir():
        unfinished.unlink()


def _open_or_none(path: Path) -> BinaryIO | None:
    try:
        return path.open("rb")
    except FileNotFoundError:
        return None


def _size_or_none(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return None


def _sync_folder(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
