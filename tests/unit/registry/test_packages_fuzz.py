"""Hypothesis against the checker: nothing but our own refusal ever comes out of it, and whatever
it takes, the host's own unpacking takes too and keeps inside the folder."""

from __future__ import annotations

import io
import random
import stat
import tempfile
import zipfile
from pathlib import Path

from hypothesis import example, given, settings
from hypothesis import strategies as st

from controlplane.registry.packages import check_package
from emberd.wire.errors import InvalidArgumentError
from sandbox.unpack import unpack
from tests.fakes.archives import FILE, LINK, archive

SEED = archive(
    ("app.py", b"x = 1\n" * 50, FILE),
    ("lib/", b"", stat.S_IFDIR | 0o755),
    ("lib/noise", random.Random(7).randbytes(300), FILE),
    ("lib/link", b"../app.py", LINK),
)

PARTS = st.sampled_from(
    ["a", "b", "c", "..", ".", "", "a:", "C:", "\\", "\0", "ü", "\u202e", "x" * 255, "x" * 256]
)
NAMES = st.lists(PARTS, min_size=1, max_size=5).map("/".join)
MODES = st.sampled_from(
    [0, FILE, LINK, stat.S_IFDIR | 0o755, stat.S_IFIFO | 0o644, stat.S_IFREG | 0o6777]
)
MEMBERS = st.lists(
    st.tuples(NAMES, st.one_of(st.binary(max_size=40), NAMES.map(str.encode)), MODES),
    min_size=1,
    max_size=6,
)


def taken(content):
    try:
        check_package(io.BytesIO(content))
    except InvalidArgumentError:
        return False
    return True


def unpacked_by_the_host(content):
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "package.zip"
        source.write_bytes(content)
        unpack(source, Path(folder) / "out")
        return sorted(each.name for each in Path(folder).iterdir())


@given(st.binary(max_size=200))
@example(b"PK\x05\x06" + bytes(18))
@example(b"PK\x05\x06" + b"\xff" * 16 + bytes(2))
@example(b"PK\x06\x06" + bytes(52) + b"PK\x06\x07" + bytes(16) + b"PK\x05\x06" + b"\xff" * 18)
def test_any_bytes_are_refused_or_a_good_archive(content):
    assert not taken(content) or zipfile.ZipFile(io.BytesIO(content)).testzip() is None


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.integers(0, len(SEED) - 1), st.integers(0, 255)), max_size=4))
@example([(SEED.index(b"PK\x01\x02") + 6, 64)])
def test_a_damaged_package_is_refused_or_still_unpacks_on_the_host(changes):
    content = bytearray(SEED)
    for position, value in changes:
        content[position] = value
    if taken(bytes(content)):
        assert unpacked_by_the_host(bytes(content)) == ["out", "package.zip"]


@settings(max_examples=60, deadline=None)
@given(MEMBERS)
@example([("./", b"", stat.S_IFDIR | 0o755), ("a", b"", FILE)])
@example([("a", b"b/../..", LINK), ("b", b"c", LINK), ("c/d", b"", FILE)])
def test_whatever_names_are_taken_the_host_unpacks_inside_its_folder(members):
    folders = [
        (name, b"" if name.endswith("/") else content, mode) for name, content, mode in members
    ]
    content = archive(*folders, method=zipfile.ZIP_STORED)
    if taken(content):
        assert unpacked_by_the_host(content) == ["out", "package.zip"]


@settings(max_examples=60, deadline=None)
@given(st.integers(0, len(SEED)), st.integers(0, len(SEED)))
def test_a_piece_cut_out_of_a_package_is_refused(start, end):
    cut = SEED[: min(start, end)] + SEED[max(start, end) :]
    assert taken(cut) == (cut == SEED)
