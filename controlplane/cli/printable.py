"""What a function wrote, made safe to show: nothing in it can steer a terminal."""

from __future__ import annotations

import re

_UNSAFE = re.compile(
    "[\x00-\x08\x0a-\x1f\x7f-\x9f"  # controls, the one-byte CSI and OSC among them; not the tab
    "\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]"  # what reorders or breaks a line
)


def printable(written: bytes | str) -> str:
    r"""One line of text: controls and bytes that are no UTF-8 appear as escapes like \x1b."""
    text = written.decode("utf-8", "backslashreplace") if isinstance(written, bytes) else written
    return _UNSAFE.sub(_escaped, text)


def _escaped(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
