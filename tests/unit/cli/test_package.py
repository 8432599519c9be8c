"""Folders as zip archives: the same bytes for the same files, and clear refusals."""

from __future__ import annotations

import os
import stat
import zipfile
from pathlib import Path

import pytest

from controlplane.cli import package
from controlplane.cli.exits import BadParameterError
from controlplane.cli.package import members_of, write_zip


def zipped(folder: Path, archive: Path) -> bytes:
    write_zip(members_of(folder), archive, lambda _done, _total: None)
    return archive.read_bytes()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "function"
    (made / "lib").mkdir(parents=True)
    (made / "app.py").write_text("def handler(event, context): return event")
    (made / "lib" / "tool").write_text("#!/bin/sh\n")
    (made / "lib" / "tool").chmod(0o700)
    (made / "app.py").chmod(0o600)
    return made


def test_the_same_files_give_the_same_archive_whenever_they_were_written(
    folder: Path, tmp_path: Path
) -> None:
    first = zipped(folder, tmp_path / "a.zip")
    os.utime(folder / "app.py", (1, 1))
    assert zipped(folder, tmp_path / "b.zip") == first


def test_permissions_are_kept_and_everybody_may_read(folder: Path, tmp_path: Path) -> None:
    zipped(folder, tmp_path / "a.zip")
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        modes = {each.filename: each.external_attr >> 16 for each in archive.infolist()}
    assert modes == {
        "app.py": stat.S_IFREG | 0o644,
        "lib/tool": stat.S_IFREG | 0o755,
    }


def test_what_is_no_part_of_a_function_is_left_out(folder: Path) -> None:
    for name in (".git", "__pycache__", ".venv"):
        (folder / name).mkdir()
        (folder / name / "file").touch()
    (folder / "env").mkdir()
    (folder / "env" / "pyvenv.cfg").touch()
    assert sorted(members_of(folder)) == ["app.py", "lib/tool"]


def test_links_inside_and_empty_folders_travel_along(folder: Path, tmp_path: Path) -> None:
    (folder / "link").symlink_to("lib/tool")
    (folder / "libs").symlink_to("lib")
    (folder / "data").mkdir()
    zipped(folder, tmp_path / "a.zip")
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        assert archive.read("link") == b"lib/tool"
        assert archive.read("libs") == b"lib"
        assert stat.S_ISLNK(archive.getinfo("libs").external_attr >> 16)
        assert archive.getinfo("data/").is_dir()


@pytest.mark.parametrize("target", ["/etc/passwd", "../outside", "lib/../../outside"])
def test_a_link_that_leaves_the_folder_is_refused_by_name(folder: Path, target: str) -> None:
    (folder / "link").symlink_to(target)
    with pytest.raises(BadParameterError, match=r"function/link is a link to .*not in the package"):
        members_of(folder)


def test_a_pipe_is_refused_by_name(folder: Path) -> None:
    os.mkfifo(folder / "pipe")
    with pytest.raises(BadParameterError, match="pipe is neither a file nor a folder"):
        members_of(folder)


def test_a_folder_with_nothing_in_it_is_refused(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    with pytest.raises(BadParameterError, match="nothing in the folder"):
        zipped(tmp_path, tmp_path / "a.zip")


def test_a_package_too_large_names_its_largest_parts(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (folder / "lib" / "model.bin").open("wb") as file:
        file.truncate(package.UNZIPPED_BYTES_MAX)  # sparse: it takes no room
    with pytest.raises(BadParameterError, match=r"250.0 MB unzipped.*largest: lib 250.0 MB"):
        zipped(folder, tmp_path / "a.zip")


def test_an_archive_too_large_is_refused() -> None:
    package.check_zipped(package.ZIPPED_BYTES_MAX)
    with pytest.raises(BadParameterError, match=r"50\.0 MB is the most"):
        package.check_zipped(package.ZIPPED_BYTES_MAX + 1)
