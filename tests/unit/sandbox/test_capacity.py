"""A host's budgets."""

from __future__ import annotations

from dataclasses import replace

from sandbox.capacity import UNKNOWN_CHARGE_BYTES, Capacity
from sandbox.sharing import Sharing
from sandbox.spec import MIB


def test_an_unknown_revision_is_charged_thirty_two_megabytes():
    capacity = Capacity(memory_bytes=64 * MIB, sandboxes_max=10)
    capacity.charge("sb-1", "rev-a")
    assert capacity.charged_bytes == UNKNOWN_CHARGE_BYTES
    assert capacity.fits("rev-a")
    capacity.charge("sb-2", "rev-a")
    assert not capacity.fits("rev-a")


def test_a_measured_peak_replaces_the_guess_for_it_and_for_those_to_come():
    capacity = Capacity(memory_bytes=300 * MIB, sandboxes_max=10)
    capacity.charge("sb-1", "rev-a")
    capacity.measured("sb-1", "rev-a", 200 * MIB)
    assert capacity.charged_bytes == 200 * MIB
    assert not capacity.fits("rev-a")
    assert capacity.fits("rev-b")


def test_starts_that_wait_count_as_if_they_had_begun():
    capacity = Capacity(memory_bytes=96 * MIB, sandboxes_max=10)
    assert capacity.fits("rev-a", waiting=2)
    assert not capacity.fits("rev-a", waiting=3)


def test_released_room_can_be_used_again():
    capacity = Capacity(memory_bytes=32 * MIB, sandboxes_max=10)
    capacity.charge("sb-1", "rev-a")
    capacity.release("sb-1")
    capacity.release("sb-1")
    assert capacity.fits("rev-a")


def test_the_number_of_sandboxes_is_a_limit_of_its_own():
    capacity = Capacity(memory_bytes=1024 * MIB, sandboxes_max=1)
    capacity.charge("sb-1", "rev-a")
    assert not capacity.fits("rev-b")
    assert "1 of 1 sandboxes" in capacity.describe()


WORKER = Sharing(worker_bytes=30 * MIB, seat_bytes=1 * MIB, places=10, cores=1)


def seated(count: int, *, sharing: Sharing = WORKER, memory_mb: int = 1024) -> Capacity:
    """A host on which so many seats of one function stand."""
    capacity = Capacity(memory_bytes=memory_mb * MIB, sandboxes_max=1_000)
    for number in range(count):
        capacity.charge(f"sb-{number}", "rev-a")
        capacity.measured(f"sb-{number}", "rev-a", 5 * MIB, sharing)
    return capacity


def test_seats_are_charged_for_as_many_workers_as_they_need():
    assert seated(1).charged_bytes == 31 * MIB
    assert seated(10).charged_bytes == 40 * MIB
    assert seated(11).charged_bytes == 71 * MIB


def test_seats_are_charged_as_seats_before_anything_is_measured_of_them():
    supposed = Sharing.unknown(places=32, cores=2)
    capacity = Capacity(memory_bytes=20 * 1024 * MIB, sandboxes_max=2_000)
    capacity.suppose("rev-a", supposed)
    for number in range(1_000):
        assert capacity.fits("rev-a")
        capacity.charge(f"sb-{number}", "rev-a")
    assert capacity.charged_bytes == supposed.bytes_for(1_000)
    capacity.measured("sb-0", "rev-a", 5 * MIB, WORKER)
    assert capacity.charged_bytes == WORKER.bytes_for(1_000)
    capacity.suppose("rev-a", supposed)
    assert capacity.charged_bytes == WORKER.bytes_for(1_000)


def test_a_few_seats_are_shared_out_to_a_worker_for_each_core():
    many_cores = replace(WORKER, cores=4)
    assert seated(4, sharing=many_cores).charged_bytes == 34 * MIB
    assert seated(5, sharing=many_cores).charged_bytes == 65 * MIB


def test_seats_that_wait_count_with_the_workers_that_they_will_need():
    capacity = seated(1, memory_mb=71)
    assert capacity.fits("rev-a", waiting=9)
    assert not capacity.fits("rev-a", waiting=10)


def test_a_seat_that_is_given_up_takes_its_part_along():
    capacity = seated(11)
    capacity.release("sb-3")
    capacity.release("sb-3")
    assert capacity.charged_bytes == 40 * MIB
    assert capacity.sandboxes == 10


def test_seats_in_flight_count_although_their_revision_was_retired():
    capacity = seated(2)
    capacity.forget("rev-a")
    assert capacity.charged_bytes == 32 * MIB
