"""Limits and life where only cgroup v1 is mounted: the launcher's own v2 tree serves life."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandbox.process.backend import ProcessBackend
from tests.host.harness import Host
from tests.host.test_life import (
    test_a_killed_launcher_takes_everything_with_it_and_the_next_one_sweeps,
    test_sigterm_leaves_nothing,
)
from tests.host.test_limits import (
    test_a_child_out_of_memory_ends_the_whole_tree,
    test_a_sandbox_out_of_memory_can_be_reset,
    test_memory_above_the_limit_ends_the_sandbox_and_is_counted,
    test_processes_stop_at_the_limit,
    test_the_share_of_a_core_is_kept_once_it_is_limited,
)

__all__ = [
    "test_a_child_out_of_memory_ends_the_whole_tree",
    "test_a_killed_launcher_takes_everything_with_it_and_the_next_one_sweeps",
    "test_a_sandbox_out_of_memory_can_be_reset",
    "test_memory_above_the_limit_ends_the_sandbox_and_is_counted",
    "test_processes_stop_at_the_limit",
    "test_sigterm_leaves_nothing",
    "test_the_share_of_a_core_is_kept_once_it_is_limited",
]

pytestmark = pytest.mark.host


async def test_the_launcher_has_no_v2_tree_but_its_own(host: Host, backend: ProcessBackend) -> None:
    assert host.process is not None
    mounts = Path(f"/proc/{host.process.pid}/mountinfo").read_text().splitlines()
    (only,) = [line for line in mounts if " - cgroup2 " in line]
    assert only.split()[4] == str(host.state / "cgroup2")
