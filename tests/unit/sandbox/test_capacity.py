"""A host's budgets."""

from __future__ import annotations

from sandbox.capacity import UNKNOWN_CHARGE_BYTES, Capacity
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
