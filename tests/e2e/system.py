"""A whole emberd as a user runs it: the console script, its command line, and what it leaves."""

from __future__ import annotations

import json
import os
import select
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import boto3
import grpc
import pytest
from botocore.config import Config

from emberd.invocation.v1 import invocation_pb2, invocation_pb2_grpc

T = TypeVar("T")

EMBERD = Path(sys.executable).with_name("emberd")
READY_S = 60.0
STOP_S = 30.0
CALL_S = 60.0

PARTS = {
    "control plane": "controlplane.start",
    "agent": "sandbox.agent",
    "launcher": "emberd-host run",
    "supervisor": "emberd serve",
}
"""What the command line of each part has in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """One process, told from a later one with the same pid by its start."""

    pid: int
    parent: int
    started: int
    command: str

    def is_alive(self) -> bool:
        """Whether this very process still runs; a zombie does not."""
        now = process_of(self.pid)
        return now is not None and now.started == self.started


@dataclass(slots=True)
class Footprint:
    """What a running emberd has on this machine besides its data folder."""

    processes: list[Process]
    cgroups: list[Path]
    namespaces: set[str]
    data: Path
    mounts: list[str] = field(default_factory=list)

    def left(self) -> list[str]:
        """Everything of it that is still there."""
        return [
            *(f"process {each.pid} {each.command}" for each in self.processes if each.is_alive()),
            *(f"cgroup {each}" for each in self.cgroups if each.exists()),
            *(f"namespace {each}" for each in self.namespaces & namespaces_in_use()),
            *(f"mount {each}" for each in mounts_below(self.data)),
            *(f"loop device {each}" for each in loop_devices_of(self.data)),
        ]


def mark(items: Iterable[pytest.Item], folder: Path) -> None:
    """The tests below a folder start the whole system, for which they need root."""
    for item in items:
        if item.path.is_relative_to(folder):
            item.add_marker(pytest.mark.e2e)
            if os.geteuid() != 0:
                item.add_marker(pytest.mark.skip(reason="needs root: real sandboxes"))


@contextmanager
def running(folder: Path) -> Iterator[Emberd]:
    """A running emberd; when it has stopped, nothing of it is left."""
    one = Emberd(folder).start()
    try:
        yield one
        footprint = one.footprint()
        assert one.stop() == 0, one.log()
        assert footprint.left() == []
    finally:
        one.close()


class Emberd:
    """One data folder and the `emberd serve` that runs on it."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.options = options
        self.process: subprocess.Popen[bytes] | None = None
        self.environment: dict[str, str] = {}
        self.starts = 0

    def start(self) -> Emberd:
        """Start it with stdout and stderr in files, and wait until it is ready."""
        self.begin()
        eventually(self._is_ready, READY_S, what=lambda: f"not ready: {self.log()}")
        self.environment = self._exports()
        return self

    def begin_and_listen(self) -> None:
        """Start it and wait until it listens, for one that has no host and is never ready."""
        self.begin()
        eventually(lambda: "HTTP on" in self.log(), READY_S, what=lambda: self.log())
        self.environment = self._exports()

    def begin(self) -> None:
        """Start it and return at once."""
        self.starts += 1
        addresses = ("--http", "127.0.0.1:0", "--grpc", "127.0.0.1:0")
        with self._file("stdout").open("wb") as out, self._file("stderr").open("wb") as err:
            self.process = subprocess.Popen(
                [EMBERD, "serve", "--data", self.data, *addresses, *self.options],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
            )

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send a signal and wait for the end; return the exit status."""
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(STOP_S)

    def close(self) -> None:
        """End it, whatever state it is in."""
        if self.process is not None and self.process.poll() is None:
            self.stop()

    def log(self) -> str:
        """What it wrote to stderr since its last start."""
        return self._file("stderr").read_text()

    def run(
        self, *arguments: str | Path, payload: bytes | None = None, timeout_s: float = CALL_S
    ) -> subprocess.CompletedProcess[bytes]:
        """Run one command of the command line, as a shell with its exports would."""
        return subprocess.run(
            [EMBERD, *arguments],
            env={**os.environ, **self.environment},
            input=payload if payload is not None else b"",
            capture_output=True,
            timeout=timeout_s,
            check=False,
        )

    def begin_run(self, *arguments: str | Path) -> subprocess.Popen[bytes]:
        """Start one command and return at once."""
        return subprocess.Popen(
            [EMBERD, *arguments],
            env={**os.environ, **self.environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def ok(self, *arguments: str | Path, payload: bytes | None = None) -> bytes:
        """Run one command that must succeed; return its stdout."""
        done = self.run(*arguments, payload=payload)
        assert done.returncode == 0, f"{arguments}: {done.returncode}: {done.stderr.decode()}"
        return done.stdout

    def deploy(self, path: Path, name: str, **options: str | int) -> dict[str, object]:
        """Deploy a folder or a zip under a name; options as on the command line."""
        flags = [
            part
            for key, value in options.items()
            for part in (f"--{key.replace('_', '-')}", str(value))
        ]
        shown = self.ok("deploy", path, "--name", name, *flags, "--output", "json")
        deployed: dict[str, object] = json.loads(shown)
        return deployed

    def answer(self, name: str, event: object = None) -> object:
        """Invoke a function that must succeed; return what it answered."""
        return json.loads(self.ok("invoke", name, "--payload", json.dumps(event)))

    def failure(self, name: str, event: object = None) -> dict[str, object]:
        """Invoke a function that must fail; return its error."""
        done = self.run("invoke", name, "--payload", json.dumps(event))
        assert done.returncode == 1, f"{done.returncode}: {done.stdout!r} {done.stderr.decode()}"
        failed: dict[str, object] = json.loads(done.stdout)
        return failed

    def client(self, service: str = "lambda", config: Config | None = None) -> Any:
        """AWS's SDK as a user of `emberd env` has it; the caller's to close."""
        exports = self.environment
        return boto3.client(
            service,
            endpoint_url=exports["AWS_ENDPOINT_URL"],
            region_name=exports["AWS_REGION"],
            aws_access_key_id=exports["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=exports["AWS_SECRET_ACCESS_KEY"],
            config=config,
        )

    def wait_until_running(self, count: int) -> None:
        """Wait until so many invocations run on the hosts."""
        query = ("hosts", "--query", "sum(Hosts[].Running)", "--output", "text")
        eventually(lambda: self.ok(*query).strip() == str(count).encode(), CALL_S)

    def invocations(
        self, channel: grpc.Channel
    ) -> tuple[invocation_pb2_grpc.InvocationServiceStub, tuple[tuple[str, str], ...]]:
        """The stub and the metadata of any other gRPC client."""
        token = self.environment["EMBERD_TOKEN"]
        stub = invocation_pb2_grpc.InvocationServiceStub(channel)
        return stub, (("authorization", f"Bearer {token}"),)

    def request(self, name: str, payload: bytes) -> invocation_pb2.InvokeRequest:
        """One event for one function."""
        return invocation_pb2.InvokeRequest(function_name=name, payload=payload)

    @property
    def address(self) -> str:
        """Where it speaks gRPC."""
        return self.environment["EMBERD_ENDPOINT"]

    def tree(self) -> list[Process]:
        """Every process of it, the supervisor first."""
        assert self.process is not None
        everything = list(processes())
        found = [each for each in everything if each.pid == self.process.pid]
        for one in found:
            found.extend(each for each in everything if each.parent == one.pid)
        return found

    def part(self, name: str) -> Process:
        """The process of one part; the launcher is the one that the supervisor started."""
        tree = [each for each in self.tree() if PARTS[name] in each.command]
        assert tree, f"no {name} among {[each.command for each in self.tree()]}"
        return tree[0]

    def footprint(self) -> Footprint:
        """All that it has now on this machine."""
        tree = self.tree()
        shared = {os.readlink(f"/proc/self/ns/{kind}") for kind in ("mnt", "net")}
        return Footprint(
            processes=tree,
            cgroups=[folder for each in tree for folder in cgroups_of(each.pid)],
            namespaces={found for each in tree for found in namespaces_of(each.pid)} - shared,
            data=self.data,
        )

    def _is_ready(self) -> bool:
        assert self.process is not None
        log = self.log()
        assert self.process.poll() is None, f"it ended: {log}"
        return "emberd ready" in log.splitlines()

    def _exports(self) -> dict[str, str]:
        shown = subprocess.run(
            [EMBERD, "env", "--data", self.data], capture_output=True, check=True, text=True
        ).stdout
        lines = [shlex.split(line) for line in shown.splitlines()]
        assert all(line[0] == "export" and len(line) == 2 for line in lines), shown
        return dict(line[1].split("=", 1) for line in lines)

    def _file(self, name: str) -> Path:
        return self.folder / f"serve-{self.starts}.{name}"


def eventually(
    condition: Callable[[], T], patience_s: float, what: Callable[[], str] = lambda: "it"
) -> T:
    """Wait for something that cannot notify; return the first true answer."""
    until = time.monotonic() + patience_s
    while True:
        found = condition()
        if found:
            return found
        assert time.monotonic() < until, f"{what()} did not happen within {patience_s:g} s"
        select.select([], [], [], 0.02)


def processes() -> Iterator[Process]:
    """Every process of this machine that is no zombie."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (found := process_of(int(entry.name))) is not None:
            yield found


