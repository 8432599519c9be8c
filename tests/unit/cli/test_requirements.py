"""Which pip is called, and how, for the Python that will run a function."""

from __future__ import annotations

import platform
import sys
from pathlib import Path

import pytest

from controlplane.cli.exits import FailedError
from controlplane.cli.requirements import (
    Target,
    install,
    interpreter_for,
    names_packages,
    pip_argv,
    target_of,
)
from controlplane.cli.terminal import Steps

OURS = Target(version=sys.version_info[:2], architecture=platform.machine())
FOREIGN = Target(version=(3, 99), architecture="x86_64")


def test_a_runtime_id_names_its_python() -> None:
    assert target_of("python3.12", "x86_64") == Target(version=(3, 12), architecture="x86_64")
    assert target_of("nodejs22.x", "x86_64") is None


def test_comments_and_blank_lines_name_no_package(tmp_path: Path) -> None:
    file = tmp_path / "requirements.txt"
    assert not names_packages(file)
    file.write_text("# nothing\n\n")
    assert not names_packages(file)
    file.write_text("# one\npillow\n")
    assert names_packages(file)


def test_our_own_python_installs_for_itself() -> None:
    assert interpreter_for(OURS) == sys.executable


def test_a_machine_of_another_kind_is_never_installed_for_by_a_local_python() -> None:
    assert interpreter_for(Target(version=OURS.version, architecture="riscv128")) is None


def test_a_python_that_only_pyenv_knows_installs_for_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "versions" / "3.99.1" / "bin"
    folder.mkdir(parents=True)
    (folder / FOREIGN.name).symlink_to(sys.executable)
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))
    foreign = Target(version=FOREIGN.version, architecture=OURS.architecture)
    assert interpreter_for(foreign) == str(folder / FOREIGN.name)


def test_a_foreign_python_gets_wheels_only_for_its_version_and_machine(tmp_path: Path) -> None:
    assert interpreter_for(FOREIGN) is None
    argv = pip_argv(tmp_path / "requirements.txt", tmp_path / "into", FOREIGN, None)
    assert "--only-binary=:all:" in argv
    assert argv[argv.index("--python-version") + 1] == "3.99"
    assert "manylinux_2_28_x86_64" in argv
    assert "manylinux2014_x86_64" in argv


def test_pip_never_imports_from_the_functions_folder(tmp_path: Path) -> None:
    argv = pip_argv(tmp_path / "requirements.txt", tmp_path / "into", OURS, sys.executable)
    assert argv[:4] == [sys.executable, "-I", "-m", "pip"]
    assert "--only-binary=:all:" not in argv


def test_a_failure_shows_pips_words_and_the_remedy(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "requirements.txt"
    file.write_text("--no-index\n./no-such-folder\n")
    with pytest.raises(FailedError, match=r"(?s)could not be installed.*no-such-folder.*correct"):
        install(file, tmp_path / "into", OURS, Steps(quiet=True))
    assert capsys.readouterr().out == ""
