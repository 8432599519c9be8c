"""Modules of the package as the host has compiled them, instead of compiling them at every start.

Code is read-only to its function, so nothing that Python compiles of it would ever be kept. What
the host compiled ahead (compiling.py) lies at the same paths below a folder of its own. Unlike
PYTHONPYCACHEPREFIX it stands for the package and its layers alone: the library's own stays in use.
"""

from __future__ import annotations

import _frozen_importlib_external as external  # importlib.machinery takes a millisecond more
import _imp
import marshal
import os
import sys

FOLDER = "/var/bytecode"
MARK = "compiled"
"""A file there, since the folder itself is in every sandbox."""
ROOTS = ("/var/task", "/opt")

TYPE_CHECKING = False
if TYPE_CHECKING:
    from importlib.abc import PathEntryFinder
    from types import CodeType


class _Loader(external.SourceFileLoader):
    """A module whose source may be compiled already. The host knows that it is of this source."""

    def get_code(self, fullname: str) -> CodeType | None:
        path = self.get_filename(fullname)
        try:
            data = self.get_data(f"{FOLDER}{path}c")
        except OSError:
            return super().get_code(fullname)
        code: CodeType = marshal.loads(data)
        return code


def use() -> None:
    """From now on, if the host has compiled this package."""
    try:
        os.stat(f"{FOLDER}/{MARK}")
    except OSError:
        return
    finder = external.FileFinder.path_hook(
        (external.ExtensionFileLoader, _imp.extension_suffixes()),
        (_Loader, external.SOURCE_SUFFIXES),
        (external.SourcelessFileLoader, external.BYTECODE_SUFFIXES),
    )

    def hook(path: str) -> PathEntryFinder:
        if not path.startswith(ROOTS):
            raise ImportError(path)
        return finder(path)

    sys.path_hooks.insert(0, hook)
    for path in [each for each in sys.path_importer_cache if each.startswith(ROOTS)]:
        del sys.path_importer_cache[path]
