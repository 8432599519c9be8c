"""Lambda's limits: the account, a reservation, the scaling rate."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from controlplane.model.revision import ProvisionedSlots
from controlplane.scheduler import (
    Place,
    RefusalReason,
    ScaleRate,
    Scheduler,
    Throttle,
    ThrottleReason,
)
from tests.unit.scheduler.playing import Play


def throttled(
    play: Play,
    function: str = "f",
    *,
    reserved: int | None = None,
    provisioned: ProvisionedSlots | None = None,
) -> Throttle:
    command = play.arrive(function, reserved=reserved, provisioned=provisioned)
    assert isinstance(command, Throttle), command
    return command


def test_the_account_runs_1000_at_once_and_no_more() -> None:
    play = Play()
    play.attach("h", memory_mib=1024 * 1024, sandboxes=10_000)
    places = [play.place(f"f{n % 7}") for n in range(1_000)]
    refusal = throttled(play)
    assert refusal.reason is ThrottleReason.CONCURRENT_INVOCATION_LIMIT_EXCEEDED
    assert "1000 of its 1000" in refusal.message
    play.end(places[0])
    play.place()


def test_a_reservation_is_the_functions_own_limit(play: Play) -> None:
    play.attach("h")
    running = play.place("f", reserved=1)
    refusal = throttled(play, "f", reserved=1)
    assert refusal.reason is ThrottleReason.RESERVED_FUNCTION_CONCURRENT_INVOCATION_LIMIT_EXCEEDED
    assert "f runs 1 of its 1 reserved" in refusal.message
    play.place("g")
    play.end(running)
    play.place("f", reserved=1)


def test_a_reservation_of_nothing_stops_a_function(play: Play) -> None:
    play.attach("h")
    refusal = throttled(play, reserved=0)
    assert refusal.reason.value == "ReservedFunctionConcurrentInvocationLimitExceeded"


def test_a_reservation_counts_all_revisions_of_the_function(play: Play) -> None:
    play.attach("h")
    play.place("f", revision="rev-1", reserved=1)
    command = play.arrive("f", revision="rev-2", reserved=1)
    assert isinstance(command, Throttle)


def test_what_waits_on_a_host_counts_too() -> None:
    play = Play(Scheduler(account_limit=2))
    play.attach("h", sandboxes=1)
    play.place()
    play.place()
    throttled(play)


def test_what_is_reserved_for_others_is_not_given_away() -> None:
    claimed = 3
    scheduler = Scheduler(account_limit=5, claimed=lambda: claimed)
    assert scheduler.claimed == 3
    play = Play(scheduler)
    play.attach("h")
    play.place("f")
    last = play.place("f")
    assert scheduler.claimed == 3 + 2
    refusal = throttled(play, "g")
    assert refusal.reason is ThrottleReason.CONCURRENT_INVOCATION_LIMIT_EXCEEDED
    assert "2 of its 5 concurrent executions, 3 of them kept for single functions" in (
        refusal.message
    )
    for _ in range(3):
        play.place("r", reserved=3)
    throttled(play, "r", reserved=3)
    play.end(last)
    play.place("g")
    throttled(play, "f")


def test_a_reservation_made_while_the_account_is_full_waits_for_room() -> None:
    claimed = 0
    play = Play(Scheduler(account_limit=2, claimed=lambda: claimed))
    play.attach("h")
    first = play.place("f")
    play.place("f")
    claimed = 1
    refusal = throttled(play, "r", reserved=1)
    assert refusal.reason is ThrottleReason.CONCURRENT_INVOCATION_LIMIT_EXCEEDED
    play.end(first)
    play.place("r", reserved=1)


READY = ProvisionedSlots(qualifier="live", slots=1, function_slots=1)
NOT_HERE = ProvisionedSlots(qualifier="$LATEST", slots=0, function_slots=1)


def test_what_is_provisioned_for_one_version_is_not_given_to_another() -> None:
    play = Play()
    play.attach("h")
    refusal = throttled(play, reserved=1, provisioned=NOT_HERE)
    assert refusal.reason is ThrottleReason.RESERVED_FUNCTION_CONCURRENT_INVOCATION_LIMIT_EXCEEDED
    assert "0 of its 1 reserved concurrent executions, 1 of them provisioned" in refusal.message
    ready = play.place(reserved=1, provisioned=READY)
    throttled(play, reserved=1, provisioned=READY)
    play.end(ready)
    play.place(reserved=1, provisioned=READY)


def test_more_than_was_provisioned_spills_over_to_what_others_may_take() -> None:
    play = Play(Scheduler(account_limit=3, claimed=lambda: 1))
    play.attach("h")
    play.place(provisioned=READY)
    play.place(provisioned=READY)
    play.place(provisioned=NOT_HERE)
    throttled(play, provisioned=READY)


def test_provisioned_slots_are_there_when_the_rest_of_the_account_is_busy() -> None:
    play = Play(Scheduler(account_limit=2, claimed=lambda: 1))
    play.attach("h")
    play.place("g")
    throttled(play, "g")
    play.place(provisioned=READY)


def slow_scheduler() -> Scheduler:
    return Scheduler(scale_rate=ScaleRate(burst=2, period_s=10.0))


def test_a_function_grows_only_as_fast_as_the_scaling_rate() -> None:
    play = Play(slow_scheduler())
    play.attach("h")
    play.place()
    play.place()
    refusal = throttled(play)
    assert refusal.reason is ThrottleReason.FUNCTION_INVOCATION_RATE_LIMIT_EXCEEDED
    assert "2 new environments in 10 s" in refusal.message
    assert play.scheduler.running == 2
    play.place("g")
    play.now_s = 5.0
    play.place()


def test_a_warm_invocation_does_not_count_as_growth() -> None:
    play = Play(slow_scheduler())
    play.attach("h")
    for _ in range(10):
        play.end(play.place(), kept=True)


def test_waiting_for_a_busy_sandbox_does_not_count_as_growth() -> None:
    play = Play(slow_scheduler())
    play.attach("h", sandboxes=1)
    for _ in range(5):
        play.place()


def test_an_attempt_that_is_refused_pays_for_its_environment_once() -> None:
    play = Play(slow_scheduler())
    for name in "abc":
        play.attach(name)
    place = play.place()
    for _ in range(2):
        (command,) = play.refuse(place, RefusalReason.BUSY)
        assert isinstance(command, Place)
        place = command
    play.place()
    throttled(play)


def test_a_warm_attempt_that_is_refused_may_not_grow_past_the_rate() -> None:
    play = Play(slow_scheduler())
    play.attach("h", idle={"rev-f": 1})
    warm = play.place()
    play.place()
    play.place()
    play.attach("other")
    (command,) = play.refuse(warm, RefusalReason.BUSY)
    assert isinstance(command, Throttle)
    assert command.reason is ThrottleReason.FUNCTION_INVOCATION_RATE_LIMIT_EXCEEDED


def test_tokens_come_back_continuously_and_never_pile_up() -> None:
    rate = ScaleRate(burst=10, period_s=10.0)
    assert [rate.take("f", 0.0) for _ in range(11)] == [True] * 10 + [False]
    assert not rate.take("f", 0.5)
    assert rate.take("f", 1.5)
    assert not rate.take("f", 1.5)
    assert [rate.take("f", 100.0) for _ in range(11)] == [True] * 10 + [False]


def test_a_clock_that_stands_still_gives_no_tokens_back() -> None:
    rate = ScaleRate(burst=1, period_s=10.0)
    assert rate.take("f", 5.0)
    assert not rate.take("f", 5.0)
    assert not rate.take("f", 4.0)


def test_functions_that_stopped_growing_are_forgotten() -> None:
    rate = ScaleRate(burst=10, period_s=10.0)
    for number in range(100):
        rate.take(f"f{number}", number / 100)
    assert len(rate) == 100
    rate.take("again", 10.5)
    assert len(rate) == 50


@given(gaps_s=st.lists(st.floats(min_value=0.0, max_value=20.0), max_size=60))
def test_in_no_window_are_more_granted_than_a_burst_and_its_refill(gaps_s: list[float]) -> None:
    rate = ScaleRate(burst=5, period_s=10.0)
    now_s, granted_s = 0.0, []
    for gap_s in gaps_s:
        now_s += gap_s
        if rate.take("f", now_s):
            granted_s.append(now_s)
    for first, begin_s in enumerate(granted_s):
        for last in range(first, len(granted_s)):
            window_s = granted_s[last] - begin_s
            assert last - first + 1 <= 5 + window_s * 0.5 + 1e-6
