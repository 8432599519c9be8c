"""A function's module file to a Guest. The kind is in the file's header; it is compiled once."""

from __future__ import annotations

import os
from typing import Protocol

import wasmtime
from wasmtime import component

from . import Event, GuestError, complaints
from .command import Command
from .handler import Handler
from .limits import Limits
from .watch import Watch

_CORE = b"\0asm\x01\0\0\0"
_COMPONENT = b"\0asm\x0d\0\x01\0"


class Guest(Protocol):
    """Whatever answers events."""

    def run(self, event: Event, limits: Limits, variables: list[tuple[str, str]]) -> bytes:
        """Answer one event in a new instance."""


def load(engine: wasmtime.Engine, root: str, handler: str) -> Guest:
    """Compile the module that the handler names.

    Args:
        engine: What compiles and runs it.
        root: The folder of the function's package.
        handler: The module's file, relative to root.

    Raises:
        GuestError: there is no such file, or nothing in it that can be run.
    """
    content = _read(root, handler)
    file = os.path.basename(handler)
    if content[:8] == _COMPONENT:
        try:
            compiled = component.Component(engine, content)
        except wasmtime.WasmtimeError as error:
            raise complaints.of_compiling(file, error) from None
        return Handler(engine, compiled, file, Watch(engine, _memory_file()))
    if content[:8] != _CORE:
        raise GuestError(
            "Runtime.InvalidModule",
            f"{handler} is neither a WebAssembly module nor a component (it begins with "
            f"{content[:8]!r})",
        )
    try:
        module = wasmtime.Module(engine, content)
    except wasmtime.WasmtimeError as error:
        raise complaints.of_compiling(file, error) from None
    output_fd = _memory_file()
    return Command(engine, module, file, Watch(engine, output_fd), output_fd)


def _memory_file() -> int:
    return os.memfd_create("response", os.MFD_CLOEXEC)


def _read(root: str, handler: str) -> bytes:
    path = os.path.realpath(os.path.join(root, handler))
    if not path.startswith(os.path.realpath(root) + os.sep):
        raise GuestError("Runtime.HandlerNotFound", f"{handler!r} names no file of the package")
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        raise GuestError(
            "Runtime.HandlerNotFound",
            f"the handler names {handler}, which cannot be read: {error.strerror}",
        ) from None
