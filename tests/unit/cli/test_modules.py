"""What of a package is WebAssembly."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from controlplane.cli import discovery, modules, package
from controlplane.cli.exits import BadParameterError

MODULE = b"\0asm\x01\0\0\0"


def folder_of(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).write_bytes(MODULE)
    return folder


def test_a_module_is_told_by_how_it_begins(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(MODULE)
    (tmp_path / "b.wasm").write_text("no module")
    assert modules.is_module(tmp_path / "a")
    assert not modules.is_module(tmp_path / "b.wasm")
    assert not modules.is_module(tmp_path)


def test_a_module_is_a_package_of_one_file_and_names_the_function(tmp_path: Path) -> None:
    path = folder_of(tmp_path, "shop.wasm") / "shop.wasm"
    members = package.members_of_file(path)
    assert list(members) == ["shop.wasm"]
    assert members["shop.wasm"].size_bytes == len(MODULE)
    assert discovery.function_name(path) == "shop"


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (("main.wasm", "other.wasm"), "main.wasm"),
        (("other.wasm", "read.me"), "other.wasm"),
        (("one.wasm", "two.wasm"), None),
        ((), None),
    ],
)
def test_the_handler_is_main_or_the_only_module(
    tmp_path: Path, names: tuple[str, ...], found: str | None
) -> None:
    folder = folder_of(tmp_path, *names)
    assert modules.find_handler(folder) == found
    archive = tmp_path / "package.zip"
    with zipfile.ZipFile(archive, "w") as written:
        for name in names:
            written.write(folder / name, name)
        written.writestr("deeper/main.wasm", MODULE)
    assert modules.find_handler(archive) == found


def test_a_package_without_a_module_is_told_so(tmp_path: Path) -> None:
    with pytest.raises(BadParameterError, match="no module found"):
        modules.demand_handler(tmp_path)
