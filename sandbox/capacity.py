"""The host's budgets: memory charged by measured peaks, sandboxes, free disk. Pure.

Admission charges a sandbox its revision's measured peak (32 MiB until one is known), never its
nominal MemorySize; the parent cgroup's hard limit is the same budget, so a wrong guess cannot hurt
the host.
"""

from __future__ import annotations

from sandbox.spec import MIB

UNKNOWN_CHARGE_BYTES = 32 * MIB


class Capacity:
    """Counts what sandboxes hold of the host."""

    def __init__(self, *, memory_bytes: int, sandboxes_max: int) -> None:
        self.memory_bytes = memory_bytes
        self.sandboxes_max = sandboxes_max
        self._peaks: dict[str, int] = {}
        self._charges: dict[str, int] = {}

    @property
    def charged_bytes(self) -> int:
        """Memory charged now."""
        return sum(self._charges.values())

    @property
    def sandboxes(self) -> int:
        """Sandboxes that hold a charge now."""
        return len(self._charges)

    def charge_of(self, revision_id: str) -> int:
        """What one more sandbox of this revision would be charged."""
        return self._peaks.get(revision_id, UNKNOWN_CHARGE_BYTES)

    def fits(self, revision_id: str, *, waiting: int = 0) -> bool:
        """Whether one more sandbox of this revision has room beside those waiting for a start."""
        charge = self.charge_of(revision_id)
        room = self.memory_bytes - self.charged_bytes - waiting * charge
        return self.sandboxes + waiting < self.sandboxes_max and charge <= room

    def describe(self) -> str:
        """The budget in words."""
        return (
            f"{self.charged_bytes // MIB} of {self.memory_bytes // MIB} MB charged, "
            f"{self.sandboxes} of {self.sandboxes_max} sandboxes"
        )

    def charge(self, sandbox_id: str, revision_id: str) -> None:
        """Hold room for a sandbox."""
        self._charges[sandbox_id] = self.charge_of(revision_id)

    def measured(self, sandbox_id: str, revision_id: str, peak_bytes: int) -> None:
        """Learn what a sandbox really used."""
        peak = max(peak_bytes, self._peaks.get(revision_id, 0))
        self._peaks[revision_id] = peak
        if sandbox_id in self._charges:
            self._charges[sandbox_id] = peak

    def hold(self, sandbox_id: str, memory_bytes: int) -> None:
        """Charge one that is no measure for others: a template."""
        self._charges[sandbox_id] = memory_bytes

    def release(self, sandbox_id: str) -> None:
        """Give the room back. Idempotent."""
        self._charges.pop(sandbox_id, None)

    def forget(self, revision_id: str) -> None:
        """A retired revision's peak is of no more use."""
        self._peaks.pop(revision_id, None)
