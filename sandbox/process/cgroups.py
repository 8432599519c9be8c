"""The cgroups of a sandbox, on whatever layout the host has.

    pure v2             limits and life in one directory
    v1 with v2 mounted  limits in the v1 hierarchies, freeze and kill in the v2 one (hybrid)
    v1 alone            as hybrid; the launcher mounts a v2 tree for itself, without controllers

Life always goes through v2, because there SIGKILL reaches frozen processes and one write ends a
whole tree. Names are emberd-<instance>/<slot>; the parent's limit is the host's memory budget.
"""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from sandbox.process.cgroup_layout import CONTROLLERS, CgroupError, Layout
from sandbox.spec import FULL_VCPU_MILLIS, Limits

CPU_PERIOD_US = 100_000

PARENT_WEIGHT = 20
"""Of processor and disks, for all sandboxes together, where any other cgroup has 100: where these
are scarce our daemons, and whatever else the machine does, come first."""
WEIGHT_BEHIND_DAEMONS = 100
"""Of the processor, where our daemons come first in a cgroup of their own: the kernel's workers,
which no cgroup has, would otherwise run for the sandbox that writes at five times the weight of
all that compute."""
_COUNTERS_BYTES_MAX = 4096
_FULL_SHARES = 1024
"""What 100 is called on v1."""


class Tree:
    """All cgroups of one launcher: emberd-<instance> in every hierarchy, one child a sandbox."""

    def __init__(self, layout: Layout, name: str, budget_bytes: int) -> None:
        if layout.missing or layout.unified is None:
            raise CgroupError(
                f"cgroup controllers {', '.join(layout.missing) or '(v2 tree)'} are missing: "
                "boot with cgroup_enable=memory, or enable them in the kernel"
            )
        self._layout = layout
        self._unified = layout.unified / name
        self._by_controller = {
            each: layout.v1.get(each, layout.unified) / name for each in CONTROLLERS
        }
        self._budget_bytes = budget_bytes

    @property
    def roots(self) -> tuple[Path, ...]:
        """Every parent directory, v2 first."""
        return _unique((self._unified, *self._by_controller.values()))

    def open(self, *, behind_daemons: bool) -> None:
        """Make the parents, and set on them the host's budget and what they weigh."""
        for root in self.roots:
            root.mkdir(exist_ok=True)
        shared = [name for name in CONTROLLERS if name not in self._layout.v1]
        if self._layout.shares_disks:
            shared.append("io")
        if shared:
            for folder in (self._unified.parent, self._unified):
                _write(folder / "cgroup.subtree_control", " ".join(f"+{name}" for name in shared))
        memory = self._by_controller["memory"]
        limit = "memory.limit_in_bytes" if "memory" in self._layout.v1 else "memory.max"
        _write(memory / limit, str(self._budget_bytes))
        weight = WEIGHT_BEHIND_DAEMONS if behind_daemons else PARENT_WEIGHT
        if "cpu" in self._layout.v1:
            shares = weight * _FULL_SHARES // 100
            _write(self._by_controller["cpu"] / "cpu.shares", str(shares))
        else:
            _write(self._by_controller["cpu"] / "cpu.weight", str(weight))
        if self._layout.shares_disks:
            # Which one there is depends on the kernel's policy; each sandbox weighs the same.
            for name in ("io.weight", "io.bfq.weight"):
                _write(self._unified / name, str(PARENT_WEIGHT), absent_ok=True)

    def sweep(self) -> int:
        """Kill and remove what an earlier life left; returns how many cgroups there were."""
        found = 0
        for root in self.roots:
            for child in sorted(root.glob("*/")):
                found += 1
                _kill_all(child)
        return found

    def remove(self) -> list[Path]:
        """Remove all cgroups; those that still hold a process are returned."""
        return [
            folder
            for root in self.roots
            for folder in (*root.glob("*/"), root)
            if not _removed(folder)
        ]

    def group(self, name: str) -> Group:
        """A sandbox's cgroups, made and empty."""
        folders = {each: parent / name for each, parent in self._by_controller.items()}
        group = Group(self._unified / name, folders, self._layout.v1)
        group.create()
        return group


