"""How fast a streamed answer, or what a function sends us, may leave. Pure: time is given."""

from __future__ import annotations


class Pace:
    """A token bucket: the first bytes pass at once, the rest at a steady rate."""

    def __init__(self, *, burst_bytes: int, bytes_per_s: int, now_s: float) -> None:
        """bytes_per_s 0 lets everything pass at once."""
        self._burst = burst_bytes
        self._rate = bytes_per_s
        self._left = float(burst_bytes)
        self._seen_s = now_s

    def delay_s(self, size_bytes: int, now_s: float) -> float:
        """Take so many bytes and say how long to wait before they leave."""
        if not self._rate:
            return 0.0
        refilled = self._left + (now_s - self._seen_s) * self._rate
        self._seen_s = now_s
        self._left = min(self._burst, refilled) - size_bytes
        return max(0.0, -self._left / self._rate)
