"""Where the tools are that build WebAssembly."""

from __future__ import annotations

import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]

FOLDERS = (
    Path(sys.executable).parent,
    REPOSITORY / ".venv-runtimes" / "bin",
    Path(__file__).parent / "node_modules" / ".bin",
)
"""emberd's own commands, those from PyPI, those from npm."""
