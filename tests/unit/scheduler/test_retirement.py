"""Revisions that no new invocation will ask for, and what memory is kept of anything."""

from __future__ import annotations

from controlplane.scheduler import PoolChanged, RetireOn, RevisionRetired
from controlplane.scheduler.host import ARTIFACTS_MAX
from controlplane.scheduler.peaks import UNKNOWN_BYTES, UNKNOWN_SHARED_BYTES, WINDOW, Peaks
from controlplane.scheduler.scheduler import RETIRED_MAX
from tests.unit.scheduler.playing import MIB, Play


def retire(play: Play, revision_id: str = "rev-f") -> list[str]:
    commands = play.tell(RevisionRetired(now_s=play.now_s, revision_id=revision_id))
    assert all(isinstance(each, RetireOn) and each.revision_id == revision_id for each in commands)
    return sorted(each.host_id for each in commands if isinstance(each, RetireOn))


def test_every_host_is_told_of_a_retirement(play: Play) -> None:
    play.attach("a", idle={"rev-f": 1})
    play.attach("b")
    assert retire(play) == ["a", "b"]


def test_what_still_runs_of_a_retired_revision_leaves_no_warm_sandbox(play: Play) -> None:
    play.attach("a", memory_mib=64)
    place = play.place()
    retire(play)
    play.end(place, kept=True, peak_mib=500)
    play.tell(PoolChanged(now_s=0, host_id="a", revision_id="rev-f", idle=1))
    play.attach("b", memory_mib=4096)
    assert play.place("f", artifact="new").host_id == "b"


def test_a_change_that_is_taken_back_revives_its_revision(play: Play) -> None:
    play.attach("a", memory_mib=64)
    retire(play)
    play.end(play.place(), kept=True)
    play.attach("b", memory_mib=4096)
    assert play.place().host_id == "a"


def test_only_so_many_retired_revisions_are_remembered(play: Play) -> None:
    handle = play.scheduler.handle
    for number in range(RETIRED_MAX + 1):
        handle(RevisionRetired(now_s=0, revision_id=f"rev-{number}"))
    commands = play.attach("a", idle={"rev-0": 1, "rev-1": 1})
    assert commands == [RetireOn(host_id="a", revision_id="rev-1")]


def test_only_so_many_packages_are_remembered_of_a_host(play: Play) -> None:
    known = tuple(f"code-{number}" for number in range(ARTIFACTS_MAX))
    play.attach("a", memory_mib=64, artifacts=known)
    play.end(play.place("new"), kept=False)
    (host,) = play.scheduler._fleet
    assert len(host.artifacts) == ARTIFACTS_MAX
    assert "code-new" in host.artifacts


def test_nothing_is_kept_of_what_has_ended(play: Play) -> None:
    play.attach("a", memory_mib=4096)
    places = [play.place(f"f{number}") for number in range(50)]
    for place in places:
        play.end(place, kept=False)
    scheduler = play.scheduler
    assert scheduler.running == 0
    assert scheduler._concurrency.by_function == {}
    assert scheduler._ledger._open == {}
    (host,) = scheduler._fleet
    assert (host.in_flight, host.revisions, host.idle, host.charged_bytes) == ({}, {}, {}, 0)


def test_a_peak_is_the_highest_of_the_recent_ones() -> None:
    peaks = Peaks()
    assert peaks.charge_of("r") == UNKNOWN_BYTES
    assert peaks.charge_of("r", "wasm") == UNKNOWN_SHARED_BYTES < UNKNOWN_BYTES
    peaks.measured("r", 0)
    assert peaks.charge_of("r") == UNKNOWN_BYTES
    peaks.measured("r", 10 * MIB)
    peaks.measured("r", 90 * MIB)
    peaks.measured("r", 10 * MIB)
    assert peaks.charge_of("r") == 90 * MIB


def test_a_greedy_event_is_forgotten_after_a_while() -> None:
    peaks = Peaks()
    peaks.measured("r", 90 * MIB)
    for _ in range(2 * WINDOW - 1):
        peaks.measured("r", 10 * MIB)
        assert peaks.charge_of("r") == 90 * MIB
    peaks.measured("r", 10 * MIB)
    assert peaks.charge_of("r") == 10 * MIB


def test_the_peak_of_a_retired_revision_is_forgotten() -> None:
    peaks = Peaks()
    peaks.measured("r", 90 * MIB)
    peaks.forget("r")
    peaks.forget("r")
    assert len(peaks) == 0
