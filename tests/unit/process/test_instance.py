"""Names, locks and uid ranges of hosts that share a machine."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sandbox.process.instance import Instance, StateInUseError, UidRanges, take_lock

IDS = 65_536


def test_the_same_folder_has_the_same_names_in_every_life(tmp_path: Path) -> None:
    first, again = Instance(state=tmp_path), Instance(state=tmp_path / "x" / "..")
    assert (first.name, first.agent_id) == (again.name, again.agent_id)
    assert first.name.startswith("emberd-")


def test_ranges_of_two_hosts_never_overlap(tmp_path: Path) -> None:
    one, other = UidRanges(tmp_path), UidRanges(tmp_path)
    taken = [ranges.take() for _ in range(100) for ranges in (one, other)]
    assert len(set(taken)) == 200
    assert all(first % IDS == 0 for first in taken)
    one.close()
    other.close()


def test_a_range_given_back_is_used_again(tmp_path: Path) -> None:
    ranges = UidRanges(tmp_path)
    first = ranges.take()
    ranges.give_back(first)
    assert ranges.take() == first
    ranges.close()


def test_sandbox_ids_stay_clear_of_daemons_and_of_ordinary_users(tmp_path: Path) -> None:
    ranges = UidRanges(tmp_path)
    taken = [ranges.take() for _ in range(64)]
    assert min(taken) > 0x6FFF_FFFF
    assert max(taken) + IDS <= Instance(state=tmp_path).agent_id
    assert Instance(state=tmp_path).agent_id < 1 << 31
    ranges.close()


def test_a_folder_is_held_by_one_host_and_freed_with_its_descriptor(tmp_path: Path) -> None:
    held = take_lock(tmp_path, wait_s=0)
    with pytest.raises(StateInUseError, match="in use by another"):
        take_lock(tmp_path, wait_s=0)
    assert not os.get_inheritable(held)
    os.close(held)
    os.close(take_lock(tmp_path, wait_s=0))
