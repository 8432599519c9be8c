"""What is installed, and the map that every package carries."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.architecture.checkout import ROOT, SHIPPED, modules, tracked, tree_of

PROGRAM_FOLDERS = {Path("runtimes/python"), Path("runtimes/wasm")}
"""Folders that are copied into sandboxes as they are: programs, not packages."""

NAMESPACE = re.compile(r"protos/emberd/(?!wire(/|$))|protos/emberd$")
"""Folders with generated code only: a namespace that two source roots may share."""


def packages() -> list[Path]:
    """Every folder with our modules in it."""
    folders = {path.parent for path in modules(*SHIPPED)}
    return sorted(folders - PROGRAM_FOLDERS)


@pytest.mark.parametrize("package", packages(), ids=str)
def test_a_packages_docstring_is_a_map_of_what_is_in_it(package: Path) -> None:
    initial = package / "__init__.py"
    assert initial in modules(*SHIPPED), f"{package} has no __init__.py"
    assert ast.get_docstring(tree_of(initial)), f"{initial} says nothing"
    # The docstring, and tables of names such as the command line's.
    said = "\n".join(
        str(node.value)
        for node in ast.walk(tree_of(initial))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    )
    inside = {path.stem for path in modules(*SHIPPED) if path.parent == package}
    inside |= {each.name for each in packages() if each.parent == package}
    unmapped = [
        name
        for name in sorted(inside)
        if not name.startswith("_") and not re.search(rf"\b{name}\b", said)
    ]
    assert not unmapped, f"{initial} does not mention {unmapped}"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """The wheel of this checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    done = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (built,) = folder.glob("*.whl")
    return zipfile.ZipFile(built)


def test_the_wheel_holds_every_module_that_is_shipped(wheel: zipfile.ZipFile) -> None:
    expected = {
        str(path).removeprefix("protos/")
        for path in tracked()
        if path.suffix == ".py" and any(path.is_relative_to(folder) for folder in SHIPPED)
    }
    assert "emberd/wire/errors.py" in expected
    assert "emberd/fleet/v1/fleet_pb2.py" in expected
    assert expected <= set(wheel.namelist())


def test_the_wheel_holds_nothing_else_at_its_top(wheel: zipfile.ZipFile) -> None:
    top = {name.partition("/")[0] for name in wheel.namelist()}
    information = {name for name in top if name.endswith(".dist-info")}
    assert len(information) == 1
    assert top - information == {"controlplane", "sandbox", "runtimes", "emberd"}


def test_the_wheel_carries_no_tests_no_caches_and_no_strays(wheel: zipfile.ZipFile) -> None:
    known = {str(path).removeprefix("protos/") for path in tracked()}
    strays = [
        name
        for name in wheel.namelist()
        if ".dist-info/" not in name
        and (name not in known or "__pycache__" in name or "/tests/" in name)
    ]
    untracked = set(strays) & _untracked()
    assert not set(strays) - untracked


def test_the_wheel_installs_both_programs_and_the_licence(wheel: zipfile.ZipFile) -> None:
    def read(ending: str) -> str:
        (name,) = (each for each in wheel.namelist() if each.endswith(ending))
        return wheel.read(name).decode()

    programs = read(".dist-info/entry_points.txt")
    assert "emberd = controlplane.cli:main" in programs
    assert "emberd-host = sandbox.cli:main" in programs
    assert "Apache License" in read("/LICENSE")


def _untracked() -> set[str]:
    """What somebody is writing just now: git neither tracks nor ignores it."""
    listed = subprocess.run(
        ["git", "-c", "safe.directory=*", "ls-files", "-z", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    return {name.removeprefix("protos/") for name in listed.stdout.split("\0") if name}
