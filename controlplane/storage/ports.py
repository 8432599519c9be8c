"""What the control plane asks of a store. Every adapter passes tests/conformance.

Records are small values under text keys, ordered by key. One transaction is a sequence of writes:
all of them happen or none, and every write may say which version of the record it was decided on.
Blobs are large immutable values named by the SHA-256 of their bytes.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol, TypeAlias

from emberd.wire.errors import ConflictError

ABSENT = 0
"""The version of a record that does not exist."""

TOMBSTONES_MAX = 10_000
"""A change feed remembers at least this many changes behind the newest deletion."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One stored value."""

    key: str
    value: bytes
    version: int
    """Of its last change: grows over all records of a store, so it never comes back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """The last thing that happened to a key."""

    key: str
    value: bytes | None
    """None when it was deleted."""
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Put:
    """Store a value."""

    key: str
    value: bytes
    expected: int | None = None
    """The version it must have now (ABSENT: it must not exist), or None for any."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delete:
    """Remove a value. Removing what is not there is no error unless a version is expected."""

    key: str
    expected: int | None = None


Write: TypeAlias = Put | Delete


class StaleRecordError(ConflictError):
    """A record changed since the caller read it; nothing of the transaction was kept."""

    def __init__(self, key: str) -> None:
        super().__init__(
            f"record {key} changed in the meantime: read it again, then decide again",
            reason="STALE_RECORD",
            key=key,
        )


class ChangesLostError(ConflictError):
    """The feed no longer goes back that far; read every record again."""

    def __init__(self, after: int) -> None:
        super().__init__(
            f"changes after {after} are no longer all known: list the records again",
            reason="CHANGES_LOST",
            after=str(after),
        )


class RecordStore(Protocol):
    """Durable records with compare-and-set and a change feed."""

    async def get(self, key: str) -> Record | None:
        """One record, or None."""

    async def list(self, prefix: str, *, after: str = "", limit: int) -> Sequence[Record]:
        """Records whose key begins with prefix and is greater than after, in order of keys."""

    async def commit(self, writes: Sequence[Write]) -> int:
        """Do all writes in one transaction and return their version; on disk when this returns.

        Raises:
            StaleRecordError: a record is not at the version that was expected.
            UnavailableError: the store failed; nothing was kept.
        """

    async def newest(self) -> int:
        """The version of the last transaction; 0 when there was none."""

    async def changes(self, after: int, *, limit: int) -> Sequence[Change]:
        """The last change of every key that changed after a version, oldest first.

        A transaction is never split over two answers, so one may be longer than the limit. To
        follow a store: newest(), then list() everything, then changes() after the former.

        Raises:
            ChangesLostError: deletions since then were forgotten.
        """

    async def close(self) -> None:
        """Finish what was begun and let go of the store. Safe to repeat."""


class BlobWriter(Protocol):
    """A blob that is being written; it does not exist before keep()."""

    async def write(self, chunk: bytes) -> None:
        """Append bytes."""

    def open_written(self) -> BinaryIO:
        """Read what was written so far, from its beginning. Blocks like a file does."""

    async def keep(self) -> str:
        """Make it durable and return its digest. Keeping the same bytes twice is one blob."""


class BlobStore(Protocol):
    """Durable immutable bytes, named by their SHA-256 in lower-case hexadecimal."""

    def write(self) -> AbstractAsyncContextManager[BlobWriter]:
        """Begin a blob; what was not kept is gone when the context ends."""

    def chunks(self, digest: str, size: int) -> AsyncIterator[bytes]:
        """Its bytes in pieces of at most size.

        Raises:
            NotFoundError: there is no such blob.
        """

    async def size(self, digest: str) -> int | None:
        """Its length in bytes, or None when there is no such blob."""

    async def digests(self) -> Sequence[str]:
        """Every blob, in order."""

    async def delete(self, digest: str) -> None:
        """Remove it. Removing what is not there is no error."""

    def local_path(self, digest: str) -> Path | None:
        """The file that holds it, where the store keeps files and has this one."""
