"""Memory that runs out: the whole tree must go at once, and be known to have gone for that.

cgroup v2 ends a tree by itself. v1 kills one process and tells it through an eventfd; the rest is
ended here, once the kernel has counted its own kill, so that the agent sees the reason.
"""

from __future__ import annotations

import os
from collections.abc import Callable

from sandbox.process.cgroups import Group
from sandbox.process.loop import Loop

_SETTLE_S = 0.002
_CHECKS = 10


class MemoryWatch:
    """Watches one sandbox's memory, from the limits of its first tree to its end."""

    def __init__(self, loop: Loop, group: Group, end_tree: Callable[[], None]) -> None:
        """end_tree is called on v1 after a kill; it must do nothing when no tree is left."""
        self._loop = loop
        self._group = group
        self._end_tree = end_tree
        self._fd: int | None = None
        self._seen = 0
        self._before = 0

    def begin(self) -> None:
        """A tree is about to run. The group's limits are written, or v1 would tell nothing.

        Raises:
            OSError: the cgroup cannot be watched.
        """
        self._before = self._group.oom_kills()
        if self._fd is None:
            self._fd = self._group.watch_oom()
            if self._fd is not None:
                self._loop.watch(self._fd, self._told)

    @property
    def has_run_out(self) -> bool:
        """Whether the kernel has killed for want of memory since begin."""
        return self._group.oom_kills() > self._before

    def close(self) -> None:
        """Watch no more, and know whose tree it was no more. Idempotent.

        Whoever owns this is what end_tree belongs to: the two would keep each other, with all else
        that a sandbox had, until the collector comes.
        """
        self._end_tree = _nothing
        if self._fd is not None:
            self._loop.unwatch(self._fd)
            os.close(self._fd)
            self._fd = None

    def _told(self) -> None:
        assert self._fd is not None, "what is unwatched tells nothing"
        os.eventfd_read(self._fd)
        self._look(_CHECKS)

    def _look(self, checks: int) -> None:
        if self._fd is None:
            return
        kills = self._group.oom_kills()
        if kills > self._seen:
            self._seen = kills
            self._end_tree()
        elif checks:
            self._loop.after(_SETTLE_S, lambda: self._look(checks - 1))


def _nothing() -> None:
    """There is no tree any more."""
