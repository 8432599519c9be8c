"""The floor of a cold start: the runtime's interpreter started, running nothing, and gone."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from benchmarks.harness import BenchmarkError


def interpreter_of(runtime: str) -> str | None:
    """The interpreter of this runtime itself (no shim, no virtual environment), if one is found."""
    name = runtime.removeprefix("python")
    own = Path(sys.base_prefix) / "bin" / f"python{name}"
    found = str(own) if own.exists() else shutil.which(runtime)
    if found is None:
        return None
    ask = [found, "-I", "-c", "import sys; print(sys.executable)"]
    done = subprocess.run(ask, capture_output=True, text=True, check=False)
    return done.stdout.strip() or None


def best_runtime(offered: list[str]) -> tuple[str, str]:
    """The newest Python that the hosts offer and whose floor can be measured, and its program."""
    pythons = [each for each in offered if each.startswith("python3.")]
    for runtime in sorted(pythons, key=lambda each: int(each.split(".")[1]), reverse=True):
        program = interpreter_of(runtime)
        if program is not None:
            return runtime, program
    raise BenchmarkError(f"no Python runtime to measure among {', '.join(offered) or 'none'}")


def fork_exec(program: str, *arguments: str) -> Callable[[], None]:
    """One start of an interpreter, to its end.

    Without arguments it runs nothing and imports nothing (-S: what a machine has in its
    site-packages would otherwise count as the interpreter's own).
    """
    command = [program, "-I", *(arguments or ("-S", "-c", "pass"))]

    def call() -> None:
        pid = os.posix_spawn(program, command, {})
        _, status = os.waitpid(pid, 0)
        if status != 0:
            raise BenchmarkError(f"{program} ended with status {status}")

    return call


def version_of(program: str) -> str:
    """What the interpreter says it is."""
    done = subprocess.run([program, "-VV"], capture_output=True, text=True, check=True)
    return done.stdout.splitlines()[0]
