"""What a host can take: sandboxes, memory, and a bounded wait behind busy ones."""

from __future__ import annotations

import pytest

from controlplane.scheduler import Place, Scheduler, Throttle, ThrottleReason
from tests.unit.scheduler.playing import Play


def placed(play: Play, function: str, count: int) -> list[Place]:
    return [play.place(function) for _ in range(count)]


def test_a_host_takes_no_more_sandboxes_than_it_may_have(play: Play) -> None:
    play.attach("a", sandboxes=2, artifacts=("code-f",))
    play.attach("b", sandboxes=100)
    assert [each.host_id for each in placed(play, "f", 3)] == ["a", "a", "b"]


def test_an_unknown_revision_is_charged_32_mib(play: Play) -> None:
    play.attach("a", memory_mib=95, artifacts=("code-f",))
    play.attach("b", memory_mib=1024)
    assert [each.host_id for each in placed(play, "f", 3)] == ["a", "a", "b"]


def test_a_measured_peak_takes_the_place_of_the_guess(play: Play) -> None:
    play.attach("a", memory_mib=100, artifacts=("code-f",))
    play.end(play.place(), kept=False, peak_mib=60)
    play.attach("b", memory_mib=1024)
    assert [each.host_id for each in placed(play, "f", 2)] == ["a", "b"]


def test_idle_sandboxes_of_others_make_room(play: Play) -> None:
    play.attach("h", memory_mib=64, sandboxes=2, idle={"rev-other": 2})
    placed(play, "f", 2)


def test_memory_is_free_again_when_an_attempt_ends(play: Play) -> None:
    play.attach("h", memory_mib=32)
    play.end(play.place("f"))
    play.place("g")


def test_a_full_host_queues_what_may_get_a_busy_sandbox(play: Play) -> None:
    play.attach("h", sandboxes=2)
    assert [each.host_id for each in placed(play, "f", 5)] == ["h"] * 5


def test_a_full_host_does_not_queue_for_a_revision_that_does_not_run_there(play: Play) -> None:
    play.attach("h", sandboxes=2)
    placed(play, "f", 2)
    command = play.arrive("g")
    assert isinstance(command, Throttle)
    assert command.reason is ThrottleReason.CONCURRENT_INVOCATION_LIMIT_EXCEEDED
    assert "every host that offers python3.12 is full" in command.message


@pytest.mark.parametrize("full_of", [{"sandboxes": 2}, {"memory_mib": 64}])
def test_the_queue_of_a_host_is_bounded(full_of: dict[str, int]) -> None:
    play = Play(Scheduler(queue_max=3))
    play.attach("h", **full_of)  # type: ignore[arg-type]  # only ints are in it
    placed(play, "f", 5)
    assert isinstance(play.arrive("f"), Throttle)


def test_the_queue_moves_when_an_attempt_ends() -> None:
    play = Play(Scheduler(queue_max=1))
    play.attach("h", sandboxes=1)
    running, _ = placed(play, "f", 2)
    assert isinstance(play.arrive("f"), Throttle)
    play.end(running)
    play.place("f")


def test_of_two_queues_the_less_loaded_host_is_taken(play: Play) -> None:
    play.attach("a", sandboxes=2, cores=1)
    play.attach("b", sandboxes=2, cores=4)
    placed(play, "f", 4)
    assert [each.host_id for each in placed(play, "f", 3)] == ["b", "b", "b"]


def test_a_sandbox_that_goes_to_a_waiter_is_not_idle(play: Play) -> None:
    play.attach("a", sandboxes=1)
    running, _waiting = placed(play, "f", 2)
    play.attach("b", sandboxes=1)
    play.end(running, kept=True)
    # Were the sandbox counted as idle, the next one would be sent to a.
    assert play.place("f").host_id == "b"


def test_a_sandbox_is_idle_when_those_in_flight_all_have_their_own(play: Play) -> None:
    play.attach("a", sandboxes=2, memory_mib=64)
    first, _second = placed(play, "f", 2)
    play.attach("b", memory_mib=4096)
    play.end(first, kept=True)
    assert play.place("f").host_id == "a"


def test_idle_sandboxes_that_a_host_brings_count_against_its_room(play: Play) -> None:
    play.attach("a", memory_mib=1000, idle={"rev-g": 10})
    play.attach("b", memory_mib=900)
    assert play.place("f").host_id == "b"
