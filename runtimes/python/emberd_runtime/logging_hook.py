"""Sets the log up when, and only when, somebody imports logging.

logging takes as long to import as the interpreter takes to start, and many functions never use it.
"""

from __future__ import annotations

import importlib
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType


def set_up_when_imported() -> None:
    """Set the root logger up now if logging is there already, else when it is imported."""
    if "logging" in sys.modules:
        _set_up()
    else:
        sys.meta_path.insert(0, LoggingHook())


class LoggingHook:
    """Finds logging as everyone else would, and sets it up once it has run."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None, /
    ) -> ModuleSpec | None:
        """The import system's question."""
        if name != "logging":
            return None
        sys.meta_path.remove(self)
        for finder in sys.meta_path:
            spec = finder.find_spec(name, path, target)
            if spec is not None:
                _set_up_after(spec)
                return spec
        return None


def _set_up_after(spec: ModuleSpec) -> None:
    loader = spec.loader
    if loader is None:
        return
    run = loader.exec_module

    def exec_module(module: ModuleType) -> None:
        del loader.exec_module  # the loader's own again
        run(module)
        # A package may bring a module of that name which is not the library's.
        if hasattr(module, "getLogger") and hasattr(module, "Formatter"):
            _set_up()

    loader.exec_module = exec_module  # type: ignore[method-assign]


def set_up_ahead() -> None:
    """Before a function is known: what most functions want, where logging is there already."""
    if "logging" in sys.modules:
        from . import logs

        logs.set_up_ahead()


def _set_up() -> None:
    from . import logs

    if not logs.are_of(sys.modules["logging"]):
        # It was set up ahead, and then the package brought a library of its own.
        logs = importlib.reload(logs)
    logs.set_up()
