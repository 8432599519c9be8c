"""Checks a package when it is uploaded: every byte is unpacked once, and nothing is written.

Blocks and takes up to seconds of processor time, so it belongs in an executor. Memory is bounded
by the number of entries, never by what an archive claims. The host does not rely on this: it
unpacks with code of its own.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from controlplane.registry.packagetree import BadEntryError, Kind, Tree, kind_of, parts_of
from controlplane.registry.zipdirectory import (
    ENTRIES_MAX,
    Entry,
    MalformedZipError,
    TooManyEntriesError,
    data_offset,
    find_directory,
    read_entries,
)
from emberd.wire.errors import InvalidArgumentError

ZIPPED_BYTES_MAX = 52_428_800
"""50 MB, Lambda's limit for an upload."""
UNZIPPED_BYTES_MAX = 262_144_000
"""250 MB, Lambda's limit for a package with its layers."""

STORED, DEFLATED = 0, 8
VERSION_MAX = 63
"""6.3 times ten: the newest version of the format that hosts unpack."""

_PIECE_BYTES = 256 * 1024
_LINK_BYTES_MAX = 4095
_SHOWN_NAME_CHARACTERS = 120

_COULD_NOT_UNZIP = (
    "Could not unzip uploaded file. Please check your file, then try to upload again."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageSummary:
    """What a good package holds."""

    entries: int
    unzipped_bytes: int


def check_package(file: BinaryIO) -> PackageSummary:
    """Read a whole archive and refuse it unless it can be unpacked safely.

    Raises:
        InvalidArgumentError: names the entry and what is wrong with it.
    """
    try:
        directory = find_directory(file)
        entries = list(read_entries(file, directory))
        if not entries:
            raise _refused("Uploaded file must be a non-empty zip.")
        if sum(entry.bytes for entry in entries) > UNZIPPED_BYTES_MAX:
            raise _unzipped_too_large()
        _check_no_overlap(file, entries, directory.offset)
        return PackageSummary(entries=len(entries), unzipped_bytes=_unpack(file, entries))
    except TooManyEntriesError as error:
        raise _refused(
            f"{_COULD_NOT_UNZIP} It has more than {ENTRIES_MAX} entries, which is the most that "
            "is unpacked."
        ) from error
    except MalformedZipError as error:
        raise InvalidArgumentError(
            _COULD_NOT_UNZIP, reason="INVALID_PARAMETER_VALUE", cause=str(error)
        ) from error


def unzipped_bytes(file: BinaryIO) -> int:
    """What a package that was checked before takes unpacked; reads only its directory."""
    return sum(entry.bytes for entry in read_entries(file, find_directory(file)))


def zipped_too_large() -> InvalidArgumentError:
    """Lambda's refusal of an archive of more than 50 MB."""
    return InvalidArgumentError(
        f"Zipped size must be smaller than {ZIPPED_BYTES_MAX} bytes",
        reason="REQUEST_ENTITY_TOO_LARGE",
    )


def _unpack(file: BinaryIO, entries: Sequence[Entry]) -> int:
    """Check names, links and bytes of every entry; returns the bytes it unpacks to."""
    tree = Tree()
    total = 0
    for entry in entries:
        try:
            total += _check_entry(file, entry, tree)
        except BadEntryError as error:
            raise _bad_entry(entry, error) from error
    try:
        tree.check_links()
    except BadEntryError as error:
        raise _refused(f"{_COULD_NOT_UNZIP} Entry {error}.") from error
    return total


def _check_entry(file: BinaryIO, entry: Entry, tree: Tree) -> int:
    path = parts_of(entry.name)
    kind = kind_of(entry.name, entry.mode)
    if entry.version_needed > VERSION_MAX:
        raise BadEntryError(f"needs version {entry.version_needed / 10} of the zip format")
    if entry.encrypted:
        raise BadEntryError("is encrypted")
    if entry.patch:
        raise BadEntryError("is compressed patched data")
    if entry.links_or_devices:
        raise BadEntryError("is a hard link or a device")
    if entry.method not in (STORED, DEFLATED):
        raise BadEntryError(f"is compressed by method {entry.method}; use deflate")
    if kind is Kind.FOLDER and entry.bytes:
        raise BadEntryError("is a folder that has content")
    if kind is Kind.LINK:
        tree.add(path, kind, _read_link(file, entry))
    else:
        tree.add(path, kind)
        for _ in _content(file, entry):
            pass
    return entry.bytes


def _read_link(file: BinaryIO, entry: Entry) -> str:
    if entry.bytes > _LINK_BYTES_MAX:
        raise BadEntryError(f"is a link whose target has {entry.bytes} bytes")
    try:
        return b"".join(_content(file, entry)).decode()
    except UnicodeDecodeError as error:
        raise BadEntryError("is a link whose target is not UTF-8") from error


def _content(file: BinaryIO, entry: Entry) -> Iterator[bytes]:
    """An entry's unpacked bytes; ends well only if size and checksum are what was promised."""
    pieces = _compressed(file, entry)
    if entry.method == DEFLATED:
        pieces = _inflated(pieces, entry)
    checksum = 0
    length = 0
    for piece in pieces:
        length += len(piece)
        if length > entry.bytes:
            break
        checksum = zlib.crc32(piece, checksum)
        yield piece
    if length != entry.bytes:
        raise BadEntryError(f"has not the {entry.bytes} bytes that it claims")
    if checksum != entry.crc32:
        raise BadEntryError("is damaged: its checksum is wrong")


def _compressed(file: BinaryIO, entry: Entry) -> Iterator[bytes]:
    position = data_offset(file, entry)
    left = entry.compressed_bytes
    while left:
        file.seek(position)
        piece = file.read(min(left, _PIECE_BYTES))
        if not piece:
            raise MalformedZipError("cut short")
        position += len(piece)
        left -= len(piece)
        yield piece


def _inflated(pieces: Iterator[bytes], entry: Entry) -> Iterator[bytes]:
    """Inflate in bounded pieces, however small the input that a large output comes from."""
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        for piece in pieces:
            if inflater.eof:
                raise BadEntryError("has bytes after its end")
            rest = piece
            while rest and not inflater.eof:
                yield inflater.decompress(rest, _PIECE_BYTES)
                rest = inflater.unconsumed_tail
            if inflater.unused_data:
                raise BadEntryError("has bytes after its end")
        # All input is in; what is still inside is drained by asking with none.
        while not inflater.eof and (drained := inflater.decompress(b"", _PIECE_BYTES)):
            yield drained
    except zlib.error as error:
        raise BadEntryError("is damaged") from error
    if not inflater.eof:
        raise BadEntryError("is cut short")


def _check_no_overlap(file: BinaryIO, entries: Sequence[Entry], directory_offset: int) -> None:
    """Refuse archives whose entries share bytes: how a small one unpacks to petabytes."""
    end = 0
    for entry in sorted(entries, key=lambda each: each.header_offset):
        if entry.header_offset < end:
            raise _refused(f"{_COULD_NOT_UNZIP} Entry {_shown(entry.name)} overlaps another.")
        end = data_offset(file, entry) + entry.compressed_bytes
        if end > directory_offset:
            raise MalformedZipError(f"{entry.name!r} reaches into the directory")


def _bad_entry(entry: Entry, error: BadEntryError) -> InvalidArgumentError:
    return _refused(f"{_COULD_NOT_UNZIP} Entry {_shown(entry.name)} {error}.")


def _unzipped_too_large() -> InvalidArgumentError:
    return _refused(f"Unzipped size must be smaller than {UNZIPPED_BYTES_MAX} bytes")


def _refused(message: str) -> InvalidArgumentError:
    return InvalidArgumentError(message, reason="INVALID_PARAMETER_VALUE")


def _shown(name: str) -> str:
    return ascii(name if len(name) <= _SHOWN_NAME_CHARACTERS else name[:_SHOWN_NAME_CHARACTERS])