class Group:
    """The cgroups of one sandbox."""

    def __init__(self, unified: Path, folders: Mapping[str, Path], v1: Mapping[str, Path]) -> None:
        self._unified = unified
        self._folders = folders
        self._v1 = v1
        self._births = 0
        self._spared = unified.with_name(f"{unified.name}-spared")
        self._has_spared = False

    def create(self) -> None:
        """Make the directories, with what holds whatever the spec says."""
        for folder in self._all():
            folder.mkdir(exist_ok=True)
        if "memory" not in self._v1:
            # One process killed for memory ends the tree; on v1 the launcher sees to it.
            _write(self._folders["memory"] / "memory.oom.group", "1")

    def open_for_birth(self) -> int:
        """A v2 directory below ours, to be born in: a new one for every process tree.

        A directory that was killed once kills every later child that is born in it (kernels
        since 6.14 compare the birthplace's count of kills with the parent's). Freeze and kill of
        the directory above reach all below it, so their descriptors stay good.
        """
        self._births += 1
        _removed_below(self._unified)
        birthplace = self._unified / f"t{self._births}"
        birthplace.mkdir()
        return os.open(birthplace, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)

    def open_for_joining(self) -> list[int]:
        """Descriptors through which a child born in the v2 tree joins the v1 hierarchies.

        The child writes, not the launcher: after a quiet time it takes the kernel some 10 ms.
        """
        return [
            os.open(folder / "cgroup.procs", os.O_WRONLY | os.O_CLOEXEC)
            for folder in _unique(self._folders[name] for name in self._v1)
        ]

    def open_for_joining_all(self) -> list[int]:
        """The same for a child that is born outside the v2 tree: it joins that too."""
        os.close(self.open_for_birth())
        procs = self._unified / f"t{self._births}" / "cgroup.procs"
        return [os.open(procs, os.O_WRONLY | os.O_CLOEXEC), *self.open_for_joining()]

    def bring(self, pid: int) -> None:
        """Move a process in, into the newest tree."""
        folders = _unique(self._folders[name] for name in self._v1)
        for folder in (self._unified / f"t{self._births}", *folders):
            _write(folder / "cgroup.procs", str(pid))

    def spare(self, pid: int) -> None:
        """Take one process out of the newest tree, so that kill_tree does not reach it.

        Beside ours, not below: where memory runs out v2 ends all that our limit holds.
        """
        self._spared.mkdir(exist_ok=True)
        self._has_spared = True
        _write(self._spared / "cgroup.procs", str(pid))

    def kill_tree(self) -> None:
        """End every process of the newest tree but those that were spared."""
        _kill_all(self._unified / f"t{self._births}")

    def freeze_tree(self) -> None:
        """Stop every process of the newest tree but those that were spared."""
        self._freeze_tree("1")

    def thaw_tree(self) -> None:
        """Let them go on."""
        self._freeze_tree("0")

    def _freeze_tree(self, value: str) -> None:
        _write(self._unified / f"t{self._births}" / "cgroup.freeze", value)

    def limit(self, limits: Limits) -> None:
        """Write the limits. CPU starts at a full core at least, as Lambda's init does."""
        memory, most = self._folders["memory"], str(limits.memory_bytes)
        if "memory" in self._v1:
            _write(f"{memory}/memory.limit_in_bytes", most)
            # Absent where the kernel does not account swap.
            _write(f"{memory}/memory.memsw.limit_in_bytes", most, absent_ok=True)
        else:
            _write(f"{memory}/memory.max", most)
            _write(f"{memory}/memory.swap.max", "0", absent_ok=True)
        # One more for the reaper, which is ours and not the function's.
        _write(f"{self._folders['pids']}/pids.max", str(limits.processes + 1))
        self._weigh(limits.cpu_millis)
        self.allow_cpu(max(FULL_VCPU_MILLIS, limits.cpu_millis))

    def _weigh(self, cpu_millis: int) -> None:
        """Where sandboxes contend, each gets the processor in proportion to what it may use."""
        if "cpu" in self._v1:
            shares = max(2, cpu_millis * _FULL_SHARES // FULL_VCPU_MILLIS)
            _write(f"{self._folders['cpu']}/cpu.shares", str(shares))
        else:
            weight = min(10_000, max(1, cpu_millis * 100 // FULL_VCPU_MILLIS))
            _write(f"{self._folders['cpu']}/cpu.weight", str(weight))

    def allow_cpu(self, cpu_millis: int) -> None:
        """Set the CPU quota."""
        if "cpu" in self._v1:
            _write(f"{self._folders['cpu']}/cpu.cfs_period_us", str(CPU_PERIOD_US))
        _write(self._cpu_file, self.cpu_value(cpu_millis))

    def cpu_value(self, cpu_millis: int) -> str:
        """What the quota file takes for this many thousandths of a core."""
        quota_us = max(1_000, cpu_millis * CPU_PERIOD_US // 1_000)
        return str(quota_us) if "cpu" in self._v1 else f"{quota_us} {CPU_PERIOD_US}"

    @property
    def _cpu_file(self) -> str:
        name = "cpu.cfs_quota_us" if "cpu" in self._v1 else "cpu.max"
        return f"{self._folders['cpu']}/{name}"

    def open_controls(self) -> list[int]:
        """Descriptors for the agent, in the order of the protocol's CONTROLS."""
        memory, v1 = self._folders["memory"], "memory" in self._v1
        peak = "memory.max_usage_in_bytes" if v1 else "memory.peak"
        most = f"{memory}/{'memory.limit_in_bytes' if v1 else 'memory.max'}"
        # Absent where the kernel does not account swap, and not needed on v2.
        with_swap = f"{memory}/memory.memsw.limit_in_bytes"
        files = (
            (f"{self._unified}/cgroup.freeze", os.O_WRONLY),
            (f"{self._unified}/cgroup.kill", os.O_WRONLY),
            (self._cpu_file, os.O_WRONLY),
            (with_swap if os.path.exists(with_swap) else most, os.O_WRONLY),
            (most, os.O_WRONLY),
            (f"{memory}/{peak}", os.O_RDONLY),
            (self._oom_file, os.O_RDONLY),
        )
        return [os.open(path, flags | os.O_CLOEXEC) for path, flags in files]

    @property
    def _oom_file(self) -> str:
        name = "memory.oom_control" if "memory" in self._v1 else "memory.events"
        return f"{self._folders['memory']}/{name}"

    def watch_oom(self) -> int | None:
        """An eventfd that fires when memory runs out, on v1; v2 ends the tree by itself."""
        if "memory" not in self._v1:
            return None
        event = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        control = os.open(self._oom_file, os.O_RDONLY | os.O_CLOEXEC)
        try:
            _write(f"{self._folders['memory']}/cgroup.event_control", f"{event} {control}")
        finally:
            os.close(control)
        return event

    def oom_kills(self) -> int:
        """How often the kernel killed something here for want of memory."""
        fd = os.open(self._oom_file, os.O_RDONLY | os.O_CLOEXEC)
        try:
            return parse_oom_kills(os.read(fd, _COUNTERS_BYTES_MAX))
        finally:
            os.close(fd)

    def kill(self) -> None:
        """End every process, frozen ones and spared ones too."""
        _kill_all(self._unified)
        if self._has_spared:
            _kill_all(self._spared)

    def thaw(self) -> None:
        """A group that is used again must not be born frozen."""
        _write(self._unified / "cgroup.freeze", "0")

    def remove(self) -> bool:
        """Remove the directories; False while the kernel still sees something in them."""
        folders = (*self._all(), *([self._spared] if self._has_spared else []))
        left = [folder for folder in folders if not _removed(folder)]
        return not left

    def _all(self) -> tuple[Path, ...]:
        return _unique((self._unified, *self._folders.values()))


def join(fds: Sequence[int]) -> None:
    """Child: enter the cgroups behind these descriptors (permission is the opener's)."""
    for fd in fds:
        os.write(fd, b"0")
        os.close(fd)


def parse_oom_kills(text: bytes) -> int:
    """The counter of memory.oom_control (v1) and memory.events (v2)."""
    for line in text.splitlines():
        if line.startswith(b"oom_kill "):
            return int(line.split()[1])
    return 0


def _kill_all(folder: Path) -> None:
    try:
        _write(folder / "cgroup.kill", "1")
    except FileNotFoundError:
        # A v1 directory, or already gone.
        with contextlib.suppress(FileNotFoundError):
            for pid in (folder / "cgroup.procs").read_text().split():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(pid), 9)


def _removed_below(folder: Path) -> None:
    for child in folder.glob("*/"):
        with contextlib.suppress(OSError):
            child.rmdir()


def _removed(folder: Path) -> bool:
    _removed_below(folder)
    try:
        folder.rmdir()
    except FileNotFoundError:
        return True
    except OSError as error:
        if error.errno in (errno.EBUSY, errno.ENOTEMPTY):
            return False
        raise
    return True


def _unique(paths: Iterable[Path]) -> tuple[Path, ...]:
    return tuple(dict.fromkeys(paths))


def _write(path: str | Path, value: str, *, absent_ok: bool = False) -> None:
    """One write(2), which is what a cgroup file takes."""
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        if absent_ok:
            return
        raise
    try:
        os.write(fd, value.encode())
    finally:
        os.close(fd)
