"""What may reach a terminal: text without control characters, steps and progress on stderr.

stdout is for the answer alone. A terminal gets a line that is redrawn; anything else gets one
plain line per step.
"""

from __future__ import annotations

import os
import sys

from controlplane.cli.printable import printable

REDRAW_PERCENT = 5
"""A redrawn line changes in steps of this size."""


def complain(message: str, *, prefix: str = "emberd: ") -> None:
    """Write one message to stderr."""
    lines = "\n".join(printable(line) for line in message.split("\n"))
    sys.stderr.write(f"{prefix}{lines}\n")
    sys.stderr.flush()


class Steps:
    """Tells on stderr what a long command is doing."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self._redraws = sys.stderr.isatty() and "CI" not in os.environ
        self._shown = ""

    def say(self, message: str) -> None:
        """Write one finished step."""
        if not self._quiet:
            self._clear()
            complain(message)

    def progress(self, what: str, done: int, total: int) -> None:
        """Redraw how far a step has come; nothing off a terminal."""
        if self._quiet or not self._redraws or total <= 0:
            return
        percent = done * 100 // total // REDRAW_PERCENT * REDRAW_PERCENT
        line = f"emberd: {what} {percent} %"
        if line != self._shown:
            sys.stderr.write(f"\r{printable(line)}\x1b[K")
            sys.stderr.flush()
            self._shown = line
        if done >= total:
            self._clear()

    def note(self, line: str) -> None:
        """Show a passing line of another program; nothing off a terminal."""
        if self._quiet or not self._redraws:
            return
        self._shown = line
        width = os.get_terminal_size(sys.stderr.fileno()).columns
        sys.stderr.write(f"\r{printable(line)[: width - 1]}\x1b[K")
        sys.stderr.flush()

    def _clear(self) -> None:
        if self._shown:
            sys.stderr.write("\r\x1b[K")
            self._shown = ""