def process_of(pid: int) -> Process | None:
    """One process; None when it has ended (proc(5): stat, cmdline)."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
        command = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except (FileNotFoundError, ProcessLookupError):
        return None
    state, parent, *rest = stat.rpartition(")")[2].split()
    if state in "ZX":
        return None
    return Process(pid=pid, parent=int(parent), started=int(rest[17]), command=command.strip())


def namespaces_of(pid: int) -> set[str]:
    """The mount and network namespaces of a process, as net:[4026531840]."""
    found = set()
    for kind in ("mnt", "net"):
        try:
            found.add(os.readlink(f"/proc/{pid}/ns/{kind}"))
        except OSError:
            continue  # it has just ended
    return found


def namespaces_in_use() -> set[str]:
    """Those of every process, and those that something keeps by a mount."""
    kept = {line.split()[3] for line in Path("/proc/self/mountinfo").read_text().splitlines()}
    return kept.union(*(namespaces_of(each.pid) for each in processes()))


def cgroups_of(pid: int) -> list[Path]:
    """The folders of a process's cgroups whose path has emberd in it, with their parents."""
    roots = _cgroup_roots()
    found = []
    try:
        lines = Path(f"/proc/{pid}/cgroup").read_text().splitlines()
    except OSError:
        return []
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if "/emberd" in path and controllers in roots:
            folder = roots[controllers] / path.lstrip("/")
            found += [each for each in (folder, *folder.parents) if "/emberd" in str(each)]
    return found


