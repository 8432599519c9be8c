"""Which revisions have a function template on this host, within a budget of memory. Pure.

    absent --begin--> making --ready--> ready --begin, once it is old--> ready, being replaced
                        |                 +--lost, dropped, evicted--> absent
                        +--refused--> refused, for as long as the revision lives

A template holds one revision's memory and is never shared. What does not fit together goes by least
recent use; it is made again when it is asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Generic, TypeVar

T = TypeVar("T")

AGE_MAX_S = 3600.0
"""Copies share their template's hash seed and address layout, so it is made anew hourly."""

PAUSE_S = 30.0
"""After one was evicted or could not be made, starts alone do not have another one made so soon:
revisions that do not fit together would only drive each other out."""

LOSSES_MAX = 3
"""Templates of a revision that may be lost in a row, without a copy, before it has no more."""

OFF = "this host makes no function templates (--template-memory-mb 0)"

LOST_TOO_OFTEN = "its templates ended before anything was copied from them"


class Stage(Enum):
    """Where a revision's template is in its life."""

    ABSENT = "absent"
    MAKING = "making"
    READY = "ready"
    REFUSED = "refused"


@dataclass(slots=True)
class _Place(Generic[T]):
    template: T | None = None
    making: bool = False
    refusal: str = ""
    made_s: float = 0.0
    used_s: float = 0.0
    memory_bytes: int = 0
    losses: int = 0
    paused_until_s: float = 0.0


class TemplateShelf(Generic[T]):
    """The templates of one host by revision; T is whatever one is to its driver."""

    def __init__(self, *, memory_bytes: int) -> None:
        self.memory_bytes = memory_bytes
        """What all templates together may hold; 0 for none at all."""
        self._places: dict[str, _Place[T]] = {}

    @property
    def held_bytes(self) -> int:
        """What they hold now."""
        return sum(each.memory_bytes for each in self._places.values())

    @property
    def count(self) -> int:
        """Templates that are there."""
        return sum(place.template is not None for place in self._places.values())

    def stage(self, revision_id: str) -> Stage:
        """Where a revision's template is."""
        if not self.memory_bytes:
            return Stage.REFUSED
        place = self._places.get(revision_id)
        if place is None:
            return Stage.ABSENT
        if place.refusal:
            return Stage.REFUSED
        if place.template is not None:
            return Stage.READY
        return Stage.MAKING if place.making else Stage.ABSENT

    def refusal(self, revision_id: str) -> str:
        """Why a revision has no template and gets none; empty while it may."""
        if not self.memory_bytes:
            return OFF
        place = self._places.get(revision_id)
        return "" if place is None else place.refusal

    def begin(self, revision_id: str, now_s: float, *, urgent: bool = False) -> bool:
        """Whether one must be made now: none is there or the one that is has grown old.

        Args:
            revision_id: Whose.
            now_s: Seconds on a clock that never goes back.
            urgent: Somebody waits for it, so that no pause is kept.
        """
        if not self.memory_bytes:
            return False
        place = self._places.setdefault(revision_id, _Place())
        if place.making or place.refusal or (now_s < place.paused_until_s and not urgent):
            return False
        if place.template is not None and now_s - place.made_s < AGE_MAX_S:
            return False
        place.making = True
        return True

    def give_up(self, revision_id: str, now_s: float) -> None:
        """If one was being made, it could not be, for a reason that may pass."""
        place = self._places.get(revision_id)
        if place is not None and place.making:
            place.making = False
            place.paused_until_s = now_s + PAUSE_S

    def refuse(self, revision_id: str, reason: str) -> list[T]:
        """The revision can have none. Returns what must go."""
        place = self._places.get(revision_id)
        if place is None:
            return []
        gone = _template(place)
        self._places[revision_id] = _Place(refusal=reason)
        return gone

    def put(self, revision_id: str, template: T, memory_bytes: int, now_s: float) -> list[T]:
        """One is made: it replaces an older one, and others make room. Returns what must go.

        One that was not asked for any more by then, or is larger than all may be, goes itself.
        """
        place = self._places.get(revision_id)
        if place is None or not place.making:
            return [template]
        if memory_bytes > self.memory_bytes:
            mib = 1024 * 1024
            reason = (
                f"it holds {memory_bytes // mib} MB, and the templates of this host together "
                f"may hold {self.memory_bytes // mib} MB"
            )
            return [template, *self.refuse(revision_id, reason)]
        gone = _template(place)
        place.template, place.making = template, False
        place.made_s = place.used_s = now_s
        place.memory_bytes = memory_bytes
        while self.held_bytes > self.memory_bytes:
            gone += self._evict(now_s, spare=revision_id)
        return gone

    def take(self, revision_id: str, now_s: float) -> T | None:
        """The template to copy from, or None."""
        place = self._places.get(revision_id)
        if place is None or place.template is None:
            return None
        place.used_s = now_s
        return place.template

    def copied(self, revision_id: str) -> None:
        """A copy went well."""
        place = self._places.get(revision_id)
        if place is not None:
            place.losses = 0

    def lost(self, revision_id: str, template: T) -> list[T]:
        """This one serves no more. Returns what must go."""
        place = self._places.get(revision_id)
        if place is None or place.template is not template:
            return []
        place.losses += 1
        if place.losses >= LOSSES_MAX:
            return self.refuse(revision_id, LOST_TOO_OFTEN)
        return _take_out(place)

    def drop(self, revision_id: str) -> list[T]:
        """The revision is gone. Returns what must go."""
        place = self._places.pop(revision_id, None)
        return [] if place is None else _template(place)

    def evict(self, now_s: float) -> list[T]:
        """Give room for something else: the template used longest ago must go, if one is there."""
        return self._evict(now_s, spare="")

    def clear(self) -> Sequence[T]:
        """All must go."""
        gone = [each for place in self._places.values() for each in _template(place)]
        self._places.clear()
        return gone

    def _evict(self, now_s: float, *, spare: str) -> list[T]:
        ready = [
            (place.used_s, revision_id)
            for revision_id, place in self._places.items()
            if place.template is not None and revision_id != spare
        ]
        if not ready:
            return []
        place = self._places[min(ready)[1]]
        place.paused_until_s = now_s + PAUSE_S
        return _take_out(place)


def _template(place: _Place[T]) -> list[T]:
    return [] if place.template is None else [place.template]


def _take_out(place: _Place[T]) -> list[T]:
    gone = _template(place)
    place.template, place.memory_bytes = None, 0
    return gone
