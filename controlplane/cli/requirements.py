"""requirements.txt installed into a folder, for the Python that will run the function.

That Python may not be ours, nor even on this machine. Where a matching one with pip is found it
installs, and may build packages; otherwise ours fetches ready-made wheels for the other one.
"""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import sys
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from controlplane.cli.exits import FailedError
from controlplane.cli.terminal import Steps

LAST_LINES = 15
"""Of pip's output, shown when it failed."""

GLIBC_MINOR_MAX = 36
"""Debian 12 has glibc 2.36; wheels for an older one run there too."""
GLIBC_MINOR_MIN = 5

_RUNTIME = re.compile(r"python(\d)\.(\d+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """The Python that packages are installed for."""

    version: tuple[int, int]
    architecture: str
    """As uname prints it: x86_64 or aarch64."""

    @property
    def name(self) -> str:
        """For example python3.12."""
        return f"python{self.version[0]}.{self.version[1]}"


def target_of(runtime_id: str, architecture: str) -> Target | None:
    """The Python behind a runtime id; None when the runtime is no Python."""
    match = _RUNTIME.fullmatch(runtime_id)
    if match is None:
        return None
    return Target(version=(int(match[1]), int(match[2])), architecture=architecture)


def names_packages(requirements: Path) -> bool:
    """Whether there is anything to install."""
    if not requirements.is_file():
        return False
    lines = (line.strip() for line in requirements.read_text("utf-8", "replace").splitlines())
    return any(line and not line.startswith("#") for line in lines)


def install(requirements: Path, into: Path, target: Target, steps: Steps) -> None:
    """Install what is required, showing how it goes. Blocks as long as pip does.

    Raises:
        FailedError: pip failed; its last lines and what to do are told.
    """
    interpreter = interpreter_for(target)
    argv = pip_argv(requirements, into, target, interpreter)
    steps.say(f"installing {requirements.name} for {target.name}")
    last: deque[str] = deque(maxlen=LAST_LINES)
    with subprocess.Popen(
        argv,
        cwd=requirements.resolve().parent,
        env={**os.environ, "PIP_ROOT_USER_ACTION": "ignore", "PIP_NO_INPUT": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="backslashreplace",
    ) as pip:
        assert pip.stdout is not None
        for line in pip.stdout:
            last.append(line.rstrip())
            steps.note(line.rstrip())
    if pip.returncode != 0:
        raise FailedError(_explain(requirements, target, interpreter, last))


def interpreter_for(target: Target) -> str | None:
    """A Python of that version with pip on this machine; None when there is none."""
    if target.architecture != platform.machine():
        return None
    if sys.version_info[:2] == target.version:
        return sys.executable
    return next(filter(_has_pip, _interpreters(target)), None)


def _interpreters(target: Target) -> Iterator[str]:
    """Where one may be: on the PATH, or among pyenv's, where a shim may lead nowhere."""
    found = shutil.which(target.name)
    if found is not None:
        yield found
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    version = f"{target.version[0]}.{target.version[1]}"
    yield from map(str, sorted(pyenv.glob(f"versions/{version}.*/bin/{target.name}"), reverse=True))


def _has_pip(interpreter: str) -> bool:
    probe = [interpreter, "-I", "-c", "import pip"]
    return subprocess.run(probe, capture_output=True, check=False).returncode == 0


def pip_argv(requirements: Path, into: Path, target: Target, interpreter: str | None) -> list[str]:
    """The command line of pip; without an interpreter it fetches wheels for a foreign one."""
    # -I: nothing in the function's folder shall be imported, which may have a json.py in it.
    argv = [interpreter or sys.executable, "-I", "-m", "pip", "install"]
    argv += ["--no-compile", "--disable-pip-version-check"]
    argv += ["--target", str(into), "--requirement", str(requirements.resolve())]
    if interpreter is None:
        argv += ["--only-binary=:all:", "--implementation", "cp"]
        argv += ["--python-version", f"{target.version[0]}.{target.version[1]}"]
        for platform_tag in _platforms(target.architecture):
            argv += ["--platform", platform_tag]
    return argv


def _platforms(architecture: str) -> list[str]:
    """Tags of wheels that run there, the newest first."""
    newest = range(GLIBC_MINOR_MAX, GLIBC_MINOR_MIN - 1, -1)
    tags = [f"manylinux_2_{minor}_{architecture}" for minor in newest]
    return [*tags, f"manylinux2014_{architecture}", f"linux_{architecture}"]


def _explain(requirements: Path, target: Target, interpreter: str | None, last: deque[str]) -> str:
    """Pip's last words and the remedy."""
    text = "\n  ".join(last)
    if any("No module named pip" in line for line in last):
        remedy = f"this Python has no pip: run {interpreter or sys.executable} -m ensurepip"
    elif interpreter is None:
        remedy = (
            f"no {target.name} with pip is on this machine, so only ready-made wheels for it can "
            f"be used: install {target.name}, choose another --runtime, or leave out what has none"
        )
    else:
        remedy = "correct the requirement, or see whether this machine reaches its package index"
    return f"{requirements} could not be installed for {target.name}:\n  {text}\n{remedy}"
