"""Blobs in memory: a fake that passes the same conformance suite as the real ones."""

from __future__ import annotations

import hashlib
import io
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import BinaryIO

from controlplane.storage.ports import BlobWriter
from emberd.wire.errors import NotFoundError


class MemoryBlobs:
    """A BlobStore that forgets everything with its process."""

    def __init__(self) -> None:
        self._blobs: dict[str, bytes] = {}

    @asynccontextmanager
    async def write(self) -> AsyncIterator[BlobWriter]:
        yield _Writer(self._blobs)

    async def chunks(self, digest: str, size: int) -> AsyncIterator[bytes]:
        if digest not in self._blobs:
            raise NotFoundError(f"{digest} is not here", reason="ARTIFACT_NOT_FOUND")
        content = self._blobs[digest]
        for start in range(0, len(content), size):
            yield content[start : start + size]

    async def size(self, digest: str) -> int | None:
        content = self._blobs.get(digest)
        return None if content is None else len(content)

    async def digests(self) -> Sequence[str]:
        return sorted(self._blobs)

    async def delete(self, digest: str) -> None:
        self._blobs.pop(digest, None)

    def local_path(self, digest: str) -> Path | None:
        return None


class _Writer:
    def __init__(self, blobs: dict[str, bytes]) -> None:
        self._blobs = blobs
        self._written = bytearray()

    async def write(self, chunk: bytes) -> None:
        self._written += chunk

    def open_written(self) -> BinaryIO:
        return io.BytesIO(bytes(self._written))

    async def keep(self) -> str:
        digest = hashlib.sha256(self._written).hexdigest()
        self._blobs[digest] = bytes(self._written)
        return digest
