"""The life of a sandbox as the pool sees it. Pure: a state, an event, the next state.

    STARTING --initialised--> IDLE <--released/assigned--> BUSY
        |                      |                            |
        +------ tree_ended ----+------- tree_ended ---------+--> BROKEN --reset--> STARTING
    every state --destroyed--> DESTROYED

BROKEN means that its processes are gone and its environment (uid range, cgroups, network, /tmp) is
kept for a new init by the next invocation of the same revision, as on Lambda.
"""

from __future__ import annotations

from enum import Enum


class State(Enum):
    """Where a sandbox is in its life."""

    STARTING = "starting"
    IDLE = "idle"
    BUSY = "busy"
    BROKEN = "broken"
    DESTROYED = "destroyed"


class Event(Enum):
    """What can happen to a sandbox."""

    INITIALISED = "initialised"
    ASSIGNED = "assigned"
    RELEASED = "released"
    TREE_ENDED = "tree_ended"
    RESET = "reset"
    DESTROYED = "destroyed"


TRANSITIONS: dict[tuple[State, Event], State] = {
    (State.STARTING, Event.INITIALISED): State.IDLE,
    (State.STARTING, Event.TREE_ENDED): State.BROKEN,
    (State.STARTING, Event.DESTROYED): State.DESTROYED,
    (State.IDLE, Event.ASSIGNED): State.BUSY,
    (State.IDLE, Event.TREE_ENDED): State.BROKEN,
    (State.IDLE, Event.DESTROYED): State.DESTROYED,
    (State.BUSY, Event.RELEASED): State.IDLE,
    (State.BUSY, Event.TREE_ENDED): State.BROKEN,
    (State.BUSY, Event.DESTROYED): State.DESTROYED,
    (State.BROKEN, Event.TREE_ENDED): State.BROKEN,
    (State.BROKEN, Event.RESET): State.STARTING,
    (State.BROKEN, Event.DESTROYED): State.DESTROYED,
    (State.DESTROYED, Event.TREE_ENDED): State.DESTROYED,
    (State.DESTROYED, Event.DESTROYED): State.DESTROYED,
}


class InvalidTransitionError(Exception):
    """The pool asked something of a sandbox that its state does not allow: our own mistake.

    Attributes:
        story: Every event of the sandbox's life, in order.
    """

    def __init__(self, state: State, event: Event, story: tuple[Event, ...]) -> None:
        told = ", ".join(each.value for each in story) or "nothing"
        super().__init__(
            f"a sandbox that is {state.value} cannot be {event.value} (so far: {told})"
        )
        self.story = story


class Lifecycle:
    """One sandbox's state, with the story that led to it."""

    STORY_LENGTH_MAX = 64

    def __init__(self) -> None:
        self.state = State.STARTING
        self._story: list[Event] = []

    def apply(self, event: Event) -> State:
        """Move to the next state.

        Raises:
            InvalidTransitionError: the table has no such move.
        """
        following = TRANSITIONS.get((self.state, event))
        if following is None:
            raise InvalidTransitionError(self.state, event, tuple(self._story))
        self._story = [*self._story[1 - self.STORY_LENGTH_MAX :], event]
        self.state = following
        return following
