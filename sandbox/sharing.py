"""What the seats of one function cost together. Pure.

A worker costs what its init took, whoever sits in it, and then each of its seats a little. So what
one seat is charged depends on how many there are.
"""

from __future__ import annotations

from dataclasses import dataclass

FEW_SEATS = 4
"""A function that has more events than these at a worker gets a second one, up to one for each
core: what Python does for events it does for one at a time."""

SEAT_BYTES_LEAST = 1024 * 1024
"""A thread, a store and an instance, of the smallest kind."""

UNKNOWN_WORKER_BYTES = 32 * 1024 * 1024
UNKNOWN_SEAT_BYTES = 4 * 1024 * 1024
"""What is charged until the first event has told more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sharing:
    """What was measured of a worker, or is supposed of it."""

    worker_bytes: int
    """Its peak when its init was over."""
    seat_bytes: int
    """What it took more than that, by the most events that it had at once."""
    places: int
    """The seats that it can have."""
    cores: int
    """How many workers a few events are shared out to."""

    @classmethod
    def unknown(cls, *, places: int, cores: int) -> Sharing:
        """What workers of a function that never ran are taken for."""
        return cls(
            worker_bytes=UNKNOWN_WORKER_BYTES,
            seat_bytes=UNKNOWN_SEAT_BYTES,
            places=places,
            cores=cores,
        )

    def bytes_for(self, seats: int) -> int:
        """What so many seats cost, as they are shared out to workers."""
        few = min(self.cores, -(-seats // FEW_SEATS))
        workers = max(few, -(-seats // self.places))
        return workers * self.worker_bytes + seats * self.seat_bytes

    @property
    def bytes_each(self) -> int:
        """What a seat costs where many are."""
        return self.worker_bytes // self.places + self.seat_bytes

    def or_more(self, other: Sharing | None) -> Sharing:
        """The larger of both, part by part: workers of one function are alike."""
        if other is None:
            return self
        return Sharing(
            worker_bytes=max(self.worker_bytes, other.worker_bytes),
            seat_bytes=max(self.seat_bytes, other.seat_bytes),
            places=self.places,
            cores=self.cores,
        )
