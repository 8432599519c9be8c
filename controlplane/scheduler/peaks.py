"""What a sandbox of a revision really needs, learned from what its sandboxes used."""

from __future__ import annotations

from controlplane.model.runtimes import SHARED

UNKNOWN_BYTES = 32 * 1024 * 1024
"""Charged to a sandbox of a revision that never ran."""

UNKNOWN_SHARED_BYTES = 8 * 1024 * 1024
"""The same where many events share a process."""

WINDOW = 100
"""Measurements that make a window; a peak counts for one to two windows."""


class Peaks:
    """The highest recent memory peak of each revision.

    Two windows are kept, the one that fills and the one before, so that one greedy event is
    forgotten after a while and memory stays constant.
    """

    def __init__(self) -> None:
        self._windows: dict[str, tuple[int, int, int]] = {}

    def __len__(self) -> int:
        return len(self._windows)

    def charge_of(self, revision_id: str, runtime_id: str = "") -> int:
        """Bytes to charge for one sandbox of this revision."""
        windows = self._windows.get(revision_id)
        if windows is None:
            return UNKNOWN_SHARED_BYTES if runtime_id in SHARED else UNKNOWN_BYTES
        return max(windows[0], windows[1])

    def measured(self, revision_id: str, peak_bytes: int) -> None:
        """Learn from one attempt; 0 means that nothing was measured."""
        if peak_bytes <= 0:
            return
        before, current, count = self._windows.get(revision_id, (0, 0, 0))
        if count == WINDOW:
            before, current, count = current, 0, 0
        self._windows[revision_id] = (before, max(current, peak_bytes), count + 1)

    def forget(self, revision_id: str) -> None:
        """The revision is retired."""
        self._windows.pop(revision_id, None)
