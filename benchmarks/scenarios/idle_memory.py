"""What does an emberd cost that does nothing?

Memory is the sum of every process's share (PSS), by the part of emberd that the process is, and,
because that misses the kernel's own (namespaces, cgroups, page tables), the fall of MemAvailable.
"""

from __future__ import annotations

import time
from collections import defaultdict

from benchmarks.figures import Figure, Result
from benchmarks.harness import Effort
from benchmarks.procfs import command_of, cpu_s, memory_available_bytes, pss_bytes, tree
from benchmarks.system import part_of, running_system

MIB = 1024 * 1024
QUESTION = "What does an emberd cost that does nothing?"


def run(effort: Effort) -> Result:
    """Start, let it settle, and read."""
    available_before = memory_available_bytes()
    with running_system() as system:
        system.settle()
        cpu_before_s, begun = cpu_s(system.pid), time.monotonic()
        time.sleep(effort.idle_s)
        busy = (cpu_s(system.pid) - cpu_before_s) / (time.monotonic() - begun)
        pids = tree(system.pid)
        by_part: defaultdict[str, int] = defaultdict(int)
        for pid in pids:
            by_part[part_of(command_of(pid))] += pss_bytes(pid)
        fallen = available_before - memory_available_bytes()
    return Result(
        name="idle_memory",
        question=QUESTION,
        figures=(
            _memory("all processes (PSS)", sum(by_part.values())),
            *(_memory(f"of that: {part}", taken) for part, taken in sorted(by_part.items())),
            _memory("fall of MemAvailable", fallen),
            Figure(name="processes", value=len(pids), unit=""),
            Figure(name="CPU while idle", value=100 * busy, unit="% of a core"),
        ),
    )


def _memory(name: str, taken_bytes: int) -> Figure:
    return Figure(name=name, value=taken_bytes / MIB, unit="MiB")
