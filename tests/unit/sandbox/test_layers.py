"""Layers laid over each other: the last one wins, files are shared, links are never followed."""

from __future__ import annotations

import errno
import os

import pytest

from sandbox import layers
from sandbox.layers import merge
from sandbox.unpack import DEPTH_MAX, UnpackError


def folder(path, files):
    """A tree; a value of None is a folder, one that begins with -> a link."""
    path.mkdir()
    for name, content in files.items():
        target = path / name
        if content is None:
            target.mkdir(parents=True)
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        if content.startswith("->"):
            target.symlink_to(content[2:])
        else:
            target.write_text(content)
    return path


def seen(path):
    """A tree as folder() takes it, empty folders only."""
    found = {}
    for each in sorted(path.rglob("*")):
        name = str(each.relative_to(path))
        if each.is_symlink():
            found[name] = f"->{os.readlink(each)}"
        elif each.is_file():
            found[name] = each.read_text()
        elif not any(each.iterdir()):
            found[name] = None
    return found


def merged(tmp_path, *trees):
    sources = [folder(tmp_path / str(number), files) for number, files in enumerate(trees)]
    merge(sources, tmp_path / "out")
    return seen(tmp_path / "out")


def test_everything_of_every_layer_is_there_and_the_last_one_wins(tmp_path):
    assert merged(
        tmp_path,
        {"python/a.py": "1", "python/b.py": "1", "bin/x": "1", "empty": None},
        {"python/b.py": "2", "python/c/d.py": "2"},
        {"python/c/d.py": "3"},
    ) == {
        "bin/x": "1",
        "empty": None,
        "python/a.py": "1",
        "python/b.py": "2",
        "python/c/d.py": "3",
    }


def test_a_later_layer_replaces_what_is_of_another_kind(tmp_path):
    assert merged(
        tmp_path,
        {"a/inner/x": "1", "b": "1", "c": "->b", "d": "->a", "e": "1"},
        {"a": "2", "b/x": "2", "c": "2", "d/y": "2", "e": "->b"},
    ) == {"a": "2", "b/x": "2", "c": "2", "d/y": "2", "e": "->b"}


def test_a_link_is_never_followed_out_of_the_tree(tmp_path):
    outside = folder(tmp_path / "outside", {"secret": "x"})
    found = merged(tmp_path, {"here": f"->{outside}"}, {"here/secret": "mine", "more": "->.."})
    assert found == {"here/secret": "mine", "more": "->.."}
    assert seen(outside) == {"secret": "x"}


def test_files_are_shared_and_their_layers_stay_as_they_are(tmp_path):
    one = folder(tmp_path / "one", {"big": "x" * 1000, "same": "1"})
    two = folder(tmp_path / "two", {"same": "2"})
    merge([one, two], tmp_path / "out")
    assert (tmp_path / "out/big").stat().st_ino == (one / "big").stat().st_ino
    assert (seen(one)["same"], seen(two)["same"]) == ("1", "2")


def test_a_file_that_can_have_no_more_names_is_copied(tmp_path, monkeypatch):
    def full(*_arguments, **_named):
        raise OSError(errno.EMLINK, "too many links")

    monkeypatch.setattr(layers.os, "link", full)
    assert merged(tmp_path, {"a/b": "1", "l": "->a"}, {"c": "2"}) == {
        "a/b": "1",
        "c": "2",
        "l": "->a",
    }


def test_folders_deeper_than_any_that_is_unpacked_are_refused(tmp_path):
    deep = "/".join(["d"] * (DEPTH_MAX + 1))
    with pytest.raises(UnpackError, match="deeper"):
        merged(tmp_path, {deep: None}, {})
