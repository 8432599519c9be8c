"""The checkout as these tests see it: tracked files, our modules, their syntax trees."""

from __future__ import annotations

import ast
import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROTOS = ROOT / "protos"

SHIPPED = ("controlplane", "sandbox", "runtimes", "protos/emberd")
"""The folders that are installed."""

_GENERATED = ("_pb2.py", "_pb2.pyi", "_pb2_grpc.py", "_pb2_grpc.pyi")


@cache
def tracked() -> tuple[Path, ...]:
    """Every file of the repository that is there, relative to its root."""
    listed = subprocess.run(
        ["git", "-c", "safe.directory=*", "ls-files", "-z"],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    names = listed.stdout.decode().split("\0")
    return tuple(Path(name) for name in names if name and (ROOT / name).is_file())


def is_generated(path: Path) -> bool:
    """Whether the protobuf compiler wrote it."""
    return path.name.endswith(_GENERATED)


@cache
def modules(*folders: str) -> tuple[Path, ...]:
    """The Python modules that people wrote below these folders; all of them when none is named."""
    return tuple(
        path
        for path in tracked()
        if path.suffix == ".py"
        and not is_generated(path)
        and (not folders or any(path.is_relative_to(folder) for folder in folders))
    )


def shipped_modules() -> tuple[Path, ...]:
    """The modules that are installed."""
    return modules(*SHIPPED)


def text_of(path: Path) -> str:
    """A tracked file's text."""
    return (ROOT / path).read_text(encoding="utf-8")


@cache
def tree_of(path: Path) -> ast.Module:
    """A tracked module's syntax tree."""
    return ast.parse(text_of(path), filename=str(path))


def imports_of(path: Path) -> frozenset[str]:
    """The dotted names that a module imports anywhere in it, relative imports left out."""
    names: set[str] = set()
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None and node.level == 0:
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return frozenset(names)
