"""What the inside tells about the outside: nothing of the platform, the host or another tenant."""

from __future__ import annotations

import contextlib
import os
import time

from tests.host.attacks.kit import add, probe, read

_OURS = ("emberd", "pytest", "token", "agent-", "/state/")


def _words_in(text: str) -> object:
    return [word for word in _OURS if word in text.lower()]


@probe([])
def platform_variables() -> object:
    return [name for name in os.environ if "EMBERD" in name.upper()]


for _name in ("environ", "cmdline", "cgroup", "maps", "status", "mounts", "limits"):
    add(
        f"names of the platform in /proc/self/{_name}",
        lambda name=_name: _words_in(read(f"/proc/self/{name}")),
        [],
    )


@probe({"0": "/dev/null", "1": "pipe", "2": "pipe"})
def descriptors_of_the_parent() -> object:
    found = {}
    for name in os.listdir(f"/proc/{os.getppid()}/fd"):
        # The descriptor of the listing itself is gone by now.
        with contextlib.suppress(OSError):
            target = os.readlink(f"/proc/{os.getppid()}/fd/{name}")
            found[name] = target.split(":")[0]
    # One pipe more carries this answer.
    return {name: found[name] for name in sorted(found) if int(name) < 3} | {
        name: found[name] for name in found if int(name) >= 3 and found[name] != "pipe"
    }


@probe(["/"])
def names_of_cgroups() -> object:
    return sorted({line.split(":")[2] for line in read("/proc/self/cgroup").split()})


@probe("500")
def who_goes_first_when_the_host_has_no_memory() -> object:
    """We do, before anything of the host."""
    return read("/proc/self/oom_score_adj").strip()


@probe("/var/task")
def folder() -> object:
    return os.getcwd()


@probe("sandbox")
def name_of_the_machine() -> object:
    return os.uname().nodename


@probe(True)
def how_long_the_machine_is_up() -> object:
    """Since the launcher began, as far as a function can tell: minutes, never the host's hours."""
    up_s = float(read("/proc/uptime").split()[0])
    return abs(up_s - time.clock_gettime(time.CLOCK_BOOTTIME)) < 1 and up_s < 240


@probe("")
def boot_arguments() -> object:
    return read("/proc/cmdline")


@probe(["eth0", "lo"])
def network_devices() -> object:
    return sorted(line.split(":")[0].strip() for line in read("/proc/net/dev").split("\n")[2:-1])


@probe([])
def other_peoples_unix_sockets() -> object:
    return read("/proc/net/unix").splitlines()[1:]


@probe([])
def names_in_tmp() -> object:
    """Only what this test's own probes have made."""
    return [name for name in os.listdir("/tmp") if name.startswith(("sb-", "emberd"))]


@probe([])
def keys_of_anybody() -> object:
    return read("/proc/keys").split()
