"""Hosts that go, come back, and speak with an authority that is over."""

from __future__ import annotations

from controlplane.scheduler import Fail, FailReason, RetireOn, RevisionRetired
from tests.unit.scheduler.playing import Play


def test_everything_that_ran_on_a_lost_host_fails_once(play: Play) -> None:
    play.attach("a")
    places = [play.place() for _ in range(3)]
    play.attach("b")
    commands = play.lose("a")
    assert [type(each) for each in commands] == [Fail] * 3
    assert {each.invocation_id for each in commands if isinstance(each, Fail)} == {
        each.invocation_id for each in places
    }
    assert set(play.endings.values()) == {FailReason.HOST_LOST.value}
    assert play.lose("a") == []
    assert play.scheduler.running == 0


def test_the_caller_is_told_that_the_function_may_have_run(play: Play) -> None:
    play.attach("a")
    play.place()
    (command,) = play.lose("a")
    assert isinstance(command, Fail)
    assert "the function may have run" in command.message


def test_a_lost_host_gets_nothing_and_its_warm_sandboxes_are_gone(play: Play) -> None:
    play.attach("a", memory_mib=4096, idle={"rev-f": 3})
    play.attach("b", memory_mib=64)
    play.lose("a")
    assert play.place().host_id == "b"


def test_a_result_that_arrives_after_the_loss_changes_nothing(play: Play) -> None:
    play.attach("a")
    place = play.place()
    play.lose("a")
    play.attach("a", epoch=2)
    assert play.endings[place.invocation_id] == "HOST_LOST"
    play.end(place, kept=True)
    assert play.scheduler.running == 0


def test_the_loss_of_an_older_epoch_does_not_touch_the_new_one(play: Play) -> None:
    play.attach("a", epoch=1)
    play.attach("a", epoch=2)
    play.place()
    assert play.lose("a", epoch=1) == []
    assert play.scheduler.running == 1


def test_a_host_that_attaches_anew_ends_what_ran_in_its_older_life(play: Play) -> None:
    play.attach("a", epoch=1)
    place = play.place()
    (command,) = play.attach("a", epoch=2)
    assert isinstance(command, Fail)
    assert command.invocation_id == place.invocation_id
    assert play.place().epoch == 2


def test_a_host_that_reconnects_under_the_same_epoch_is_attached_anew(play: Play) -> None:
    play.attach("a", epoch=1)
    place = play.place()
    (command,) = play.attach("a", epoch=1, idle={"rev-f": 1})
    assert isinstance(command, Fail)
    assert command.invocation_id == place.invocation_id
    assert play.place().host_id == "a"


def test_an_attach_of_an_older_epoch_is_ignored(play: Play) -> None:
    play.attach("a", epoch=2, memory_mib=64)
    play.place()
    assert play.attach("a", epoch=1, memory_mib=4096) == []
    assert play.scheduler.running == 1
    assert play.place().epoch == 2


def test_a_host_comes_back_with_its_warm_sandboxes(play: Play) -> None:
    play.attach("a", memory_mib=64)
    play.attach("b", memory_mib=4096)
    play.lose("a")
    play.attach("a", memory_mib=64, idle={"rev-f": 1, "rev-g": 0})
    assert play.place("f").host_id == "a"
    assert play.place("g").host_id == "b"


def test_a_host_that_missed_a_retirement_is_told_when_it_comes_back(play: Play) -> None:
    play.attach("a", idle={"rev-f": 1})
    play.lose("a")
    play.tell(RevisionRetired(now_s=0, revision_id="rev-f"))
    commands = play.attach("a", idle={"rev-f": 1, "rev-g": 1})
    assert commands == [RetireOn(host_id="a", revision_id="rev-f")]
