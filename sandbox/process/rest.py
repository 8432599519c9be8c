"""What only waits is frozen after a moment: it runs no further until it is needed.

A function template and the copy that is made ahead are the tenant's own processes; nobody is billed
for what they would do meanwhile.
"""

from __future__ import annotations

import time

from sandbox.process.cgroups import Group
from sandbox.process.loop import Loop

AFTER_S = 1.0
"""One that is copied again and again, as in a burst, is never frozen in between."""


class Rest:
    """The rest of one process tree, which is awake at first."""

    def __init__(self, loop: Loop, group: Group) -> None:
        self._loop = loop
        self._group = group
        self._since_s: float | None = None
        self._frozen = False
        self._timed = False

    def begin(self) -> None:
        """It only waits from here on."""
        self._since_s = time.monotonic()
        if not self._timed:
            self._look_after(AFTER_S)

    def end(self) -> None:
        """It is needed now.

        Raises:
            OSError: it has ended.
        """
        self._since_s = None
        if self._frozen:
            self._frozen = False
            self._group.thaw_tree()

    def give_up(self) -> None:
        """It has ended: its cgroup is left alone, for it may be another's soon."""
        self._since_s, self._frozen = None, False

    def _look_after(self, delay_s: float) -> None:
        self._timed = True
        self._loop.after(delay_s, self._look)

    def _look(self) -> None:
        self._timed = False
        if self._since_s is None:
            return
        left_s = self._since_s + AFTER_S - time.monotonic()
        if left_s > 0:
            self._look_after(left_s)
        elif not self._frozen:
            self._group.freeze_tree()
            self._frozen = True
