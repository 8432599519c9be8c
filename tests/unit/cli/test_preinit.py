"""What can be initialised ahead, and what is said where it cannot."""

from __future__ import annotations

from pathlib import Path

import pytest

from controlplane.cli import preinit
from controlplane.cli.exits import BadParameterError, FailedError
from controlplane.cli.terminal import Steps

MODULE = b"\0asm\x01\0\0\0"
COMPONENT = b"\0asm\x0d\0\x01\0"


def written(folder: Path, content: bytes) -> Path:
    path = folder / "main.wasm"
    path.write_bytes(content)
    return path


def wizer(folder: Path, script: str) -> None:
    """A program of that name where npm would put it."""
    place = folder / "node_modules" / ".bin" / "wizer"
    place.parent.mkdir(parents=True)
    place.write_text(f"#!/bin/sh\n{script}\n")
    place.chmod(0o755)


@pytest.fixture(autouse=True)
def _no_wizer_of_this_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    monkeypatch.chdir(tmp_path)


def test_a_component_is_refused_and_said_to_be_initialised(tmp_path: Path) -> None:
    preinit.check(written(tmp_path, MODULE))
    with pytest.raises(BadParameterError, match="component"):
        preinit.check(written(tmp_path, COMPONENT))


def test_only_a_module_can_be_initialised(tmp_path: Path) -> None:
    for path in (tmp_path, written(tmp_path, b"PK")):
        with pytest.raises(BadParameterError, match=r"deploy FILE\.wasm"):
            preinit.check(path)


def test_where_wizer_is_missing_it_is_told_how_to_get_it(tmp_path: Path) -> None:
    module = written(tmp_path, MODULE)
    with pytest.raises(FailedError, match="npm install --global @bytecodealliance/wizer"):
        preinit.initialise(module, tmp_path / "made.wasm", Steps(quiet=True))


def test_wizer_is_found_where_npm_puts_it(tmp_path: Path) -> None:
    wizer(tmp_path, 'cp "$4" "$3"')
    made = tmp_path / "made.wasm"
    preinit.initialise(written(tmp_path, MODULE), made, Steps(quiet=True))
    assert made.read_bytes() == MODULE


def test_what_wizer_says_is_told(tmp_path: Path) -> None:
    wizer(tmp_path, "echo 'the `wizer-initialize` export is missing' >&2; exit 1")
    with pytest.raises(FailedError, match="must export a function wizer-initialize") as caught:
        preinit.initialise(written(tmp_path, MODULE), tmp_path / "made", Steps(quiet=True))
    assert caught.value.message.endswith("export is missing")
