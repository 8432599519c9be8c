"""Where a process is in the hierarchy that shares out the processor."""

from __future__ import annotations

from pathlib import Path

from emberd.wire.precedence import Place, find_place

V1 = "30 24 0:26 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n"
V2 = "31 24 0:27 / /sys/fs/cgroup/unified rw shared:1 - cgroup2 cgroup2 rw\n"


def test_on_v2_it_is_the_one_tree() -> None:
    found = find_place(V2, "0::/system.slice/emberd.service\n")
    root = Path("/sys/fs/cgroup/unified")
    assert found == Place(root=root, path="/system.slice/emberd.service", is_v1=False)


def test_beside_v2_the_processors_own_hierarchy_counts() -> None:
    found = find_place(V2 + V1, "4:cpu,cpuacct:/a:b\n1:cpuset:/other\n0::/user\n")
    assert found == Place(root=Path("/sys/fs/cgroup/cpu,cpuacct"), path="/a:b", is_v1=True)


def test_a_hierarchy_of_another_controller_is_not_it() -> None:
    other = V1.replace("cpu,cpuacct", "cpuset,memory")
    assert find_place(other, "4:cpuset,memory:/\n") is None
