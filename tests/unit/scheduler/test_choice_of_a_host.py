"""Which host gets an invocation when several could take it."""

from __future__ import annotations

from controlplane.scheduler import HostDraining, PoolChanged
from tests.unit.scheduler.playing import Play


def test_an_idle_warm_sandbox_wins_over_package_and_room(play: Play) -> None:
    play.attach("small", memory_mib=64, idle={"rev-f": 1})
    play.attach("large", memory_mib=4096, artifacts=("code-f",))
    assert play.place().host_id == "small"


def test_a_function_runs_on_hosts_of_its_architecture_only(play: Play) -> None:
    play.attach("intel", memory_mib=4096)
    play.attach("arm", memory_mib=64, architecture="arm64")
    assert play.place("f", architecture="arm64").host_id == "arm"
    assert play.place("g").host_id == "intel"


def test_a_function_of_a_network_runs_on_hosts_that_offer_it_only(play: Play) -> None:
    play.attach("large", memory_mib=4096)
    play.attach("small", memory_mib=64, networks=("db",))
    assert play.place("f", network="db").host_id == "small"
    assert play.place("f", network="db", revision="rev-2").host_id == "small"
    assert play.place("g", network="none").host_id == "large"
    assert play.place("h").host_id == "large"


def test_an_idle_sandbox_of_another_revision_is_not_warm(play: Play) -> None:
    play.attach("small", memory_mib=64, idle={"rev-f": 1})
    play.attach("large", memory_mib=4096)
    assert play.place("g").host_id == "large"


def test_of_two_warm_hosts_the_one_used_last_is_chosen(play: Play) -> None:
    play.attach("a", idle={"rev-f": 2})
    play.attach("b", idle={"rev-f": 2})
    first = play.place()
    second = play.place()
    third = play.place()
    assert (first.host_id, third.host_id) == ("b", "a")
    play.end(second)
    play.end(third)
    assert play.place().host_id == third.host_id


def test_each_idle_sandbox_is_promised_once(play: Play) -> None:
    play.attach("warm", memory_mib=64, idle={"rev-f": 2})
    play.attach("roomy", memory_mib=4096)
    assert [play.place().host_id for _ in range(3)] == ["warm", "warm", "roomy"]


def test_a_kept_sandbox_is_warm_for_the_next_invocation(play: Play) -> None:
    play.attach("small", memory_mib=64)
    place = play.place()
    play.attach("large", memory_mib=4096)
    play.end(place, kept=True)
    assert play.place().host_id == "small"


def test_a_sandbox_that_was_not_kept_is_not_warm(play: Play) -> None:
    play.attach("small", memory_mib=64)
    place = play.place(artifact="other")
    play.attach("large", memory_mib=4096)
    play.end(place, kept=False)
    assert play.place().host_id == "large"


def test_the_hosts_own_count_of_idle_sandboxes_replaces_ours(play: Play) -> None:
    play.attach("small", memory_mib=64, idle={"rev-f": 5})
    play.attach("large", memory_mib=4096)
    play.tell(PoolChanged(now_s=0, host_id="small", revision_id="rev-f", idle=0))
    assert play.place().host_id == "large"
    play.tell(PoolChanged(now_s=0, host_id="small", revision_id="rev-f", idle=1))
    assert play.place().host_id == "small"


def test_a_host_that_has_the_package_wins_over_one_with_more_room(play: Play) -> None:
    play.attach("small", memory_mib=64, artifacts=("code-f",))
    play.attach("large", memory_mib=4096)
    assert play.place().host_id == "small"


def test_a_host_that_ran_the_package_has_it(play: Play) -> None:
    play.attach("small", memory_mib=64)
    place = play.place()
    play.attach("large", memory_mib=4096)
    play.end(place, kept=False)
    assert play.place().host_id == "small"


def test_without_package_and_warm_sandbox_most_room_wins(play: Play) -> None:
    play.attach("small", memory_mib=512)
    play.attach("large", memory_mib=1024)
    assert play.place().host_id == "large"


def test_room_is_what_the_host_reported_less_what_was_promised_since(play: Play) -> None:
    play.attach("a", memory_mib=1000)
    play.attach("b", memory_mib=1000)
    play.report("a", charged_mib=100)
    play.report("b", charged_mib=40)
    # b has 60 MiB more; the second start there leaves it 4 MiB behind.
    assert [play.place(f"f{n}").host_id for n in range(3)] == ["b", "b", "a"]


def test_a_report_settles_what_was_promised(play: Play) -> None:
    play.attach("a", memory_mib=1000)
    play.attach("b", memory_mib=990)
    assert play.place("f1").host_id == "a"
    play.report("a", charged_mib=5)
    assert play.place("f2").host_id == "a"


def test_equal_hosts_are_taken_in_order_of_their_ids(play: Play) -> None:
    play.attach("b")
    play.attach("a")
    assert play.place().host_id == "a"


def test_a_crowded_host_is_passed_over_even_if_it_has_the_package(play: Play) -> None:
    play.attach("crowded", cores=1, artifacts=("code-f",))
    play.attach("free", cores=1)
    hosts = [play.place().host_id for _ in range(6)]
    assert hosts == ["crowded"] * 4 + ["free"] * 2


def test_when_all_are_crowded_the_package_counts_again(play: Play) -> None:
    play.attach("a", cores=1, artifacts=("code-f",))
    play.attach("b", cores=1)
    hosts = [play.place().host_id for _ in range(10)]
    assert hosts == ["a"] * 4 + ["b"] * 4 + ["a"] * 2


def test_only_hosts_with_the_runtime_are_asked(play: Play) -> None:
    play.attach("large", memory_mib=4096)
    play.attach("small", memory_mib=64, runtimes=("nodejs22.x",))
    assert play.place(runtime="nodejs22.x").host_id == "small"


def test_a_draining_host_gets_nothing_warm_or_cold(play: Play) -> None:
    play.attach("leaving", memory_mib=4096, idle={"rev-f": 1})
    play.attach("staying", memory_mib=64)
    busy = play.place("g")
    play.tell(HostDraining(now_s=0, host_id="leaving"))
    assert busy.host_id == "leaving"
    assert play.place("f").host_id == "staying"
    play.end(busy, kept=True)
    assert play.place("g").host_id == "staying"


def test_a_pool_that_changes_on_a_draining_host_changes_nothing(play: Play) -> None:
    play.attach("leaving", memory_mib=4096)
    play.attach("staying", memory_mib=64)
    play.tell(HostDraining(now_s=0, host_id="leaving"))
    play.tell(PoolChanged(now_s=0, host_id="leaving", revision_id="rev-f", idle=3))
    assert play.place().host_id == "staying"


def test_news_of_unknown_hosts_changes_nothing(play: Play) -> None:
    play.attach("h")
    play.tell(HostDraining(now_s=0, host_id="stranger"))
    play.tell(PoolChanged(now_s=0, host_id="stranger", revision_id="rev-f", idle=3))
    play.report("stranger", charged_mib=1)
    assert play.lose("stranger") == []
    assert play.place().host_id == "h"


def test_the_queue_time_is_part_of_the_order(play: Play) -> None:
    play.attach("h", epoch=7)
    place = play.place()
    assert place.queue_timeout_s == 20.0
    assert place.epoch == 7
