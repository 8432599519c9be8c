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

from emberd.wire.survival import SPARED_SCORE, be_spared
from runtimes.catalog import RUNTIMES
from sandbox.process import bundle, discovery, network, syscalls
from sandbox.process.cgroup_layout import find_layout
from sandbox.process.walls import Need, Wall, survey


def run(*, as_json: bool) -> int:
    """Print the report; 0 when a host would start without leave to lack anything."""
    walls = [_privilege(), *_tried_out(), _priority(), *survey(find_layout(_mountinfo()))]
    runtimes = _runtimes()
    if as_json:
        report = {"checks": [_shape(each) for each in walls], "runtimes": runtimes}
        sys.stdout.write(json.dumps(report, indent=2) + "\n")
    else:
        sys.stdout.write(_table(walls, runtimes))
    return 0 if all(each.ok for each in walls if each.need is not Need.EXTRA) and runtimes else 1


def _mountinfo() -> str:
    return Path("/proc/self/mountinfo").read_text()


def _privilege() -> Wall:
    return Wall(
        name="root",
        need=Need.ALWAYS,
        ok=os.geteuid() == 0,
        detail=f"uid {os.geteuid()}",
        remedy="run emberd as root; agent and control plane give it up at once",
    )


def _tried_out() -> list[Wall]:
    """What only trying shows."""
    return [
        _tried(
            "mount-api",
            lambda: os.close(syscalls.new_mount("tmpfs", {"size": "4096"}, 0)),
            "boot a 5.12 or newer kernel",
        ),
        _tried("network", _make_network, "load the kernel's network namespaces"),
    ]


def _priority() -> Wall:
    """Whether our daemons outlive sandboxes when the machine has no memory; tried on ourselves."""
    before = Path("/proc/self/oom_score_adj").read_text()
    spared = be_spared()
    if spared:
        Path("/proc/self/oom_score_adj").write_text(before)
    return Wall(
        name="daemon-priority",
        need=Need.EXTRA,
        ok=spared,
        detail=f"oom_score_adj {SPARED_SCORE}" if spared else "sandboxes go first, ours are as any",
        remedy="give emberd CAP_SYS_RESOURCE, so that it can have its daemons spared",
    )


def _make_network() -> None:
    """Make one as every sandbox gets it, in a child that takes it along."""
    if os.geteuid() != 0:
        raise PermissionError("needs root")
    network.HostNetwork().create().close()


def _runtimes() -> dict[str, str]:
    home = Path(pwd.getpwuid(0).pw_dir)
    with tempfile.TemporaryDirectory(prefix="emberd-doctor-") as folder:
        found = discovery.discover(Path(folder), os.environ.get("PATH", ""), (home,))
    return {name: _told(name, each) for name, each in sorted(found.items())}


def _told(name: str, interpreter: discovery.Interpreter) -> str:
    """The version of what runs the functions, and of the interpreter where that is another."""
    engine = bundle.engine_version(RUNTIMES[name])
    beneath = f"{engine} in Python " if engine else ""
    return f"{beneath}{interpreter.version} at {interpreter.executable}"


def _tried(name: str, attempt: Callable[[], None], remedy: str) -> Wall:
    try:
        attempt()
    except OSError as error:
        return Wall(name=name, need=Need.ALWAYS, ok=False, detail=str(error), remedy=remedy)
    return Wall(name=name, need=Need.ALWAYS, ok=True, detail="works")


def _shape(wall: Wall) -> dict[str, object]:
    return {**asdict(wall), "remedy": "" if wall.ok else wall.remedy}


def _state(wall: Wall) -> str:
    return "present" if wall.ok else "extra" if wall.need is Need.EXTRA else "MISSING"


def _table(walls: Sequence[Wall], runtimes: dict[str, str]) -> str:
    lines = []
    for each in walls:
        lines.append(f"{_state(each):9}{each.name:20}{each.detail}")
        if not each.ok:
            lines.append(f"{'':9}{'':20}remedy: {each.remedy}")
    lines.append("")
    lines += [f"{'runtime':9}{name:20}{where}" for name, where in runtimes.items()]
    if not runtimes:
        lines.append("MISSING  no runtime was found: apt-get install python3, or put one in PATH")
    return "\n".join(lines) + "\n"
