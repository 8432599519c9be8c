"""How long to wait before a dead program is started again."""

from __future__ import annotations

from emberd.wire.backoff import Backoff


def test_the_wait_doubles_from_a_tenth_of_a_second_to_five_seconds() -> None:
    backoff = Backoff()
    waits = [backoff.after(life_s=0.0) for _ in range(8)]
    assert waits == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0]


def test_a_steady_life_makes_the_next_wait_short_again() -> None:
    backoff = Backoff()
    for _ in range(5):
        backoff.after(life_s=0.0)
    assert backoff.after(life_s=Backoff.STEADY_S) == 0.1
    assert backoff.after(life_s=0.0) == 0.2
