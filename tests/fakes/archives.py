"""Zip archives for tests, good ones and those that only an attacker makes."""

from __future__ import annotations

import io
import stat
import warnings
import zipfile
from collections.abc import AsyncIterator

FILE = stat.S_IFREG | 0o644
LINK = stat.S_IFLNK | 0o777

Member = tuple[str, bytes, int]
"""Name, content, Unix mode."""


def archive(*members: Member, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A well-formed archive of these members, whatever they are called."""
    file = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # duplicate names are wanted here
        with zipfile.ZipFile(file, "w", method) as package:
            for name, content, mode in members:
                info = zipfile.ZipInfo("placeholder")
                info.filename = name  # the constructor would cut it at a NUL
                info.external_attr = mode << 16
                info.compress_type = method
                package.writestr(info, content)
    return file.getvalue()


def package(content: bytes = b"def handler(event, context):\n    return event\n") -> bytes:
    """A small good package whose digest depends on the content."""
    return archive(("app.py", content, FILE))


async def in_pieces(content: bytes, size: int = 64 * 1024) -> AsyncIterator[bytes]:
    """The content as a stream."""
    for start in range(0, len(content), size):
        yield content[start : start + size]
