"""WebAssembly on its way to the control plane: modules that are deployed as they are."""

from __future__ import annotations

import zipfile
from pathlib import Path

from controlplane.cli.exits import BadParameterError

RUNTIME = "wasm"
SUFFIX = ".wasm"
USUAL = "main.wasm"

_MAGIC = b"\0asm"
"""What modules and components begin with."""
_COMPONENT = _MAGIC + b"\x0d\0\x01\0"


def is_module(path: Path) -> bool:
    """Whether this is a file that WebAssembly begins with."""
    return path.is_file() and _begins(path, _MAGIC)


def is_component(path: Path) -> bool:
    """Whether it is a component, and no core module."""
    return path.is_file() and _begins(path, _COMPONENT)


def find_handler(path: Path) -> str | None:
    """The module that a package is about: main.wasm at its top, or the only one there is."""
    names = [name for name in _top(path) if name.endswith(SUFFIX)]
    if USUAL in names:
        return USUAL
    return names[0] if len(names) == 1 else None


def demand_handler(path: Path) -> str:
    """The same for a package that must have one.

    Raises:
        BadParameterError: it has none, or several to choose from.
    """
    found = find_handler(path)
    if found is None:
        raise BadParameterError(
            f"no module found in {path}: looked for {USUAL}, or one file {SUFFIX}; name yours with "
            "--handler FILE.wasm"
        )
    return found


def _begins(path: Path, beginning: bytes) -> bool:
    with path.open("rb") as file:
        return file.read(len(beginning)) == beginning


def _top(path: Path) -> list[str]:
    if path.is_dir():
        return sorted(each.name for each in path.iterdir() if each.is_file())
    try:
        with zipfile.ZipFile(path) as archive:
            return sorted(name for name in archive.namelist() if "/" not in name)
    except (zipfile.BadZipFile, OSError):
        return []  # the service says what is wrong with it
