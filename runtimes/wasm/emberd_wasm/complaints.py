"""wasmtime's errors as errors of the function, with the guest's frames for a stack trace."""

from __future__ import annotations

import wasmtime

from . import GuestError

_BACKTRACE = "wasm backtrace:"
_CAUSE = "Caused by:"
_FRAMES_SHOWN = 40


def of_trap(error: Exception) -> GuestError:
    """A trap: what wasmtime says of it, and where the guest was."""
    head, _, causes = str(error).partition(_CAUSE)
    frames = _frames(head)
    lines = [line.strip() for line in causes.splitlines() if line.strip()]
    message = _unnumbered(lines[-1]) if lines else head.strip().partition("\n")[0]
    return GuestError("Runtime.WasmTrap", message, frames)


def is_interruption(error: Exception) -> bool:
    """Whether it is what a guest gets whose time is up."""
    return "wasm trap: interrupt" in str(error)


def of_exit(code: int) -> GuestError:
    """A command that exited with another status than zero."""
    return GuestError("Runtime.WasmExit", f"the module exited with status {code}")


def of_compiling(file: str, error: wasmtime.WasmtimeError) -> GuestError:
    """A file that begins like a module and is none that this wasmtime takes."""
    return GuestError("Runtime.InvalidModule", f"{file} cannot be compiled: {_one_line(error)}")


def of_linking(file: str, error: wasmtime.WasmtimeError) -> GuestError:
    """A module that imports what we do not have, or wants more than the limits at its start."""
    return GuestError("Runtime.WasmLinkError", f"{file} cannot be instantiated: {_one_line(error)}")


def _frames(text: str) -> tuple[str, ...]:
    lines = [line.strip() for line in text.partition(_BACKTRACE)[2].splitlines() if line.strip()]
    return tuple(lines[:_FRAMES_SHOWN])


def _unnumbered(line: str) -> str:
    """wasmtime numbers causes when there are several."""
    number, colon, rest = line.partition(": ")
    return rest if colon and number.isdigit() else line


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
