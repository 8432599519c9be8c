"""Who gives way where the machine has too little: sandboxes, before our daemons."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from emberd.wire.precedence import DAEMONS, DAEMONS_WEIGHT, find_place
from sandbox.process.backend import ProcessBackend
from sandbox.process.cgroup_layout import Layout, find_layout
from sandbox.process.cgroups import PARENT_WEIGHT, WEIGHT_BEHIND_DAEMONS
from tests.host.census import processes_of
from tests.host.harness import Host, read_until

pytestmark = pytest.mark.host

LOOP = "print('here', flush=True)\nimport signal\nsignal.pause()"
SANDBOXED = 500
CAP_SYS_RESOURCE = 24


def score_of_daemons() -> int:
    """What ours have where root is allowed to spare them; containers often forbid it."""
    status = Path("/proc/self/status").read_text()
    effective = int(re.search(r"^CapEff:\s+(\w+)$", status, re.MULTILINE)[1], 16)
    return -900 if effective & 1 << CAP_SYS_RESOURCE else score_of(os.getpid())


@pytest.fixture
def layout() -> Layout:
    return find_layout(Path("/proc/self/mountinfo").read_text())


def score_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/oom_score_adj").read_text())


async def test_when_the_machine_has_no_memory_sandboxes_go_first(
    host: Host, backend: ProcessBackend
) -> None:
    sandbox = await backend.create(host.spec(LOOP))
    read_until(sandbox.log_fd, b"here")
    assert host.process is not None
    assert score_of(host.process.pid) == score_of_daemons()
    owners = {pid: Path(f"/proc/{pid}").stat().st_uid for pid in processes_of(host)}
    agents = [pid for pid, uid in owners.items() if uid == host.instance.agent_id]
    assert agents
    assert {score_of(pid) for pid in agents} == {score_of_daemons()}
    sandboxed = {score_of(pid) for pid in owners if pid not in agents}
    assert sandboxed == {SANDBOXED}


async def test_where_the_processor_is_scarce_our_daemons_come_before_sandboxes(
    host: Host, backend: ProcessBackend
) -> None:
    sandbox = await backend.create(host.spec(LOOP, cpu_millis=500))
    read_until(sandbox.log_fd, b"here")
    parent, name = cpu_folder_of(host)
    usual = 1024 if name == "cpu.shares" else 100
    weight = int((parent / name).read_text())
    own = Path("/proc/self")
    place = find_place((own / "mountinfo").read_text(), (own / "cgroup").read_text())
    assert place is not None
    if place.path == "/":
        assert host.process is not None
        daemons = parent.with_name(f"{DAEMONS}{host.process.pid}")
        ours = {int(each) for each in (daemons / "cgroup.procs").read_text().split()}
        assert host.process.pid in ours
        assert int((daemons / name).read_text()) == usual * DAEMONS_WEIGHT // 100
        assert weight == usual * WEIGHT_BEHIND_DAEMONS // 100
    else:
        # Whoever put us there, systemd for one, says what our daemons weigh.
        assert weight == usual * PARENT_WEIGHT // 100
    assert str(usual // 2) in {each.read_text().strip() for each in parent.glob(f"*/{name}")}


def test_where_the_disks_are_busy_too(host: Host, layout: Layout) -> None:
    if not layout.shares_disks:
        assert layout.v1, "a pure v2 machine of ours has the io controller"
        return
    assert layout.unified is not None
    weights = list((layout.unified / host.instance.name).glob("io*weight"))
    assert weights
    assert all(each.read_text().strip().endswith(f" {PARENT_WEIGHT}") for each in weights)


def cpu_folder_of(host: Host) -> tuple[Path, str]:
    """The folder of all of this host's sandboxes that has processor time, and its weight's name."""
    layout = find_layout(Path("/proc/self/mountinfo").read_text())
    if "cpu" in layout.v1:
        return layout.v1["cpu"] / host.instance.name, "cpu.shares"
    assert layout.unified is not None
    return layout.unified / host.instance.name, "cpu.weight"


def test_a_daemon_that_is_refused_leaves_no_cgroup() -> None:
    source = (
        "from emberd.wire.precedence import coming_first\n"
        "with coming_first():\n"
        "    print(open('/proc/self/cgroup').read(), flush=True)\n"
        "    raise SystemExit(3)"
    )
    started = subprocess.Popen([sys.executable, "-c", source], stdout=subprocess.PIPE, text=True)
    told, _ = started.communicate(timeout=30)
    assert started.returncode == 3
    own = Path("/proc/self")
    place = find_place((own / "mountinfo").read_text(), (own / "cgroup").read_text())
    assert place is not None
    mine = f"{DAEMONS}{started.pid}"
    assert (mine in told) == (place.path == "/")
    assert not (place.root / mine).exists()
