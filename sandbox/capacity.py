"""The host's budgets: memory charged by measured peaks, sandboxes, free disk. Pure.

Admission charges a sandbox its revision's measured peak (32 MiB until one is known), never its
nominal MemorySize; the parent cgroup's hard limit is the same budget, so a wrong guess cannot hurt
the host. The seats of a revision are charged together, by what its workers took, or what they are
supposed to take before any of them has had an event.
"""

from __future__ import annotations

from collections import Counter

from sandbox.sharing import Sharing
from sandbox.spec import MIB

UNKNOWN_CHARGE_BYTES = 32 * MIB


class Capacity:
    """Counts what sandboxes hold of the host."""

    def __init__(self, *, memory_bytes: int, sandboxes_max: int) -> None:
        self.memory_bytes = memory_bytes
        self.sandboxes_max = sandboxes_max
        self._peaks: dict[str, int] = {}
        self._charges: dict[str, int] = {}
        self._sharing: dict[str, Sharing] = {}
        """Of revisions whose sandboxes are seats, as measured."""
        self._supposed: dict[str, Sharing] = {}
        """The same before anything was."""
        self._seats: dict[str, str] = {}
        """The revisions of those that are charged together."""
        self._seated: Counter[str] = Counter()
        """How many these are, by revision."""

    @property
    def charged_bytes(self) -> int:
        """Memory charged now."""
        together = (self._together(*each) for each in self._seated.items())
        return sum(self._charges.values()) + sum(together)

    @property
    def sandboxes(self) -> int:
        """Sandboxes that hold a charge now."""
        return len(self._charges) + len(self._seats)

    def fits(self, revision_id: str, *, waiting: int = 0) -> bool:
        """Whether one more sandbox of this revision has room beside those waiting for a start."""
        charge = self._charge_of(revision_id, 1 + waiting)
        room = self.memory_bytes - self.charged_bytes
        return self.sandboxes + waiting < self.sandboxes_max and charge <= room

    def describe(self) -> str:
        """The budget in words."""
        return (
            f"{self.charged_bytes // MIB} of {self.memory_bytes // MIB} MB charged, "
            f"{self.sandboxes} of {self.sandboxes_max} sandboxes"
        )

    def suppose(self, revision_id: str, sharing: Sharing) -> None:
        """Its sandboxes will be seats; this holds until one is measured."""
        if revision_id not in self._sharing:
            self._supposed[revision_id] = sharing

    def charge(self, sandbox_id: str, revision_id: str) -> None:
        """Hold room for a sandbox."""
        if self._sharing_of(revision_id) is not None:
            self._seat(sandbox_id, revision_id)
        else:
            self._charges[sandbox_id] = self._charge_of(revision_id, 1)

    def measured(
        self, sandbox_id: str, revision_id: str, peak_bytes: int, sharing: Sharing | None = None
    ) -> None:
        """Learn what a sandbox really used; sharing is what its worker did, if it is a seat."""
        if sharing is not None:
            self._sharing[revision_id] = sharing.or_more(self._sharing.get(revision_id))
            self._supposed.pop(revision_id, None)
            if sandbox_id in self._charges:
                self._seat(sandbox_id, revision_id)
            return
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
        revision_id = self._seats.pop(sandbox_id, None)
        if revision_id is not None:
            self._seated -= Counter((revision_id,))

    def forget(self, revision_id: str) -> None:
        """A retired revision's peak is of no more use, once its last sandbox is gone."""
        self._peaks.pop(revision_id, None)
        if revision_id not in self._seated:
            self._sharing.pop(revision_id, None)
            self._supposed.pop(revision_id, None)

    def _charge_of(self, revision_id: str, more: int) -> int:
        """What so many more sandboxes of this revision would be charged."""
        sharing = self._sharing_of(revision_id)
        if sharing is not None:
            there = self._seated[revision_id]
            return sharing.bytes_for(there + more) - sharing.bytes_for(there)
        return more * self._peaks.get(revision_id, UNKNOWN_CHARGE_BYTES)

    def _sharing_of(self, revision_id: str) -> Sharing | None:
        return self._sharing.get(revision_id) or self._supposed.get(revision_id)

    def _together(self, revision_id: str, seats: int) -> int:
        sharing = self._sharing_of(revision_id)
        assert sharing is not None, "what has seats keeps it"
        return sharing.bytes_for(seats)

    def _seat(self, sandbox_id: str, revision_id: str) -> None:
        self._charges.pop(sandbox_id, None)
        self._seats[sandbox_id] = revision_id
        self._seated[revision_id] += 1
