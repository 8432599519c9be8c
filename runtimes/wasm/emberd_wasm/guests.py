"""A function's module file to a Guest. The kind is in the file's header; it is compiled once."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from typing import Protocol, TypeAlias

import wasmtime
from wasmtime import component

from . import Event, GuestError, compiling, complaints
from .command import Command
from .handler import Handler
from .limits import Limits
from .streams import Streams
from .watch import Watch

_CORE = b"\0asm\x01\0\0\0"
_COMPONENT = b"\0asm\x0d\0\x01\0"

Compiled: TypeAlias = wasmtime.Module | component.Component


class Guest(Protocol):
    """Whatever answers events, in several threads at once."""

    def run(
        self, event: Event, limits: Limits, variables: list[tuple[str, str]], streams: Streams
    ) -> bytes:
        """Answer one event in a new instance."""


def load(
    engine: wasmtime.Engine, root: str, handler: str, *, ahead: str = compiling.FOLDER
) -> Guest:
    """Make what answers events of the module that the handler names.

    Args:
        engine: What compiles and runs it.
        root: The folder of the function's package.
        handler: The module's file, relative to root.
        ahead: The folder of what the host has compiled already.

    Raises:
        GuestError: there is no such file, or nothing in it that can be run.
    """
    path = _path(root, handler)
    content = _read(path, handler)
    file = os.path.basename(handler)
    kind = kind_of(content)
    try:
        load_ready: Callable[[str], Compiled] = partial(kind.deserialize_file, engine)
        ready = compiling.compiled(path, load_ready, folder=ahead) or kind(engine, content)
    except wasmtime.WasmtimeError as error:
        raise complaints.of_compiling(file, error) from None
    watch = Watch(engine)
    if isinstance(ready, component.Component):
        return Handler(engine, ready, file, watch)
    return Command(engine, ready, file, watch)


def compile_ahead(engine: wasmtime.Engine, content: bytes) -> bytearray:
    """Machine code for this engine, of a module or component.

    Raises:
        GuestError: it is neither.
        wasmtime.WasmtimeError: it cannot be compiled.
    """
    return kind_of(content)(engine, content).serialize()


def kind_of(content: bytes) -> type[wasmtime.Module] | type[component.Component]:
    """What a file is, by its header.

    Raises:
        GuestError: it is neither.
    """
    if content[:8] == _CORE:
        return wasmtime.Module
    if content[:8] == _COMPONENT:
        return component.Component
    raise GuestError(
        "Runtime.InvalidModule",
        "the handler's file is neither a WebAssembly module nor a component (it begins with "
        f"{content[:8]!r})",
    )


def _path(root: str, handler: str) -> str:
    path = os.path.realpath(os.path.join(root, handler))
    if not path.startswith(os.path.realpath(root) + os.sep):
        raise GuestError("Runtime.HandlerNotFound", f"{handler!r} names no file of the package")
    return path


def _read(path: str, handler: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        raise GuestError(
            "Runtime.HandlerNotFound",
            f"the handler names {handler}, which cannot be read: {error.strerror}",
        ) from None
