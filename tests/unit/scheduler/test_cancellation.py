"""Callers that hang up. What runs goes on, as on Lambda, and counts until its end."""

from __future__ import annotations

from controlplane.scheduler import CancelOn, RefusalReason, Scheduler, Throttle
from controlplane.scheduler.ledger import ABANDONED_S
from tests.unit.scheduler.playing import Play


def test_the_host_is_told_once(play: Play) -> None:
    play.attach("h")
    place = play.place()
    assert play.cancel(place) == [CancelOn(host_id="h", invocation_id=place.invocation_id)]
    assert play.cancel(place) == []


def test_hanging_up_does_not_get_around_the_limits() -> None:
    play = Play(Scheduler(account_limit=1))
    play.attach("h")
    place = play.place()
    play.cancel(place)
    assert isinstance(play.arrive(), Throttle)
    play.end(place)
    play.place()


def test_its_sandbox_is_warm_when_it_ends(play: Play) -> None:
    play.attach("a", memory_mib=64)
    place = play.place()
    play.cancel(place)
    play.attach("b", memory_mib=4096)
    play.end(place, kept=True)
    assert play.place().host_id == "a"


def test_one_that_is_refused_is_not_tried_elsewhere(play: Play) -> None:
    play.attach("a")
    play.attach("b")
    place = play.place()
    play.cancel(place)
    assert play.refuse(place, RefusalReason.BUSY) == []
    assert play.scheduler.running == 0


def test_nobody_is_told_when_its_host_is_lost(play: Play) -> None:
    play.attach("h")
    play.cancel(play.place())
    assert play.lose("h") == []
    assert play.scheduler.running == 0


def test_one_that_never_ends_counts_no_longer_than_it_can_run(play: Play) -> None:
    play.attach("h")
    first, second = play.place(), play.place()
    waited_for = play.place()
    play.cancel(first)
    play.now_s = 100.0
    play.cancel(second)
    play.now_s = ABANDONED_S
    play.report("h", charged_mib=0)
    assert play.scheduler.running == 2
    play.now_s = ABANDONED_S + 100.0
    play.report("h", charged_mib=0)
    assert play.scheduler.running == 1
    play.end(waited_for)


def test_a_cancellation_after_the_end_is_ignored(play: Play) -> None:
    play.attach("h")
    place = play.place()
    play.end(place)
    assert play.cancel(place) == []
