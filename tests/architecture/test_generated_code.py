"""Generated code is committed, so it must be what the protos say today."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.architecture.checkout import PROTOS, is_generated, tracked

OUTPUTS = ("--python_out", "--pyi_out", "--grpc_python_out", "--mypy_grpc_out")


def generate(folder: Path) -> None:
    """Compile every proto into a folder, as `make protos` does in place."""
    sources = sorted(str(path.relative_to(PROTOS)) for path in PROTOS.rglob("*.proto"))
    # The plugin for the stubs' types is a program beside the interpreter.
    beside = str(Path(sys.executable).parent)
    environment = {**os.environ, "PATH": os.pathsep.join((beside, os.environ.get("PATH", "")))}
    done = subprocess.run(
        [sys.executable, "-m", "grpc_tools.protoc", f"-I{PROTOS}"]
        + [f"{output}={folder}" for output in OUTPUTS]
        + sources,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_committed_code_is_byte_for_byte_what_the_protos_generate(tmp_path: Path) -> None:
    generate(tmp_path)
    fresh = {path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.is_file()}
    committed = {path.relative_to("protos") for path in tracked() if is_generated(path)}
    stale = [
        str(path)
        for path in fresh & committed
        if (tmp_path / path).read_bytes() != (PROTOS / path).read_bytes()
    ]
    assert fresh
    assert committed == fresh, "run `make protos` and commit what it made"
    assert not stale, f"run `make protos` and commit: {sorted(stale)}"
