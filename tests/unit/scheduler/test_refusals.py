"""What happens when a host hands an attempt back."""

from __future__ import annotations

import pytest

from controlplane.scheduler import (
    Fail,
    FailReason,
    Place,
    PoolChanged,
    RefusalReason,
    Scheduler,
    Throttle,
    ThrottleReason,
)
from tests.unit.scheduler.playing import Play

ROOM = [RefusalReason.MEMORY, RefusalReason.BUSY, RefusalReason.DISK]


def refused(play: Play, place: Place, reason: RefusalReason, message: str = "no") -> Place:
    (command,) = play.refuse(place, reason, message)
    assert isinstance(command, Place), command
    return command


@pytest.mark.parametrize("reason", list(RefusalReason))
def test_a_refused_attempt_goes_to_a_host_that_was_not_asked_yet(
    play: Play, reason: RefusalReason
) -> None:
    play.attach("a")
    play.attach("b")
    second = refused(play, play.place(), reason)
    assert second.host_id == "b"


def test_a_refused_attempt_finds_a_warm_sandbox_elsewhere(play: Play) -> None:
    play.attach("c", memory_mib=4096)
    play.attach("a", idle={"rev-f": 1})
    play.attach("b", idle={"rev-f": 1})
    first = play.place()
    second = refused(play, first, RefusalReason.BUSY)
    assert {first.host_id, second.host_id} == {"a", "b"}
    assert refused(play, second, RefusalReason.BUSY).host_id == "c"


def test_a_host_that_refused_is_passed_over_though_it_says_it_is_warm(play: Play) -> None:
    play.attach("a")
    first = play.place()
    play.attach("b")
    second = refused(play, first, RefusalReason.BUSY)
    play.tell(PoolChanged(now_s=0, host_id="a", revision_id="rev-f", idle=1))
    (command,) = play.refuse(second, RefusalReason.BUSY)
    assert isinstance(command, Throttle)


@pytest.mark.parametrize("reason", ROOM)
def test_when_every_host_lacks_room_it_is_throttled_and_told_why(
    play: Play, reason: RefusalReason
) -> None:
    play.attach("a")
    play.attach("b")
    second = refused(play, play.place(), reason, "the first says no")
    (command,) = play.refuse(second, reason, "the second says no")
    assert isinstance(command, Throttle)
    assert command.reason is ThrottleReason.CONCURRENT_INVOCATION_LIMIT_EXCEEDED
    assert f"host a ({reason.value}): the first says no" in command.message
    assert f"host b ({reason.value}): the second says no" in command.message
    assert play.scheduler.running == 0


def test_when_no_host_can_start_it_it_fails_with_what_they_said(play: Play) -> None:
    play.attach("a")
    play.attach("b")
    second = refused(play, play.place(), RefusalReason.START_FAILED, "bad zip")
    (command,) = play.refuse(second, RefusalReason.START_FAILED, "bad zip too")
    assert isinstance(command, Fail)
    assert command.reason is FailReason.START_FAILED
    assert "host a (start failed): bad zip; host b (start failed): bad zip too" in command.message


def test_after_three_failed_starts_no_other_host_is_bothered(play: Play) -> None:
    for name in "abcd":
        play.attach(name)
    place = refused(play, play.place(), RefusalReason.START_FAILED)
    place = refused(play, place, RefusalReason.START_FAILED)
    (command,) = play.refuse(place, RefusalReason.START_FAILED)
    assert isinstance(command, Fail)
    assert command.reason is FailReason.START_FAILED


def test_a_failed_start_beside_a_full_host_is_a_lack_of_room(play: Play) -> None:
    play.attach("a", sandboxes=1)
    play.place("g")
    play.attach("b")
    (command,) = play.refuse(play.place("f"), RefusalReason.START_FAILED, "bad zip")
    assert isinstance(command, Throttle)
    assert "bad zip" in command.message


def test_a_host_that_lost_the_runtime_is_not_asked_for_it_again(play: Play) -> None:
    play.attach("a", memory_mib=4096)
    play.attach("b", memory_mib=64)
    assert refused(play, play.place("f"), RefusalReason.RUNTIME).host_id == "b"
    assert play.place("g").host_id == "b"


def test_a_runtime_that_nobody_has_is_named_with_those_that_are_there(play: Play) -> None:
    play.attach("a", runtimes=("python3.12", "python3.13"))
    command = play.arrive(runtime="python3.9")
    assert isinstance(command, Fail)
    assert command.reason is FailReason.RUNTIME_UNAVAILABLE
    assert "python3.9" in command.message
    assert "the hosts offer python3.12, python3.13" in command.message


