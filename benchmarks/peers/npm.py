"""Programs from npm, installed once into a folder that git ignores."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from benchmarks.harness import BenchmarkError

PACKAGES = ("workerd@1.20261117.1", "componentize-qjs@0.4.5")
INSTALLED = Path(__file__).parent / "built" / "npm"
INSTALL_WITHIN_S = 600


def program(name: str) -> Path:
    """Where a program of these packages is; they are installed when it is not there yet.

    Raises:
        BenchmarkError: there is no npm, or it failed.
    """
    found = INSTALLED / "node_modules" / ".bin" / name
    if found.exists():
        return found
    npm = shutil.which("npm")
    if npm is None:
        raise BenchmarkError(f"{name} comes from npm, which is missing: apt install npm")
    INSTALLED.mkdir(parents=True, exist_ok=True)
    options = ("--no-package-lock", "--no-audit", "--no-fund", "--loglevel=error")
    done = subprocess.run(
        [npm, "install", *options, "--prefix", str(INSTALLED), *PACKAGES],
        capture_output=True,
        text=True,
        timeout=INSTALL_WITHIN_S,
    )
    if done.returncode != 0:
        raise BenchmarkError(f"npm could not install {name}: {done.stderr[-1000:]}")
    return found
