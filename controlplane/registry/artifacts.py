"""Packages by the SHA-256 of their bytes: taken in as a stream, checked, kept while in use.

A package that was just uploaded, or just replaced, is held for a while although no function uses
it: the one is about to be named by a CreateFunction, the other may be on its way to a host.
"""

from __future__ import annotations

import asyncio
import io
import time
from collections.abc import AsyncIterator, Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from controlplane.model.ids import shown
from controlplane.registry.packages import (
    ZIPPED_BYTES_MAX,
    check_package,
    unzipped_bytes,
    zipped_too_large,
)
from controlplane.storage.ports import BlobStore, BlobWriter
from emberd.wire import CHUNK_BYTES_MAX
from emberd.wire.errors import CapacityError, InvalidArgumentError, NotFoundError, UnavailableError

UPLOADS_MAX = 16
"""Uploads at a time; each may take 50 MB of disk before it is checked."""

TURN_WAIT_S = 30.0
"""How long an upload waits for its turn."""

STALL_S = 60.0
"""How long an upload may bring no bytes; a sender that is gone must not keep its turn."""

HOLD_S = 3_600.0
"""How long a package waits for the function that it was uploaded for."""

FETCH_GRACE_S = 60.0
"""How long a host may still ask for a package that was replaced."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact:
    """A stored package."""

    artifact_id: str
    """SHA-256 in lower-case hexadecimal."""
    size_bytes: int


class ArtifactStore:
    """Takes packages in, hands them out, and forgets what nothing uses."""

    def __init__(
        self,
        blobs: BlobStore,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        turn_wait_s: float = TURN_WAIT_S,
        stall_s: float = STALL_S,
    ) -> None:
        self._blobs = blobs
        self._monotonic = monotonic
        self._turn_wait_s = turn_wait_s
        self._stall_s = stall_s
        self._held: dict[str, float] = {}
        self._turns = asyncio.Semaphore(UPLOADS_MAX)
        # Which packages exist changes under this lock alone: what is about to be removed as
        # unused must not be kept by an upload of the same bytes at that moment.
        self._shelf = asyncio.Lock()
        # One checker at a time: it is pure processor work, and two would only share a core.
        self._checker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="package-check")

    async def upload(self, chunks: AsyncIterator[bytes]) -> Artifact:
        """Store a package, whole and checked, or nothing of it.

        Raises:
            InvalidArgumentError: malformed or too large; says which entry and why.
            CapacityError: too many uploads at once.
            UnavailableError: the sender stalled, or the store failed.
        """
        await self._take_turn()
        try:
            async with self._blobs.write() as writer:
                return await self._take(writer, self._pressed(chunks))
        finally:
            self._turns.release()

    async def find(self, artifact_id: str) -> Artifact:
        """A package that is here.

        Raises:
            InvalidArgumentError: it is not.
        """
        size = await self._blobs.size(artifact_id)
        if size is None:
            raise InvalidArgumentError(
                f"package {shown(artifact_id)} is not here: upload it first with UploadArtifact",
                reason="INVALID_PARAMETER_VALUE",
                artifact_id=shown(artifact_id),
            )
        return Artifact(artifact_id=artifact_id, size_bytes=size)

    def chunks(self, artifact_id: str) -> AsyncIterator[bytes]:
        """A package's bytes in order, in messages of at most 1 MiB.

        Raises:
            NotFoundError: it is not here.
        """
        return self._blobs.chunks(artifact_id, CHUNK_BYTES_MAX)

    def path(self, artifact_id: str) -> Path:
        """The file that holds a package.

        Raises:
            NotFoundError: it is not here, or not in a file.
        """
        path = self._blobs.local_path(artifact_id)
        if path is None:
            raise NotFoundError(
                f"package {shown(artifact_id)} is not in a file here",
                reason="ARTIFACT_NOT_FOUND",
                artifact_id=shown(artifact_id),
            )
        return path

    async def unzipped_bytes(self, artifact_id: str) -> int:
        """What a package takes unpacked, by its directory, which was checked at its upload.

        Raises:
            NotFoundError: it is not here.
        """
        path = self._blobs.local_path(artifact_id)
        if path is None:
            whole = io.BytesIO(b"".join([chunk async for chunk in self.chunks(artifact_id)]))
            return unzipped_bytes(whole)
        return await asyncio.to_thread(_unzipped_bytes_at, path)

    def hold(self, artifact_id: str, seconds: float) -> None:
        """Keep a package for a while, whether a function uses it or not."""
        until = self._monotonic() + seconds
        self._held[artifact_id] = max(until, self._held.get(artifact_id, until))

    def let_go(self, artifact_id: str) -> None:
        """End a hold: from now on the functions that use it decide."""
        self._held.pop(artifact_id, None)

    async def remove_unused(self, candidates: Collection[str], used: Callable[[str], bool]) -> None:
        """Remove those candidates that nothing uses, and what was held for long enough."""
        now = self._monotonic()
        lapsed = {each for each, until in self._held.items() if until <= now}
        for artifact_id in lapsed:
            del self._held[artifact_id]
        for artifact_id in sorted(lapsed.union(candidates)):
            async with self._shelf:
                if artifact_id not in self._held and not used(artifact_id):
                    await self._blobs.delete(artifact_id)

    async def remove_orphans(self, used: Callable[[str], bool]) -> None:
        """Remove every package that nothing uses; for the start, when nothing is held."""
        await self.remove_unused(await self._blobs.digests(), used)

    def close(self) -> None:
        """Let the checker's thread end."""
        self._checker.shutdown(wait=False)

    async def _take_turn(self) -> None:
        try:
            async with asyncio.timeout(self._turn_wait_s):
                await self._turns.acquire()
        except TimeoutError as error:
            raise CapacityError(
                f"{UPLOADS_MAX} packages are being uploaded already; try again when one is done",
                reason="TOO_MANY_REQUESTS",
            ) from error

    async def _pressed(self, chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """The chunks, as long as they keep coming."""
        coming = aiter(chunks)
        while True:
            try:
                async with asyncio.timeout(self._stall_s):
                    chunk = await anext(coming, None)
            except TimeoutError as error:
                raise UnavailableError(
                    f"the upload brought no bytes for {self._stall_s:g} s and was given up; "
                    "nothing of it was kept, upload it again",
                    reason="UPLOAD_STALLED",
                ) from error
            if chunk is None:
                return
            yield chunk

    async def _take(self, writer: BlobWriter, chunks: AsyncIterator[bytes]) -> Artifact:
        size = 0
        async for chunk in chunks:
            size += len(chunk)
            if size > ZIPPED_BYTES_MAX:
                raise zipped_too_large()
            await writer.write(chunk)
        await asyncio.get_running_loop().run_in_executor(self._checker, _check, writer)
        async with self._shelf:
            artifact_id = await writer.keep()
            self.hold(artifact_id, HOLD_S)
        return Artifact(artifact_id=artifact_id, size_bytes=size)


async def one_chunk(chunk: bytes) -> AsyncIterator[bytes]:
    """A package that is all here, as a stream."""
    yield chunk


def _unzipped_bytes_at(path: Path) -> int:
    with path.open("rb") as file:
        return unzipped_bytes(file)


def _check(writer: BlobWriter) -> None:
    with writer.open_written() as file:
        check_package(file)
