"""Reads the directory of a zip archive: what it says it holds, and where.

Our own reader because the standard library's takes the whole directory into memory before anyone
can say no, and forgives what two readers would understand differently. This one stops at the first
entry too many. Format: PKWARE APPNOTE 6.3.10, sections 4.3 and 4.5.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

ENTRIES_MAX = 50_000

_END = struct.Struct("<4s4H2LH")
_END64_LOCATOR = struct.Struct("<4sLQL")
_END64 = struct.Struct("<4sQ2H2L4Q")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_LOCAL = struct.Struct("<4s5H3L2H")
_EXTRA = struct.Struct("<2H")

_IN_ZIP64 = 0xFFFFFFFF
_COUNT_IN_ZIP64 = 0xFFFF
_ZIP64_EXTRA = 0x0001
_UNIX_EXTRA = 0x000D
_UNIX_EXTRA_FIXED_BYTES = 12
"""Times and ids; what follows them is a link's target or a device's numbers."""

_ENCRYPTED_FLAGS = 0x0001 | 0x0040 | 0x2000
_PATCH_FLAG = 0x0020
_SIZES_FOLLOW_FLAG = 0x0008
_UTF8_FLAG = 0x0800


class MalformedZipError(Exception):
    """The bytes are no zip archive, or one that says two things at once."""


class TooManyEntriesError(Exception):
    """More entries than anyone needs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One member of an archive as its directory describes it."""

    name: str
    """As written, NUL and all."""
    encoding: str
    """How the archive writes the name: utf-8 or cp437."""
    mode: int
    """Unix file type and permissions; 0 when the archive has none."""
    version_needed: int
    """Of the format, times ten."""
    method: int
    """0 stored, 8 deflated; others exist."""
    encrypted: bool
    patch: bool
    """It holds changes to some other file, which only a patching tool understands."""
    crc32: int
    compressed_bytes: int
    bytes: int
    header_offset: int
    """Of its local header, from the start of the file."""
    links_or_devices: bool
    """Has an extra field that makes a hard link or a device of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Directory:
    """Where the directory lies and how much it claims to hold."""

    offset: int
    bytes: int
    count: int
    base: int
    """Bytes before the archive begins: offsets in the directory are relative to it."""


def find_directory(file: BinaryIO) -> Directory:
    """Locate the directory from the archive's end.

    Raises:
        MalformedZipError: there is none.
        TooManyEntriesError: it claims more than ENTRIES_MAX entries.
    """
    size = file.seek(0, 2)
    end_offset, end = _find_end(file, size)
    _, disk, first_disk, here, count, length, offset, _ = _END.unpack(end)
    until = end_offset
    needed = _COUNT_IN_ZIP64 in (count, here) or _IN_ZIP64 in (length, offset)
    # Other readers use a zip64 record wherever one stands, so nothing else may be believed here.
    if needed or _has_locator(file, end_offset):
        until, count, length, offset = _read_end64(file, end_offset)
        here = count
    if disk or first_disk or here != count:
        raise MalformedZipError("the archive is one part of several")
    if count > ENTRIES_MAX:
        raise TooManyEntriesError
    base = until - length - offset
    if base < 0:
        raise MalformedZipError("the directory does not fit before its end record")
    return Directory(offset=until - length, bytes=length, count=count, base=base)


def read_entries(file: BinaryIO, directory: Directory) -> Iterator[Entry]:
    """Yield the entries in the directory's order.

    Raises:
        MalformedZipError: an entry is damaged, or there are fewer or more than was claimed.
    """
    position = directory.offset
    end = directory.offset + directory.bytes
    for _ in range(directory.count):
        file.seek(position)
        fixed = _read_exactly(file, _CENTRAL.size)
        fields = _CENTRAL.unpack(fixed)
        if fields[0] != b"PK\x01\x02":
            raise MalformedZipError("the directory ends before its last entry")
        name_length, extra_length, comment_length = fields[10:13]
        raw_name = _read_exactly(file, name_length)
        extra = _extra_fields(_read_exactly(file, extra_length))
        position += _CENTRAL.size + name_length + extra_length + comment_length
        entry = _entry(fields, raw_name, extra, directory.base)
        if entry.header_offset >= directory.offset:
            raise MalformedZipError(f"{entry.name!r} lies behind the directory")
        yield entry
    if position != end:
        raise MalformedZipError("the directory is longer or shorter than it claims")


def data_offset(file: BinaryIO, entry: Entry) -> int:
    """Where an entry's bytes begin, once its local header agrees with the directory.

    Raises:
        MalformedZipError: it does not.
    """
    file.seek(entry.header_offset)
    fields = _LOCAL.unpack(_read_exactly(file, _LOCAL.size))
    signature, _, flags, method, _, _, crc32, compressed, length = fields[:9]
    name_length, extra_length = fields[9:]
    if signature != b"PK\x03\x04":
        raise MalformedZipError(f"{entry.name!r} has no local header")
    raw_name = _read_exactly(file, name_length)
    if raw_name != entry.name.encode(entry.encoding) or method != entry.method:
        raise MalformedZipError(f"{entry.name!r} is described otherwise in its local header")
    promised = (crc32, compressed, length)
    told = (entry.crc32, entry.compressed_bytes, entry.bytes)
    if not flags & _SIZES_FOLLOW_FLAG and _IN_ZIP64 not in promised and promised != told:
        raise MalformedZipError(f"{entry.name!r} has other sizes in its local header")
    return entry.header_offset + _LOCAL.size + int(name_length) + int(extra_length)


