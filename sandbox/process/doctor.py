"""What this host can and cannot isolate: a table for people, JSON for programs.

Every line is tried or read, not assumed from a kernel version.
"""

from __future__ import annotations

import json
import os
import pwd
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

from sandbox.process import discovery, network, syscalls
from sandbox.process.cgroup_layout import find_layout
from sandbox.process.ephemeral import find_weakness
from sandbox.process.notes import Check, check_cgroups, check_ephemeral, check_landlock
from sandbox.process.seccomp import build
from sandbox.process.seccomp_tables import MACHINES

_NAMESPACES = ("user", "mnt", "pid", "ipc", "uts", "net", "cgroup")


def run(*, as_json: bool) -> int:
    """Print the report; 0 when everything that is required is there."""
    checks = [*_privilege(), *_kernel(), *_limits()]
    runtimes = _runtimes()
    if as_json:
        report = {"checks": [asdict(each) for each in checks], "runtimes": runtimes}
        sys.stdout.write(json.dumps(report, indent=2) + "\n")
    else:
        sys.stdout.write(_table(checks, runtimes))
    return 0 if all(each.ok for each in checks if each.required) and runtimes else 1


def _privilege() -> list[Check]:
    is_root = os.geteuid() == 0
    remedy = "" if is_root else "run emberd as root; agent and control plane give it up at once"
    return [
        Check(name="root", ok=is_root, required=True, detail=f"uid {os.geteuid()}", remedy=remedy)
    ]


def _kernel() -> list[Check]:
    checks = [
        Check(
            name=f"{name} namespace",
            ok=os.path.exists(f"/proc/self/ns/{name}"),
            required=True,
            detail="",
            remedy="use a kernel with namespaces (every distribution's)",
        )
        for name in _NAMESPACES
    ]
    checks.append(
        _tried(
            "new mount API",
            lambda: os.close(syscalls.new_mount("tmpfs", {"size": "4096"}, 0)),
            "boot a 5.12 or newer kernel",
        )
    )
    checks.append(
        _tried("network namespace", _make_network, "load the kernel's network namespaces")
    )
    checks.append(_filter())
    checks += check_landlock(syscalls.landlock_abi())
    return [_without_remedy(each) if each.ok else each for each in checks]


def _filter() -> Check:
    machine = os.uname().machine
    known = machine in MACHINES
    detail = f"{len(build(MACHINES[machine])) // 8} instructions" if known else machine
    remedy = "" if known else f"emberd knows the system calls of {', '.join(MACHINES)} only"
    return Check(name="seccomp filter", ok=known, required=True, detail=detail, remedy=remedy)


def _make_network() -> None:
    """Make one as every sandbox gets it, in a child that takes it along."""
    if os.geteuid() != 0:
        raise PermissionError("needs root")
    network.HostNetwork().create().close()


def _limits() -> list[Check]:
    layout = find_layout(Path("/proc/self/mountinfo").read_text())
    unified = Check(
        name="cgroup kill and freeze",
        ok=True,
        required=True,
        detail=f"v2 at {layout.unified}" if layout.unified else "v2, mounted by the launcher",
    )
    return [*check_cgroups(layout), unified, check_ephemeral(find_weakness())]


def _runtimes() -> dict[str, str]:
    home = Path(pwd.getpwuid(0).pw_dir)
    with tempfile.TemporaryDirectory(prefix="emberd-doctor-") as folder:
        found = discovery.discover(Path(folder), os.environ.get("PATH", ""), (home,))
    return {name: f"{each.version} at {each.executable}" for name, each in sorted(found.items())}


def _tried(name: str, attempt: Callable[[], None], remedy: str) -> Check:
    try:
        attempt()
    except OSError as error:
        return Check(name=name, ok=False, required=True, detail=str(error), remedy=remedy)
    return Check(name=name, ok=True, required=True, detail="works")


def _without_remedy(check: Check) -> Check:
    return Check(name=check.name, ok=True, required=check.required, detail=check.detail)


def _table(checks: Sequence[Check], runtimes: dict[str, str]) -> str:
    lines = []
    for each in checks:
        state = "ok" if each.ok else "MISSING" if each.required else "weak"
        lines.append(f"{state:8}{each.name:26}{each.detail}")
        if not each.ok and each.remedy:
            lines.append(f"{'':8}{'':26}remedy: {each.remedy}")
    lines.append("")
    lines += [f"{'runtime':8}{name:26}{where}" for name, where in runtimes.items()]
    if not runtimes:
        lines.append("MISSING no runtime was found: apt-get install python3, or put one in PATH")
    return "\n".join(lines) + "\n"
