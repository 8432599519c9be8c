"""How long to wait before something that failed is tried again."""

from __future__ import annotations


class Backoff:
    """Doubling waits, forgotten after a life that was long enough. Pure."""

    FIRST_S = 0.1
    LONGEST_S = 5.0
    STEADY_S = 30.0
    """A life this long was no failed start, so the next wait is the first one again."""

    def __init__(self) -> None:
        self._next_s = self.FIRST_S

    def after(self, life_s: float) -> float:
        """The wait in seconds after a life that lasted this long."""
        if life_s >= self.STEADY_S:
            self._next_s = self.FIRST_S
        wait_s = self._next_s
        self._next_s = min(wait_s * 2, self.LONGEST_S)
        return wait_s
