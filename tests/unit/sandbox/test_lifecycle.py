"""A sandbox's life: what may follow what."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.lifecycle import TRANSITIONS, Event, InvalidTransitionError, Lifecycle, State


def test_a_warm_sandbox_goes_from_idle_to_busy_and_back():
    life = Lifecycle()
    life.apply(Event.INITIALISED)
    for _ in range(3):
        assert life.apply(Event.ASSIGNED) is State.BUSY
        assert life.apply(Event.RELEASED) is State.IDLE


def test_a_broken_sandbox_takes_no_event_before_its_reset():
    life = Lifecycle()
    life.apply(Event.TREE_ENDED)
    with pytest.raises(InvalidTransitionError, match="broken cannot be assigned"):
        life.apply(Event.ASSIGNED)
    assert life.apply(Event.RESET) is State.STARTING


def test_an_impossible_move_tells_the_story_that_led_to_it():
    life = Lifecycle()
    life.apply(Event.INITIALISED)
    with pytest.raises(InvalidTransitionError, match="so far: initialised") as caught:
        life.apply(Event.RELEASED)
    assert caught.value.story == (Event.INITIALISED,)


@given(st.lists(st.sampled_from(Event), max_size=200))
def test_whatever_happens_destroyed_is_the_end(events: list[Event]):
    life = Lifecycle()
    for event in events:
        before = life.state
        try:
            life.apply(event)
        except InvalidTransitionError:
            assert (before, event) not in TRANSITIONS
            assert life.state is before
        if before is State.DESTROYED:
            assert life.state is State.DESTROYED


def test_every_state_can_be_left_by_destroying_it():
    assert all((state, Event.DESTROYED) in TRANSITIONS for state in State)
