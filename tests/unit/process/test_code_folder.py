"""Of the directories that an agent hands over, only its own are believed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from emberd.wire.errors import InvalidArgumentError
from sandbox.process.code_folder import CodeFolder


def _view(folder: Path, given: Path) -> int:
    folder.mkdir(exist_ok=True)
    fd = os.open(given, os.O_PATH | os.O_CLOEXEC)
    try:
        return CodeFolder(folder, folder.stat().st_uid).own_view(fd)
    finally:
        os.close(fd)


def test_a_directory_below_the_folder_is_the_same_one(tmp_path: Path) -> None:
    code = tmp_path / "agent" / "cache" / "code"
    code.mkdir(parents=True)
    view = _view(tmp_path / "agent", code)
    assert os.path.samestat(os.fstat(view), code.stat())
    os.close(view)


@pytest.mark.parametrize("name", ["beside", "agent-too", "agent"])
def test_a_directory_elsewhere_is_refused(tmp_path: Path, name: str) -> None:
    """However alike the names, and the folder itself is nobody's code."""
    (tmp_path / name).mkdir()
    with pytest.raises(InvalidArgumentError, match="not below the agent's folder"):
        _view(tmp_path / "agent", tmp_path / name)


def test_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "agent").mkdir()
    (tmp_path / "agent" / "code").touch()
    with pytest.raises(InvalidArgumentError, match="no directory of the agent's"):
        _view(tmp_path / "agent", tmp_path / "agent" / "code")