def _find_end(file: BinaryIO, size: int) -> tuple[int, bytes]:
    """The end record: without a comment at the very end, or before a comment of up to 64 KB."""
    if size < _END.size:
        raise MalformedZipError("too short")
    tail_offset = max(0, size - _END.size - 0xFFFF)
    file.seek(tail_offset)
    tail = _read_exactly(file, size - tail_offset)
    last = tail[-_END.size :]
    if last.startswith(b"PK\x05\x06") and last.endswith(b"\0\0"):
        return size - _END.size, last
    found = tail.rfind(b"PK\x05\x06")
    end = tail[found : found + _END.size]
    if found < 0 or len(end) < _END.size:
        raise MalformedZipError("no end record")
    if found + _END.size + _END.unpack(end)[7] != len(tail):
        raise MalformedZipError("bytes follow the end record")
    return tail_offset + found, end


def _has_locator(file: BinaryIO, end_offset: int) -> bool:
    if end_offset < _END64_LOCATOR.size:
        return False
    file.seek(end_offset - _END64_LOCATOR.size)
    return _read_exactly(file, _END64_LOCATOR.size).startswith(b"PK\x06\x07")


def _read_end64(file: BinaryIO, end_offset: int) -> tuple[int, int, int, int]:
    """The zip64 end record: its own offset, then count, length and offset of the directory."""
    record_offset = end_offset - _END64_LOCATOR.size - _END64.size
    if record_offset < 0:
        raise MalformedZipError("no zip64 end record")
    file.seek(record_offset)
    fields = _END64.unpack(_read_exactly(file, _END64.size))
    locator = _END64_LOCATOR.unpack(_read_exactly(file, _END64_LOCATOR.size))
    if fields[0] != b"PK\x06\x06" or locator[0] != b"PK\x06\x07":
        raise MalformedZipError("no zip64 end record")
    if fields[4] or fields[5] or fields[6] != fields[7] or locator[3] > 1:
        raise MalformedZipError("the archive is one part of several")
    return record_offset, fields[7], fields[8], fields[9]


def _entry(fields: tuple[int, ...], raw_name: bytes, extra: dict[int, bytes], base: int) -> Entry:
    flags, method, crc32 = fields[3], fields[4], fields[7]
    compressed, length, offset = _wide(fields[8], fields[9], fields[16], extra)
    encoding = "utf-8" if flags & _UTF8_FLAG else "cp437"
    return Entry(
        name=_decode(raw_name, encoding),
        encoding=encoding,
        mode=fields[15] >> 16,
        version_needed=fields[2] & 0xFF,
        method=method,
        encrypted=bool(flags & _ENCRYPTED_FLAGS),
        patch=bool(flags & _PATCH_FLAG),
        crc32=crc32,
        compressed_bytes=compressed,
        bytes=length,
        header_offset=base + offset,
        links_or_devices=len(extra.get(_UNIX_EXTRA, b"")) > _UNIX_EXTRA_FIXED_BYTES,
    )


def _wide(
    compressed: int, length: int, offset: int, extra: dict[int, bytes]
) -> tuple[int, int, int]:
    """Sizes and offset, each from the zip64 field where 32 bits were not enough."""
    field = extra.get(_ZIP64_EXTRA, b"")
    values = list(struct.unpack(f"<{len(field) // 8}Q", field[: len(field) // 8 * 8]))
    try:
        # In this order, and only those that were not enough (APPNOTE 4.5.3).
        length = values.pop(0) if length == _IN_ZIP64 else length
        compressed = values.pop(0) if compressed == _IN_ZIP64 else compressed
        offset = values.pop(0) if offset == _IN_ZIP64 else offset
    except IndexError as error:
        raise MalformedZipError("a zip64 field is missing") from error
    return compressed, length, offset


def _extra_fields(extra: bytes) -> dict[int, bytes]:
    found: dict[int, bytes] = {}
    position = 0
    while position + _EXTRA.size <= len(extra):
        kind, length = _EXTRA.unpack_from(extra, position)
        position += _EXTRA.size
        if position + length > len(extra):
            raise MalformedZipError("an extra field is cut short")
        if kind == _ZIP64_EXTRA and kind in found:
            raise MalformedZipError("an entry has two sets of sizes")
        found[kind] = extra[position : position + length]
        position += length
    return found


def _decode(raw: bytes, encoding: str) -> str:
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError as error:
        raise MalformedZipError(f"the name {raw[:64]!r} is not UTF-8") from error


def _read_exactly(file: BinaryIO, length: int) -> bytes:
    read = file.read(length)
    if len(read) != length:
        raise MalformedZipError("cut short")
    return read