def test_an_architecture_that_nobody_has_is_named_with_those_that_are_there(play: Play) -> None:
    play.attach("a")
    command = play.arrive(architecture="arm64")
    assert isinstance(command, Fail)
    assert command.reason is FailReason.RUNTIME_UNAVAILABLE
    assert "no host has the architecture arm64" in command.message
    assert "the hosts have x86_64" in command.message


def test_a_network_that_no_host_with_the_runtime_has_is_named_with_those_that_are_there(
    play: Play,
) -> None:
    play.attach("a", networks=("cache",))
    play.attach("b", networks=("db",), runtimes=("python3.13",))
    command = play.arrive(network="db")
    assert isinstance(command, Fail)
    assert command.reason is FailReason.NETWORK_UNAVAILABLE
    assert "no host that offers python3.12 has the network db" in command.message
    assert "the hosts have cache, db, egress, none" in command.message


def test_a_function_fails_when_the_last_host_of_its_network_is_lost(play: Play) -> None:
    play.attach("a")
    play.attach("b", networks=("db",))
    play.end(play.place(network="db"))
    play.lose("b")
    command = play.arrive(network="db")
    assert isinstance(command, Fail)
    assert command.reason is FailReason.NETWORK_UNAVAILABLE


def test_a_full_host_of_the_network_is_a_throttle_and_no_failure(play: Play) -> None:
    play.attach("a")
    play.attach("b", networks=("db",), sandboxes=1)
    play.place("f", network="db")
    assert isinstance(play.arrive("g", network="db"), Throttle)


def test_without_any_host_it_fails_and_says_what_to_do(play: Play) -> None:
    command = play.arrive()
    assert isinstance(command, Fail)
    assert command.reason is FailReason.NO_HOST
    assert "emberd-host run" in command.message


def test_a_host_that_says_it_drains_gets_nothing_more(play: Play) -> None:
    play.attach("a", memory_mib=4096)
    play.attach("b", memory_mib=64)
    assert refused(play, play.place("f"), RefusalReason.DRAINING).host_id == "b"
    assert play.place("g").host_id == "b"


def test_when_the_only_host_drains_it_is_unavailable_and_not_throttled(play: Play) -> None:
    play.attach("a")
    (command,) = play.refuse(play.place(), RefusalReason.DRAINING)
    assert isinstance(command, Fail)
    assert command.reason is FailReason.NO_HOST


@pytest.mark.parametrize("reason", [RefusalReason.MEMORY, RefusalReason.DISK])
def test_a_full_host_is_passed_over_until_it_reports_again(
    play: Play, reason: RefusalReason
) -> None:
    play.attach("a", memory_mib=4096)
    play.attach("b", memory_mib=64)
    assert refused(play, play.place("f"), reason).host_id == "b"
    assert play.place("g").host_id == "b"
    play.report("a", charged_mib=0)
    assert play.place("h").host_id == "a"


def test_a_full_host_is_asked_again_once_something_ended_there(play: Play) -> None:
    play.attach("a", memory_mib=4096)
    running = play.place("e")
    play.attach("b", memory_mib=64)
    refused(play, play.place("f"), RefusalReason.MEMORY)
    play.end(running, kept=False)
    assert play.place("g").host_id == "a"


def test_a_refusal_says_that_there_is_no_idle_sandbox(play: Play) -> None:
    play.attach("a", memory_mib=64, idle={"rev-f": 3})
    play.attach("b", memory_mib=4096)
    refused(play, play.place(), RefusalReason.BUSY)
    assert play.place().host_id == "b"


def test_the_wait_is_one_for_all_hosts_together(play: Play) -> None:
    play.attach("a")
    play.attach("b")
    play.attach("c")
    first = play.place()
    play.now_s = 15.0
    second = refused(play, first, RefusalReason.BUSY)
    assert second.queue_timeout_s == 5.0
    play.now_s = 20.0
    (command,) = play.refuse(second, RefusalReason.BUSY, "20 s are over")
    assert isinstance(command, Throttle)
    assert "20 s are over" in command.message


def test_a_refusal_by_another_host_than_the_one_it_runs_on_is_ignored(play: Play) -> None:
    play.attach("a")
    play.attach("b")
    place = play.place()
    stranger = Place(invocation_id=place.invocation_id, host_id="b", epoch=1, queue_timeout_s=1.0)
    assert play.refuse(stranger, RefusalReason.BUSY) == []
    assert play.scheduler.running == 1


def test_a_late_refusal_of_an_invocation_that_ended_is_ignored() -> None:
    play = Play(Scheduler())
    play.attach("a")
    place = play.place()
    play.end(place)
    assert play.refuse(place, RefusalReason.BUSY) == []
