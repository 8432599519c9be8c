"""What a function tries from inside a real sandbox, and how each attempt must end."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from sandbox.process.backend import ProcessBackend
from tests.host.harness import Host, read_until

pytestmark = pytest.mark.host

# "probe": the only acceptable outcomes. Several, where kernels differ in which wall is hit first.
REFUSED: Mapping[str, tuple[object, ...]] = {
    "read shadow": ("ENOENT",),
    "list root's home": ([], "EACCES"),
    "see the host through pid 1": ("EACCES", "ENOENT"),
    "write the code": ("EROFS", "EACCES"),
    "write the root": ("EROFS", "EACCES"),
    "write the runtime": ("EROFS", "EACCES"),
    "write the interpreter": ("EROFS", "EACCES"),
    "write to /dev": ("EROFS", "EACCES"),
    "make a device": ("EPERM", "EACCES"),
    "write a sysctl": ("EROFS", "EACCES"),
    "press sysrq": ("", "ENOENT"),
    "read kernel memory": (0, "ENOENT"),
    "look for sysfs": ("ENOENT",),
    "setuid program": ("993",),
    "mount": ("EPERM",),
    "unmount a mask": ("EPERM",),
    "chroot": ("EPERM",),
    "ptrace": ("EPERM",),
    "unshare a user namespace": ("EPERM",),
    "unshare a network": ("EPERM",),
    "join pid 1's namespaces": ("EPERM",),
    "clone3": ("ENOSYS",),
    "open_tree": ("EPERM",),
    "fsopen": ("EPERM",),
    "io_uring": ("EPERM",),
    "bpf": ("EPERM",),
    "userfaultfd": ("EPERM",),
    "perf events": ("EPERM",),
    "keyrings": ("EPERM",),
    "another seccomp filter": ("EPERM",),
    "an unknown call": ("ENOSYS",),
    "32-bit calls": (-31,),
    "x32 calls": (-31,),
    "setuid": ("EPERM",),
    "setgroups": ("EPERM",),
    "change the host name": ("EPERM",),
    "raise nice": ("EPERM", "EACCES"),
    "real-time scheduling": ("EPERM",),
    "raw socket": ("EPERM", "EACCES"),
    "packet socket": ("EAFNOSUPPORT",),
    "vsock": ("EAFNOSUPPORT",),
    "kernel crypto": ("EAFNOSUPPORT",),
    "netlink xfrm": ("EAFNOSUPPORT",),
    "metadata service": ("ENETUNREACH",),
    "the internet": ("ENETUNREACH",),
    "other pids": (1,),
    "kill pid 1": ("ignored", "EPERM"),
    "read pid 1's memory": ("EACCES", "ENOENT"),
    "read pid 1's environment": ("EACCES", "ENOENT"),
    "CapEff": ("0000000000000000",),
    "CapPrm": ("0000000000000000",),
    "CapBnd": ("0000000000000000",),
    "CapInh": ("0000000000000000",),
    "CapAmb": ("0000000000000000",),
    "NoNewPrivs": ("1",),
    "Seccomp": ("2",),
}

ALLOWED: Mapping[str, object] = {
    "write /tmp": "allowed",
    "netlink route": "allowed",
    "tcp socket": "allowed",
    "ids": [993, 990, []],
    "folder": "/var/task",
    "descriptors": {"0": "/dev/null", "1": "pipe", "2": "pipe"},
    "cgroups": ["/"],
    "list the root": "bin dev etc home lib lib64 opt proc root run sbin tmp usr var",
}

PROBES = Path(__file__).with_name("probes.py").read_text()

_told: dict[bool, Mapping[str, object]] = {}
"""What they told, by whether sandboxes are forked."""


@pytest.fixture
async def outcomes(host: Host, backend: ProcessBackend) -> Mapping[str, object]:
    """How each probe ended; one sandbox of either birth tells for all tests."""
    if host.forks not in _told:
        sandbox = await backend.create(host.spec(PROBES))
        _told[host.forks] = json.loads(read_until(sandbox.log_fd, b"\n"))
        await sandbox.destroy()
    return _told[host.forks]


@pytest.mark.parametrize("probe", REFUSED)
async def test_it_is_refused(outcomes: Mapping[str, object], probe: str) -> None:
    assert outcomes[probe] in REFUSED[probe]


@pytest.mark.parametrize("probe", ALLOWED)
async def test_it_is_as_on_lambda(outcomes: Mapping[str, object], probe: str) -> None:
    assert outcomes[probe] == ALLOWED[probe]


async def test_every_probe_has_an_expectation(outcomes: Mapping[str, object]) -> None:
    assert set(outcomes) == {*REFUSED, *ALLOWED, "environment"}


async def test_the_function_sees_its_own_variables_and_lambdas(
    outcomes: Mapping[str, object],
) -> None:
    seen = outcomes["environment"]
    assert isinstance(seen, dict)
    assert seen["GREETING"] == "hello"
    assert seen["LAMBDA_TASK_ROOT"] == "/var/task"
    assert seen["PYTHONPATH"] == "/var/runtime"
    assert not [name for name in seen if name.startswith("EMBERD")]


async def test_two_sandboxes_share_no_uid(host: Host, backend: ProcessBackend) -> None:
    source = "print(open('/proc/self/uid_map').read().split()[1], flush=True)\n"
    told = []
    for _ in range(2):
        sandbox = await backend.create(host.spec(source + "import signal; signal.pause()"))
        told.append(int(read_until(sandbox.log_fd, b"\n")))
    assert abs(told[0] - told[1]) >= 65_536


async def test_a_sandbox_cannot_reach_anothers_listeners(
    host: Host, backend: ProcessBackend
) -> None:
    source = (
        "import signal, socket\n"
        "host = '169.254.100.1'\n"
        "ports = [socket.create_connection((host, port)) for port in (9001, 9002, 4318)]\n"
        "socket.socket(type=socket.SOCK_DGRAM).sendto(b'mine', (host, 2000))\n"
        "print('connected', flush=True)\nsignal.pause()"
    )
    first = await backend.create(host.spec("import signal; signal.pause()"))
    second = await backend.create(host.spec(source))
    read_until(second.log_fd, b"connected")
    for listener in (first.listener, first.callback_listener, first.otlp_listener):
        with pytest.raises(BlockingIOError):
            listener.accept()
    for listener in (second.listener, second.callback_listener, second.otlp_listener):
        listener.accept()[0].close()
    with pytest.raises(BlockingIOError):
        first.xray_socket.recv(100)
    assert second.xray_socket.recv(100) == b"mine"
