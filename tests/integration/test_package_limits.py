"""The limits of a package at their full size: too slow for the unit suite."""

from __future__ import annotations

import io
import struct
import tracemalloc
import zipfile

import pytest

from controlplane.registry.packages import UNZIPPED_BYTES_MAX, check_package
from emberd.wire.errors import InvalidArgumentError
from tests.fakes.archives import FILE, archive


def check(content):
    return check_package(io.BytesIO(content))


def refusal(content):
    with pytest.raises(InvalidArgumentError) as refused:
        check(content)
    return refused.value.message


def test_exactly_250_mb_are_taken_in_little_memory():
    half = UNZIPPED_BYTES_MAX // 2
    content = archive(("a", bytes(half), FILE), ("b", bytes(half), FILE))
    tracemalloc.start()
    assert check(content).unzipped_bytes == UNZIPPED_BYTES_MAX
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 5_000_000


def many_entries(count, claimed):
    """An archive of empty files made by hand: the library would take its time."""
    local = struct.pack("<4s5H3L2H", b"PK\x03\x04", 20, 0, 0, 0, 33, 0, 0, 0, 6, 0)
    names = [b"%06d" % number for number in range(count)]
    body = b"".join(local + name for name in names)
    size = len(local) + 6
    directory = b"".join(
        struct.pack("<4s6H3L5H2L", b"PK\x01\x02", 20, 20, 0, 0, 0, 33, 0, 0, 0, 6, 0, 0, 0, 0, 0, i)
        + name
        for i, name in zip(range(0, count * size, size), names, strict=True)
    )
    end = struct.pack(
        "<4s4H2LH", b"PK\x05\x06", 0, 0, claimed, claimed, len(directory), len(body), 0
    )
    return body + directory + end


def test_as_many_entries_as_the_limit_are_taken_and_one_more_is_not():
    assert check(many_entries(50_000, 50_000)).entries == 50_000
    assert "more than 50000 entries" in refusal(many_entries(50_001, 50_001))


def test_seventy_thousand_entries_with_zip64_are_refused():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as made:
        for number in range(66_000):
            made.writestr(str(number), b"")
    assert "more than 50000 entries" in refusal(file.getvalue())


def test_more_entries_than_the_end_record_claims_are_refused():
    assert refusal(many_entries(70_000, 4_464)).startswith("Could not unzip uploaded file.")
