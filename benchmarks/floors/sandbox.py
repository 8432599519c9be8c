"""Builds the two C programs of the floor: a bare sandbox, and the program that says it runs."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from benchmarks.harness import BenchmarkError

SOURCES = Path(__file__).parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Programs:
    """Where they are."""

    sandbox: Path
    ready: Path


def build(folder: Path) -> Programs:
    """Compile both into a folder.

    Raises:
        BenchmarkError: there is no C compiler, or it failed.
    """
    compiler = shutil.which("cc")
    if compiler is None:
        raise BenchmarkError("the floor is a C program: apt-get install gcc libc6-dev")
    programs = Programs(sandbox=folder / "sandbox", ready=folder / "ready")
    for path in (programs.sandbox, programs.ready):
        source = SOURCES / f"{path.name}.c"
        command = [compiler, "-O2", "-static", "-o", str(path), str(source)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise BenchmarkError(f"{source.name} does not compile: {done.stderr}")
    return programs


def command(programs: Programs) -> list[str]:
    """The floor around the program that says it runs."""
    return [str(programs.sandbox), str(programs.ready)]
