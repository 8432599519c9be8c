"""The handler string to a function."""

from __future__ import annotations

import importlib
import sys

from . import Fault

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


def load(handler: str) -> Callable[[object, object], object]:
    """Import the module and find the function: pkg.mod.func, with slashes allowed for dots.

    Raises:
        Fault: with Lambda's name for what is wrong.
        Exception: whatever else the module raised while it was imported.
    """
    module_name, dot, name = handler.rpartition(".")
    if not dot:
        raise Fault(
            "Runtime.MalformedHandlerName",
            f"Bad handler '{handler}': not enough values to unpack (expected 2, got 1)",
        )
    if module_name.split(".")[0] in sys.builtin_module_names:
        raise Fault(
            "Runtime.BuiltInModuleConflict",
            f"Cannot use built-in module {module_name} as a handler module",
        )
    module = _imported(module_name)
    try:
        function: Callable[[object, object], object] = getattr(module, name)
    except AttributeError:
        raise Fault(
            "Runtime.HandlerNotFound", f"Handler '{name}' missing on module '{module_name}'"
        ) from None
    return function


def _imported(module_name: str) -> object:
    try:
        return importlib.import_module(module_name.replace("/", "."))
    except ImportError as error:
        raise Fault(
            "Runtime.ImportModuleError", f"Unable to import module '{module_name}': {error}"
        ) from error
    except SyntaxError as error:
        raise Fault(
            "Runtime.UserCodeSyntaxError",
            f"Syntax error in module '{module_name}': {error}",
            (f'  File "{error.filename}" Line {error.lineno}\n    {error.text}',),
        ) from error


def set_import_path(task_root: str, runtime_directory: str) -> None:
    """Package first, layers next, then what PYTHONPATH says and the runtime's own directory."""
    version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    first = [task_root, f"/opt/python/lib/{version}/site-packages", "/opt/python"]
    # The interpreter put the script's directory in front, then PYTHONPATH, then its own.
    rest = [entry for entry in sys.path if entry not in (*first, runtime_directory)]
    own = next(
        (i for i, entry in enumerate(rest) if entry.startswith((sys.prefix, sys.base_prefix))),
        len(rest),
    )
    sys.path[:] = [*first, *rest[:own], runtime_directory, *rest[own:]]
