"""Compiles a package's modules ahead, in a sandbox of the host's own asking, and finds what was.

Nothing of the package runs here. What is compiled comes back as a ZIP, and is attached read-only to
the package's next sandboxes. Those alone take it: machine code is never accepted from users.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import TypeVar

import wasmtime

from . import GuestError

HANDLER = "emberd_wasm.compiling"
"""The host's handler when it asks for this; a module's file ends in another name."""

ROOT = "/var/task"
FOLDER = "/var/bytecode"
"""Where what was compiled lies, at the paths of its sources."""
MARK = "compiled"
"""A file at the top of the archive (as the Python runtime's)."""
SOURCE = ".wasm"

_PIECE_BYTES = 1 << 20

T = TypeVar("T")

Compile = Callable[[bytes], bytearray]
"""A module or component to its machine code."""


def pieces(root: str, compile_one: Compile) -> Iterator[bytes]:
    """The archive of what every module below root was compiled to."""
    import tempfile
    import zipfile

    with tempfile.TemporaryFile() as archive:
        with zipfile.ZipFile(archive, "w") as kept:
            kept.writestr(MARK, "")
            for path in _sources(root):
                with open(path, "rb") as source:
                    content = source.read()
                try:
                    kept.writestr(_place(path), bytes(compile_one(content)))
                except (GuestError, wasmtime.WasmtimeError):
                    continue  # the function itself will find out what is wrong with it
        archive.seek(0)
        while piece := archive.read(_PIECE_BYTES):
            yield piece


def compiled(path: str, load: Callable[[str], T], *, folder: str = FOLDER) -> T | None:
    """What the host has compiled of this file, mapped from disk; None when there is nothing.

    wasmtime refuses code of another version of itself, another configuration or another processor.
    """
    place = os.path.join(folder, _place(path))
    if not os.path.exists(place):
        return None
    try:
        return load(place)
    except wasmtime.WasmtimeError:
        return None


def _place(path: str) -> str:
    return f"{path[1:]}.compiled"


def _sources(root: str) -> Iterator[str]:
    for folder, _, names in os.walk(root):
        yield from (
            f"{folder}/{name}"
            for name in sorted(names)
            if name.endswith(SOURCE) and os.path.isfile(f"{folder}/{name}")
        )
