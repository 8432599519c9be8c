"""The clock of sandboxes: a time namespace in which the machine has booted with the launcher.

One namespace serves all sandboxes of a host and belongs to the host's user namespace, so that no
sandbox has power over it. What it hides is how long the machine has been up, and with it which
machine this may be; the time of day cannot be hidden.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

from sandbox.process import syscalls


class SandboxClock:
    """The launcher's own clock, the sandboxes', and the way from one to the other."""

    def __init__(self) -> None:
        self._home_fd = _open("time")
        syscalls.unshare(syscalls.CLONE_NEWTIME)
        try:
            booted_s = int(time.clock_gettime(time.CLOCK_BOOTTIME))
            running_s = int(time.clock_gettime(time.CLOCK_MONOTONIC))
            # Offsets can be set only while nobody lives in the namespace.
            Path("/proc/self/timens_offsets").write_text(
                f"monotonic -{running_s} 0\nboottime -{booted_s} 0\n"
            )
            self._namespace_fd = _open("time_for_children")
        finally:
            self.leave()

    def enter(self) -> None:
        """Live by the sandboxes' clock, so that the next child is born with it."""
        syscalls.setns(self._namespace_fd, syscalls.CLONE_NEWTIME)

    def leave(self) -> None:
        """Live by the host's again."""
        syscalls.setns(self._home_fd, syscalls.CLONE_NEWTIME)


def _open(name: str) -> int:
    return os.open(f"/proc/self/ns/{name}", os.O_RDONLY | os.O_CLOEXEC)
