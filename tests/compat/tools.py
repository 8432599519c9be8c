"""Where the clients are that these tests drive, and what to do where one is missing."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
PYTHON_TOOLS = REPOSITORY / ".venv-compat" / "bin"
JAVASCRIPT = Path(__file__).with_name("javascript")

PROVIDER = "*/hashicorp/aws"
"""Where AWS's provider lies in a folder of providers."""


def python_tool(name: str) -> Path:
    """A program of .venv-compat: aws, chalice."""
    return _present(PYTHON_TOOLS / name, name)


def node() -> Path:
    """Node.js, with the AWS SDK for JavaScript installed beside our scripts."""
    _present(JAVASCRIPT / "node_modules" / "@aws-sdk" / "client-lambda", "the SDK for JavaScript")
    found = shutil.which("node")
    return _present(Path(found or "node"), "node")


def _present(path: Path, name: str) -> Path:
    if not path.exists():
        pytest.skip(f"{name} is missing: run `make setup-compat`")
    return path


def terraform() -> tuple[Path, Path] | None:
    """Terraform and a folder of providers that has AWS's; None where this machine lacks one.

    Neither can be had from a package registry, so their absence is no fault of a set-up: the calls
    that they make are replayed in any case.
    """
    program = shutil.which("terraform")
    folder = next((each for each in _plugin_folders() if any(each.glob(PROVIDER))), None)
    return None if program is None or folder is None else (Path(program), folder)


def _plugin_folders() -> list[Path]:
    """Where people keep Terraform's providers."""
    named = os.environ.get("TF_PLUGIN_CACHE_DIR")
    return [
        *([Path(named)] if named else []),
        Path.home() / ".terraform.d" / "plugins",
        Path("/usr/local/share/terraform/plugins"),
        Path("/usr/share/terraform/plugins"),
        *sorted(Path("/opt").glob("*")),
    ]