def _cgroup_roots() -> dict[str, Path]:
    """Where each hierarchy is mounted, by its controllers as /proc/PID/cgroup names them."""
    roots = {}
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        before, after = line.split(" - ")
        kind, _, options = after.split(" ", 2)
        place = Path(before.split()[4])
        if kind == "cgroup2":
            roots[""] = place
        elif kind == "cgroup":
            known = {"cpu", "cpuacct", "memory", "pids", "freezer", "devices", "blkio", "cpuset"}
            names = [each for each in options.split(",") if each in known]
            roots[",".join(names)] = place
    return roots


def mounts_below(folder: Path) -> list[str]:
    """Mounts in this namespace that lie in a folder or come from a file in it."""
    lines = Path("/proc/self/mountinfo").read_text().splitlines()
    return [line for line in lines if str(folder) in line]


def loop_devices_of(folder: Path) -> list[str]:
    """Loop devices whose file lies, or lay, in a folder."""
    found = []
    for backing in Path("/sys/block").glob("loop*/loop/backing_file"):
        try:
            if str(folder) in backing.read_text():
                found.append(backing.parts[3])
        except OSError:
            continue  # it has just been detached
    return found


def listeners(port: int) -> set[int]:
    """The pids that hold a listening TCP socket on a port (proc(5): net/tcp, net/tcp6)."""
    inodes = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        for line in Path(table).read_text().splitlines()[1:]:
            _, local, _, state, *rest = line.split()
            if state == "0A" and int(local.rpartition(":")[2], 16) == port:
                inodes.add(f"socket:[{rest[5]}]")
    return {each.pid for each in processes() if inodes & _descriptors(each.pid)}


def _descriptors(pid: int) -> set[str]:
    found = set()
    try:
        for entry in Path(f"/proc/{pid}/fd").iterdir():
            found.add(os.readlink(entry))
    except OSError:
        pass  # it has just ended, or closed one of them
    return found
