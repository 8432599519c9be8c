"""The handler that compiles a package and its layers, in a sandbox of the host's own asking.

Nothing of the package runs here: its sources are read and parsed. The answer is a ZIP, streamed.
"""

from __future__ import annotations

import marshal
import os
import tempfile
import warnings
import zipfile

from .bytecode import MARK, ROOTS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import CodeType

_PIECE_BYTES = 1 << 20


def handler(_event: object, _context: object) -> Iterator[bytes]:
    """Yield the archive: what was compiled, at the paths of its sources."""
    warnings.simplefilter("ignore")  # about the package's own style
    with tempfile.TemporaryFile() as archive:
        with zipfile.ZipFile(archive, "w") as kept:
            kept.writestr(MARK, "")
            for path in _sources():
                code = _compiled(path)
                if code is not None:
                    kept.writestr(f"{path[1:]}c", marshal.dumps(code))
        archive.seek(0)
        while piece := archive.read(_PIECE_BYTES):
            yield piece


def _sources() -> Iterator[str]:
    for root in ROOTS:
        for folder, _, names in os.walk(root):
            yield from (f"{folder}/{name}" for name in sorted(names) if name.endswith(".py"))


def _compiled(path: str) -> CodeType | None:
    """None where the function itself will find out what is wrong, if it ever imports that."""
    try:
        with open(path, "rb") as source:
            return compile(source.read(), path, "exec", dont_inherit=True)
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return None
