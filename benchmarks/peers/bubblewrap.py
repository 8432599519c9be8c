"""Debian's bubblewrap: the smallest sandbox that people use, started as its manual shows it."""

from __future__ import annotations

import shutil
from pathlib import Path

from benchmarks.harness import BenchmarkError

INSIDE = "/program"


def command(program: Path) -> list[str]:
    """bwrap with all of its namespaces around a program, on the host's /usr, read-only.

    Raises:
        BenchmarkError: it is not installed.
    """
    bwrap = shutil.which("bwrap")
    if bwrap is None:
        raise BenchmarkError("there is no bwrap to compare with: apt-get install bubblewrap")
    return [
        *(bwrap, "--unshare-all", "--die-with-parent", "--new-session"),
        *("--ro-bind", "/usr", "/usr", "--dev", "/dev", "--proc", "/proc", "--tmpfs", "/tmp"),
        *("--ro-bind", str(program), INSIDE, INSIDE),
    ]
