"""The machine, the software and the commit that a number belongs to. No environment, no number."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

from benchmarks.figures import Value
from benchmarks.procfs import memory_available_bytes

PACKAGES = ("grpcio", "protobuf", "uvloop", "aiohttp", "opentelemetry-sdk")


def describe(repository: Path) -> dict[str, Value]:
    """Everything that a reader needs to judge a result, or to repeat it."""
    return {
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": _git(repository, "rev-parse", "HEAD"),
        "dirty": bool(_git(repository, "status", "--porcelain")),
        "kernel": platform.release(),
        "cpu": _cpu_model(),
        "cores": os.cpu_count() or 0,
        "governor": _first_line(Path("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")),
        "memory_available_bytes": memory_available_bytes(),
        "cgroups": _cgroup_layout(),
        "virtualised": "hypervisor" in _cpu_flags(),
        "python": platform.python_version(),
        "executable_is_venv": sys.prefix != sys.base_prefix,
        "loadavg": _first_line(Path("/proc/loadavg")),
        **{f"package.{name}": _version(name) for name in PACKAGES},
    }


def _git(repository: Path, *arguments: str) -> str:
    try:
        done = subprocess.run(
            ["git", *arguments], cwd=repository, capture_output=True, text=True, check=True
        )
    except (FileNotFoundError, subprocess.CalledProcessError):
        return "unknown"
    return done.stdout.strip()


def _cpu_model() -> str:
    return _cpuinfo("model name") or platform.processor() or platform.machine()


def _cpu_flags() -> list[str]:
    return _cpuinfo("flags").split()


def _cpuinfo(key: str) -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        name, _, value = line.partition(":")
        if name.strip() == key:
            return value.strip()
    return ""


def _cgroup_layout() -> str:
    """Which hierarchies there are: v1, v2, or hybrid with its controllers on v1."""
    mounts = [line.split() for line in Path("/proc/mounts").read_text().splitlines()]
    kinds = {fields[2] for fields in mounts if fields[2].startswith("cgroup")}
    if kinds == {"cgroup", "cgroup2"}:
        return "hybrid"
    return {"cgroup": "v1", "cgroup2": "v2"}.get("".join(kinds), "none")


def _first_line(path: Path) -> str:
    try:
        return path.read_text().splitlines()[0]
    except (OSError, IndexError):
        return "unknown"


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "absent"
