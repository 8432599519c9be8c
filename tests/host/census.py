"""Counts what a host has in the kernel, so that a test can say that it grows by nothing."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from sandbox.process.egress_rules import UPLINK
from tests.host.harness import Host, eventually

_KIB = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Census:
    """What one launcher and its agent (the test's own process) hold at one moment."""

    processes: int
    mounts: int
    """In the launcher's own mount table and in the machine's."""
    cgroups: int
    namespaces: int
    """Network namespaces that the launcher keeps by descriptor."""
    interfaces: int
    """Of the router."""
    loop_devices: int
    launcher_descriptors: int
    agent_descriptors: int
    launcher_bytes: int
    """Resident."""
    agent_bytes: int

    def growth_since(self, before: Census, *, memory_bytes: int) -> dict[str, int]:
        """What there is more of; so much memory may have come.

        Less is no growth: of what is made ahead, a part may be on its way.
        """
        now, then = asdict(self), asdict(before)
        grown = {name: now[name] - then[name] for name in now}
        return {
            name: more
            for name, more in grown.items()
            if more > (memory_bytes if name.endswith("_bytes") else 0)
        }


def take_census(host: Host) -> Census:
    """Count now."""
    assert host.process is not None, "only a running host is counted"
    launcher, agent = host.process.pid, os.getpid()
    links = descriptors_of(launcher)
    return Census(
        processes=len(processes_of(host)),
        mounts=_mounts(launcher) + _mounts(agent),
        cgroups=len(cgroups_of(host)),
        namespaces=sum(each.startswith("net:") for each in links),
        interfaces=_router_interfaces(launcher),
        loop_devices=len(loop_devices_of(host)),
        launcher_descriptors=len(links),
        agent_descriptors=len(descriptors_of(agent)),
        launcher_bytes=_resident_bytes(launcher),
        agent_bytes=_resident_bytes(agent),
    )


def cgroups_of(host: Host) -> list[Path]:
    """Every cgroup of this host's."""
    return sorted(child for parent in _cgroup_parents(host) for child in parent.glob("*/"))


def _cgroup_parents(host: Host) -> list[Path]:
    """What holds them: in the only hierarchy, or in each of several."""
    root, name = Path("/sys/fs/cgroup"), host.instance.name
    return [*root.glob(name), *root.glob(f"*/{name}")]


def processes_of(host: Host) -> list[int]:
    """Pids whose uid is in a sandbox's range or the agent's."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            uid = entry.stat().st_uid
            cgroup = (entry / "cgroup").read_text()
        except OSError:
            continue
        if uid == host.instance.agent_id or f"/{host.instance.name}/" in cgroup:
            found.append(int(entry.name))
    return found


def template_runtimes_of(host: Host) -> list[int]:
    """The host's pids of function templates' runtimes: their pid inside is never a copy's."""
    return [
        pid
        for pid in processes_of(host)
        if b"bootstrap.py" in read_of(pid, "cmdline")
        and re.search(rb"^NSpid:\s\d+\s3$", read_of(pid, "status"), re.MULTILINE)
    ]


def read_of(pid: int, name: str) -> bytes:
    """A file of the process in /proc; empty when it is gone."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/{name}").read_bytes()
    return b""


def loop_devices_of(host: Host) -> list[str]:
    """Loop devices whose file is in this host's folder."""
    found = []
    for backing in Path("/sys/block").glob("loop*/loop/backing_file"):
        try:
            if backing.read_text().startswith(str(host.folder)):
                found.append(backing.parts[3])
        except OSError:
            continue
    return found


def leftovers_of(host: Host) -> list[object]:
    """All that a host has in the kernel."""
    mounts = Path("/proc/self/mountinfo").read_text().splitlines()
    return [
        *processes_of(host),
        *_cgroup_parents(host),
        *loop_devices_of(host),
        *(line for line in mounts if str(host.folder) in line),
    ]


def descriptors_of(pid: int) -> list[str]:
    """What the descriptors of a process are."""
    folder, found = Path(f"/proc/{pid}/fd"), []
    for entry in os.listdir(folder):
        try:
            found.append(os.readlink(folder / entry))
        except FileNotFoundError:
            continue  # the one that lists them, or one that was just closed
    return found


def _router_interfaces(pid: int) -> int:
    """In the one namespace of this launcher's that has an uplink."""
    for fd in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            if not os.readlink(fd).startswith("net:"):
                continue
            look = ["nsenter", f"--net={fd}", "ip", "-o", "link"]
            found = subprocess.run(look, capture_output=True, text=True, check=False).stdout
            if f" {UPLINK}@" in found:
                return found.count("\n")
    return 0


def _mounts(pid: int) -> int:
    return len(Path(f"/proc/{pid}/mountinfo").read_text().splitlines())


def _resident_bytes(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    found = re.search(r"^VmRSS:\s+(\d+) kB$", status, re.MULTILINE)
    assert found is not None, "a running process is resident"
    return int(found[1]) * _KIB


def settled(host: Host) -> Census:
    """A census once what is made ahead is made: for half a second nothing has come."""
    last, since_s = take_census(host), time.monotonic()

    def still() -> bool:
        nonlocal last, since_s
        now = take_census(host)
        if now.growth_since(last, memory_bytes=0):
            since_s = time.monotonic()
        last = now
        return time.monotonic() - since_s > 0.5

    assert eventually(still, 20), last
    return last
