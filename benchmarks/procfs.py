"""What the kernel says of process trees and of the machine. Linux only."""

from __future__ import annotations

import os
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
TICK_S = 1 / os.sysconf("SC_CLK_TCK")
STEAL_FIELD = 7
"""Of the cpu line in /proc/stat (proc(5)): user nice system idle iowait irq softirq steal."""


def tree(root_pid: int) -> list[int]:
    """A process and all its descendants that live now."""
    children: defaultdict[int, list[int]] = defaultdict(list)
    for entry in PROC.iterdir():
        if entry.name.isdigit():
            fields = _stat(int(entry.name))
            if fields:
                children[int(fields[1])].append(int(entry.name))
    found, todo = [], [root_pid]
    while todo:
        pid = todo.pop()
        found.append(pid)
        todo.extend(children[pid])
    return found


def cpu_s(root_pid: int) -> float:
    """CPU seconds of a process tree, children that have ended and been waited for included."""
    return sum(cpu_of(pid) for pid in tree(root_pid))


def cpu_of(pid: int) -> float:
    """CPU seconds of one process and of the children that it has waited for; 0 when gone."""
    fields = _stat(pid)
    # utime stime cutime cstime: a child's time moves to its parent when it is reaped.
    return sum(int(each) for each in fields[11:15]) * TICK_S


def pss_bytes(pid: int) -> int:
    """A process's share of memory; 0 for one that has gone."""
    try:
        lines = (PROC / str(pid) / "smaps_rollup").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    for line in lines:
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    return 0


def command_of(pid: int) -> str:
    """A process's command line; empty for one that has gone."""
    try:
        raw = (PROC / str(pid) / "cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return ""
    return raw.replace(b"\0", b" ").decode(errors="replace").strip()


def memory_available_bytes() -> int:
    """MemAvailable."""
    for line in (PROC / "meminfo").read_text().splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    raise OSError("/proc/meminfo has no MemAvailable")


@dataclass(frozen=True, slots=True)
class MachineTime:
    """Ticks of all cores since the start of the machine."""

    total: int
    stolen: int

    @classmethod
    def now(cls) -> MachineTime:
        """Read it."""
        ticks = [int(each) for each in (PROC / "stat").read_text().splitlines()[0].split()[1:9]]
        return cls(sum(ticks), ticks[STEAL_FIELD])

    def steal_share_until(self, later: MachineTime) -> float:
        """The share of the time between that the hypervisor gave to others."""
        return (later.stolen - self.stolen) / max(1, later.total - self.total)


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat after the name, beginning with the state; empty when gone."""
    try:
        text = (PROC / str(pid) / "stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return []
    return text.rpartition(")")[2].split()
