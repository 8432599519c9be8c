"""A host unpacks what it is given and lets nothing out of the folder."""

from __future__ import annotations

import contextlib
import io
import os
import stat
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.unpack import DEPTH_MAX, UNZIPPED_BYTES_MAX, UnpackError, unpack


def archive(path: Path, entries: dict[str, tuple[bytes, int]]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as package:
        for name, (content, mode) in entries.items():
            info = zipfile.ZipInfo(name)
            info.external_attr = mode << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            package.writestr(info, content)
    return path


def test_files_keep_their_permissions_but_no_setuid_bit(tmp_path):
    source = archive(
        tmp_path / "a.zip",
        {
            "app.py": (b"x = 1\n", stat.S_IFREG | 0o644),
            "bin/tool": (b"#!/bin/sh\n", stat.S_IFREG | 0o4755),
            "secret": (b"", stat.S_IFREG | 0o600),
            "bare": (b"no mode", 0),
        },
    )
    assert unpack(source, tmp_path / "out") == 6 + 10 + 7
    modes = {
        name: stat.S_IMODE((tmp_path / "out" / name).stat().st_mode)
        for name in ("app.py", "bin/tool", "secret", "bare")
    }
    assert modes == {"app.py": 0o644, "bin/tool": 0o755, "secret": 0o600, "bare": 0o644}


@pytest.mark.parametrize("name", ["../out", "/etc/x", "a/../../b", "a\\b", "..\\x"])
def test_a_name_that_leaves_the_package_is_refused(tmp_path, name):
    source = archive(tmp_path / "a.zip", {name: (b"x", 0o644)})
    with pytest.raises(UnpackError, match="leaves the package"):
        unpack(source, tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def test_a_link_inside_is_kept_and_one_that_leaves_is_refused(tmp_path):
    link = stat.S_IFLNK | 0o777
    inside = archive(tmp_path / "a.zip", {"lib/x.so": (b"../x.so.1", link)})
    unpack(inside, tmp_path / "a")
    assert os.readlink(tmp_path / "a/lib/x.so") == "../x.so.1"
    for number, target in enumerate([b"../../etc/passwd", b"/etc/passwd", b"a/../../../b"]):
        outside = archive(tmp_path / f"{number}.zip", {"lib/x": (target, link)})
        with pytest.raises(UnpackError, match="leaves the package"):
            unpack(outside, tmp_path / f"out{number}")


def test_a_file_is_never_written_through_a_link(tmp_path):
    source = archive(
        tmp_path / "a.zip",
        {
            "here": (b"sub", stat.S_IFLNK | 0o777),
            "sub/x": (b"", 0o644),
            "here/evil": (b"x", 0o644),
        },
    )
    with pytest.raises(UnpackError):
        unpack(source, tmp_path / "out")
    assert not (tmp_path / "out/sub/evil").exists()


def test_the_same_name_twice_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as package:
        package.writestr("x", b"1")
        with pytest.warns(UserWarning, match="Duplicate name"):
            package.writestr("x", b"2")
    with pytest.raises(UnpackError):
        unpack(tmp_path / "a.zip", tmp_path / "out")


def test_a_bomb_stops_at_the_limit_of_written_bytes(tmp_path):
    chunk = bytes(64 * 1024 * 1024)
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as package:
        for number in range(4):
            package.writestr(f"f{number}", chunk)
    assert 4 * len(chunk) > UNZIPPED_BYTES_MAX
    with pytest.raises(UnpackError, match="more than 262144000 bytes"):
        unpack(tmp_path / "a.zip", tmp_path / "out")


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_damaged_archive_is_an_unpack_error_and_nothing_else(data, tmp_path_factory):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr("a/b.txt", b"hello " * 50)
        package.writestr("c", b"")
    raw = bytearray(buffer.getvalue())
    for _ in range(data.draw(st.integers(1, 4))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    folder = tmp_path_factory.mktemp("damaged")
    (folder / "a.zip").write_bytes(raw)
    with contextlib.suppress(UnpackError):
        unpack(folder / "a.zip", folder / "out")
    assert {each.name for each in folder.iterdir()} <= {"a.zip", "out"}


def test_a_name_deeper_than_any_walk_is_refused(tmp_path):
    source = archive(tmp_path / "a.zip", {"/".join("d" * (DEPTH_MAX + 1)): (b"x", 0o644)})
    with pytest.raises(UnpackError, match="deeper"):
        unpack(source, tmp_path / "out")
