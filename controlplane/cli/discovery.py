"""Defaults read from a package: where its handler is, and what to call the function.

Code is parsed, never imported: deploying a folder runs nothing of it.
"""

from __future__ import annotations

import ast
import re
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path

from controlplane.cli.exits import BadParameterError
from emberd.wire.errors import InvalidArgumentError

HANDLER_FILES = ("app.py", "main.py", "lambda_function.py", "index.py", "handler.py")
HANDLER_NAMES = ("lambda_handler", "handler")

_FUNCTION_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")

Read = Callable[[str], bytes | None]
"""Returns a file at the top of a package, None when it has no such file."""


def function_name(path: Path) -> str:
    """The folder's or archive's name as the function's.

    Raises:
        BadParameterError: no function can be called that.
    """
    name = path.resolve().name
    if path.is_file():
        name = name.removesuffix(".zip").removesuffix(".wasm")
    if not _FUNCTION_NAME.fullmatch(name):
        raise BadParameterError(
            f"{name!r} is no name for a function (letters, digits, - and _, at most 64): "
            "give one with --name"
        )
    return name


def find_handler(path: Path) -> str:
    """The first handler in the usual places, as MODULE.FUNCTION.

    Raises:
        BadParameterError: there is none.
        InvalidArgumentError: the archive cannot be read.
    """
    found = handler_in(_reader(path))
    if found is None:
        raise BadParameterError(
            f"no handler found in {path}: looked for {' or '.join(HANDLER_NAMES)} in "
            f"{', '.join(HANDLER_FILES)}; name yours with --handler FILE.FUNCTION"
        )
    return found


def handler_in(read: Read) -> str | None:
    """The first handler in the usual places; None when there is none."""
    for file in HANDLER_FILES:
        source = read(file)
        if source is None:
            continue
        defined = _defined(source)
        for name in HANDLER_NAMES:
            if name in defined:
                return f"{file.removesuffix('.py')}.{name}"
    return None


def _defined(source: bytes) -> set[str]:
    """Names that a module defines at its top; none when it is not this Python's syntax."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return set()
    return set(_names(tree.body))


def _names(statements: Iterable[ast.stmt]) -> Iterable[str]:
    for statement in statements:
        match statement:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield name
            case ast.ClassDef(name=name):
                yield name
            case ast.Assign(targets=targets):
                yield from (each.id for each in targets if isinstance(each, ast.Name))
            case ast.AnnAssign(target=ast.Name(id=name)):
                yield name
            case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
                yield from (each.asname or each.name for each in aliases)
            case ast.If(body=body, orelse=orelse):
                yield from _names([*body, *orelse])
            case ast.Try(body=body, orelse=orelse, finalbody=final):
                yield from _names([*body, *orelse, *final])


def _reader(path: Path) -> Read:
    if path.is_dir():
        return lambda name: (path / name).read_bytes() if (path / name).is_file() else None
    return lambda name: _read_zipped(path, name)


def _read_zipped(path: Path, name: str) -> bytes | None:
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.read(name)
    except KeyError:
        return None
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError) as error:
        # The service would say the same once it had all of it.
        raise InvalidArgumentError(
            "Could not unzip uploaded file. Please check your file, then try to upload again.",
            reason="INVALID_PARAMETER_VALUE",
            why=str(error),
        ) from error
