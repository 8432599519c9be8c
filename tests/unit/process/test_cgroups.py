"""Cgroup layouts are found from text, and limits written to the files of each layout."""

from __future__ import annotations

import gc
import weakref
from pathlib import Path

import pytest

from sandbox.process.cgroup_layout import CgroupError, Layout, find_layout
from sandbox.process.cgroups import Group, Tree, parse_oom_kills
from sandbox.process.loop import Loop
from sandbox.process.memory_watch import MemoryWatch
from sandbox.spec import MIB, Limits

V2 = "25 24 0:22 / {at} rw,relatime - cgroup2 cgroup2 rw,nsdelegate"
V1 = "30 24 0:27 / {at} rw,relatime shared:5 - cgroup cgroup rw,{names}"
LIMITS = Limits(memory_bytes=128 * MIB, cpu_millis=72, processes=1024, ephemeral_bytes=512 * MIB)


def layout_of(*lines: str, v2: str = "") -> Layout:
    return find_layout("\n".join(lines), lambda _: frozenset(v2.split()))


def test_a_pure_v2_host_has_everything_in_one_place() -> None:
    layout = layout_of(V2.format(at="/sys/fs/cgroup"), v2="cpuset cpu io memory pids")
    assert layout == Layout(unified=Path("/sys/fs/cgroup"), v1={})


def test_a_hybrid_host_has_limits_in_v1_and_life_in_v2() -> None:
    layout = layout_of(
        V1.format(at="/sys/fs/cgroup/memory", names="memory"),
        V1.format(at="/sys/fs/cgroup/cpu,cpuacct", names="cpu,cpuacct"),
        V1.format(at="/sys/fs/cgroup/pids", names="pids"),
        V1.format(at="/sys/fs/cgroup/systemd", names="xattr,name=systemd"),
        V2.format(at="/sys/fs/cgroup/unified"),
        v2="hugetlb",
    )
    assert layout.unified == Path("/sys/fs/cgroup/unified")
    assert layout.v1 == {
        "memory": Path("/sys/fs/cgroup/memory"),
        "cpu": Path("/sys/fs/cgroup/cpu,cpuacct"),
        "pids": Path("/sys/fs/cgroup/pids"),
    }


def test_a_v1_host_without_a_v2_tree_is_told_apart() -> None:
    layout = layout_of(V1.format(at="/cg", names="memory,cpu,pids"))
    assert layout.unified is None
    assert set(layout.v1) == {"memory", "cpu", "pids"}
    assert layout.missing == ()


def test_a_controller_that_v2_has_is_taken_from_there() -> None:
    layout = layout_of(
        V1.format(at="/cg/memory", names="memory"), V2.format(at="/cg/two"), v2="memory pids cpu"
    )
    assert layout.v1 == {}


def test_a_missing_controller_is_named_with_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "cgroup.controllers").write_text("pids cpu")
    layout = Layout(unified=tmp_path, v1={})
    assert layout.missing == ("memory",)
    with pytest.raises(CgroupError, match="memory are missing: boot with cgroup_enable=memory"):
        Tree(layout, "emberd-test", 1)


def make_files(folder: Path, *names: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).touch()


def test_limits_on_v2(tmp_path: Path) -> None:
    files = (
        "memory.max",
        "memory.swap.max",
        "memory.oom.group",
        "pids.max",
        "cpu.max",
        "cpu.weight",
    )
    make_files(tmp_path, *files)
    group = Group(tmp_path, dict.fromkeys(("memory", "pids", "cpu"), tmp_path), {})
    group.create()
    group.limit(LIMITS)
    written = {name: (tmp_path / name).read_text() for name in files}
    assert written == {
        "memory.max": str(128 * MIB),
        "memory.swap.max": "0",
        "memory.oom.group": "1",
        "pids.max": "1025",
        "cpu.max": "100000 100000",
        "cpu.weight": "7",
    }
    assert group.cpu_value(72) == "7200 100000"


def test_limits_on_v1(tmp_path: Path) -> None:
    memory, pids, cpu = (tmp_path / name for name in ("memory", "pids", "cpu"))
    make_files(memory, "memory.limit_in_bytes", "memory.memsw.limit_in_bytes")
    make_files(pids, "pids.max")
    make_files(cpu, "cpu.cfs_quota_us", "cpu.cfs_period_us", "cpu.shares")
    folders = {"memory": memory, "pids": pids, "cpu": cpu}
    group = Group(tmp_path / "unified", folders, folders)
    group.create()
    group.limit(LIMITS)
    assert (memory / "memory.limit_in_bytes").read_text() == str(128 * MIB)
    assert (memory / "memory.memsw.limit_in_bytes").read_text() == str(128 * MIB)
    assert (pids / "pids.max").read_text() == "1025"
    assert (cpu / "cpu.cfs_quota_us").read_text() == "100000"
    assert (cpu / "cpu.shares").read_text() == "73"
    assert group.cpu_value(72) == "7200"


def test_a_kernel_without_swap_accounting_is_no_error(tmp_path: Path) -> None:
    make_files(tmp_path, "memory.limit_in_bytes", "pids.max", "cpu.cfs_quota_us")
    make_files(tmp_path, "cpu.cfs_period_us", "cpu.shares")
    folders = dict.fromkeys(("memory", "pids", "cpu"), tmp_path)
    group = Group(tmp_path / "unified", folders, folders)
    group.limit(LIMITS)
    assert not (tmp_path / "memory.memsw.limit_in_bytes").exists()


def test_a_function_with_more_than_a_core_starts_with_all_of_it(tmp_path: Path) -> None:
    make_files(tmp_path, "memory.max", "pids.max", "cpu.max", "cpu.weight")
    group = Group(tmp_path, dict.fromkeys(("memory", "pids", "cpu"), tmp_path), {})
    group.limit(Limits(memory_bytes=1, cpu_millis=5788, processes=1, ephemeral_bytes=1))
    assert (tmp_path / "cpu.max").read_text() == "578800 100000"


def test_every_tree_is_born_in_a_directory_of_its_own(tmp_path: Path) -> None:
    """One that was killed once would kill its next child at birth."""
    import os

    group = Group(tmp_path, {}, {})
    seen = []
    for _ in range(3):
        os.close(group.open_for_birth())
        seen.append([path.name for path in tmp_path.iterdir()])
    assert seen == [["t1"], ["t2"], ["t3"]]


@pytest.mark.parametrize(
    ("text", "kills"),
    [
        (b"oom_kill_disable 0\nunder_oom 0\noom_kill 3\n", 3),
        (b"low 0\nhigh 0\nmax 9\noom 2\noom_kill 1\noom_group_kill 1\n", 1),
        (b"under_oom 0\n", 0),
    ],
)
def test_the_counter_of_kills_is_read_on_v1_and_v2(text: bytes, kills: int) -> None:
    assert parse_oom_kills(text) == kills


def test_what_is_watched_no_more_is_freed_without_the_collector(tmp_path: Path) -> None:
    (tmp_path / "memory.events").write_text("oom_kill 0\n")

    class Sandbox:
        def __init__(self) -> None:
            group = Group(tmp_path, {"memory": tmp_path}, {})
            self.memory = MemoryWatch(Loop(lambda: False), group, self.end_tree)

        def end_tree(self) -> None:
            raise AssertionError("its memory has not run out")

    sandbox = Sandbox()
    sandbox.memory.begin()
    sandbox.memory.close()
    left = weakref.ref(sandbox)
    gc.disable()
    try:
        del sandbox
        assert left() is None
    finally:
        gc.enable()
