"""The tests of limits once more, by a launcher that finds cgroup v1 and nobody's v2 tree.

A host that has no v1 hierarchies cannot be made into such a one: there nothing is collected.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sandbox.process.cgroup_layout import CONTROLLERS, find_layout
from tests.host.fixtures import backend, host
from tests.host.harness import Host, what_is_missing

WITHOUT_V2 = (
    *("unshare", "--mount", "--propagation", "slave", "sh", "-c"),
    *('umount --all --types cgroup2 && exec "$@"', "without-v2"),
)
"""What the launcher then finds is a host on which nobody has mounted cgroup v2."""

__all__ = ["backend", "host", "own_host", "shared_host"]

if set(find_layout(Path("/proc/self/mountinfo").read_text()).v1) != set(CONTROLLERS):
    collect_ignore = ["test_v1_alone.py"]


@pytest.fixture(scope="session")
def shared_host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], Host]]:
    """Gives the one launcher of these tests."""
    if what_is_missing():
        pytest.skip(f"real sandboxes need {what_is_missing()}")
    one = Host(tmp_path_factory.mktemp("v1"), within=WITHOUT_V2)
    one.prepare()
    yield lambda: one
    one.close()


@pytest.fixture
def own_host(tmp_path: Path) -> Iterator[Host]:
    """A launcher of the test's own, not started yet."""
    one = Host(tmp_path, within=WITHOUT_V2)
    one.prepare()
    yield one
    one.close()
