"""A real launcher for tests, with a stand-in agent that hands its socket to the test.

The test process then is the agent: it uses the very ProcessBackend that the agent uses. What runs
in the sandboxes is /var/task/main.py, started by a bootstrap of two lines.
"""

from __future__ import annotations

import itertools
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from pathlib import Path

from sandbox.process import protocol
from sandbox.process.backend import ProcessBackend
from sandbox.process.instance import Instance
from sandbox.process.protocol import Reply
from sandbox.spec import MIB, Limits, SandboxSpec

BOOTSTRAP = "import runpy\nrunpy.run_path('/var/task/main.py', run_name='__main__')\n"

TEMPLATE_ENTRY = (
    "import runpy\n\n\ndef main():\n    runpy.run_path('/var/task/main.py', run_name='__main__')\n"
)
"""The same for a fork of the runtime's template."""

BECOMES_A_COPY = "from emberd_runtime import copying\ncopying.serve(lambda: None)\n"
"""A program that begins with this goes on in its copies only."""

# Sends the launcher's socket to the test, then lives as long as the test keeps the connection.
RELAY = """
import socket, sys
relay = socket.socket(socket.AF_UNIX)
relay.connect(sys.argv[1])
socket.send_fds(relay, [b"launcher"], [3])
relay.recv(1)
"""

LAUNCH = """
import os, sys
from pathlib import Path
from emberd.wire.logtext import log_to_stderr
from sandbox.process.launcher import Launcher, LauncherConfig
from sandbox.process.named_networks import parse_networks
log_to_stderr("launcher", "DEBUG")
state, relay, sources = (Path(each) for each in sys.argv[1:4])
Launcher(LauncherConfig(
    state=state,
    agent_arguments=("-I", "-c", Path(sources, "relay.txt").read_text(), str(relay)),
    memory_bytes=4 << 30,
    token_path=Path(os.devnull),
    agent_needs=(relay,),
    runtime_ids=(sys.argv[4],),
    runtime_sources={"python": sources},
    templates=sys.argv[5] == "forked",
    template_age_s=float(sys.argv[6]),
    networks=parse_networks(list(filter(None, sys.argv[7].split("|")))),
    left_out=frozenset(sys.argv[8:]),
    allow_missing=tuple(sys.argv[8:]),
)).run()
"""

RUNTIME_ID = f"python3.{sys.version_info.minor}"
"""The interpreter that runs the tests is there, so its runtime is."""

OUR_RUNTIME = Path(__file__).parents[2] / "runtimes" / "python"

PATIENCE = float(os.environ.get("EMBERD_TEST_PATIENCE", "1"))
"""How much longer than usual to wait for what must happen: an emulated machine is slow."""

BIRTHS = ("executed", "forked")
"""The ways in which a sandbox can come to its program: by exec, or by fork from a template."""

_numbers = itertools.count(1)


def what_is_missing() -> str:
    """Why real sandboxes cannot be made here; empty when they can."""
    if os.geteuid() != 0:
        return "root"
    if not Path("/proc/self/ns/user").exists():
        return "user namespaces"
    if shutil.which("mkfs.ext4") is None:
        return "mkfs.ext4 (apt-get install e2fsprogs)"
    if shutil.which("nft") is None:
        return "nft (apt-get install nftables)"
    return ""


class Host:
    """One launcher process, with its folder."""

    def __init__(
        self,
        folder: Path,
        *,
        born: str = "executed",
        left_out: tuple[str, ...] = (),
        within: tuple[str, ...] = (),
        networks: tuple[str, ...] = (),
        real_runtime: bool = False,
    ) -> None:
        """A launcher that is not started yet.

        Args:
            folder: Its own.
            born: One of BIRTHS.
            left_out: Walls to do without.
            within: What starts it, so that it finds another network than this machine's.
            networks: The named networks that it offers.
            real_runtime: Its sandboxes run our own runtime, not the stand-in.
        """
        self.network = "none"
        """What its sandboxes reach: nothing, unless a test is about that."""
        self._within = within
        self._networks = networks
        self._real_runtime = real_runtime
        self.folder = folder
        self._born = born
        self.template_age_s = 3600.0
        self._left_out = left_out
        self.state = folder / "state"
        self.instance = Instance(state=self.state)
        self.process: subprocess.Popen[bytes] | None = None
        self._sources = folder / "sources"
        self._relay_path = folder / "relay"
        self._relay = socket.socket(socket.AF_UNIX)
        self._connections: list[socket.socket] = []
        self._shared: socket.socket | None = None
        self.log = folder / "launcher.log"

    def prepare(self) -> None:
        """Make what a launcher is given."""
        if self._real_runtime:
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(OUR_RUNTIME, self._sources, ignore=ignored)
            self._prepare_relay()
            return
        self._sources.mkdir()
        (self._sources / "bootstrap.py").write_text(BOOTSTRAP)
        entry = self._sources / "emberd_runtime" / "loop.py"
        entry.parent.mkdir()
        entry.write_text(TEMPLATE_ENTRY)
        entry.with_name("rehearsal.py").write_text("def rehearse(): pass\n")
        # So that what runs in a function template can let itself be copied.
        shutil.copy(OUR_RUNTIME / "emberd_runtime" / "copying.py", entry.parent)
        self._prepare_relay()

    def _prepare_relay(self) -> None:
        (self._sources / "relay.txt").write_text(RELAY)
        self.folder.chmod(0o700)
        self._relay.bind(str(self._relay_path))
        self._relay_path.chmod(0o666)
        self._relay.listen(8)

    def start(self) -> socket.socket:
        """Start a launcher; returns the agent's end of its socket."""
        arguments = [
            str(self.state),
            str(self._relay_path),
            str(self._sources),
            RUNTIME_ID,
            self._born,
            str(self.template_age_s),
            "|".join(self._networks),
        ]
        arguments += self._left_out
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*self._within, sys.executable, "-c", LAUNCH, *arguments], stdout=log, stderr=log
            )
        agent = self.accept()
        if self._born == "forked":
            ready = b"a template is ready"
            assert eventually(lambda: ready in self.log.read_bytes(), 30), self.log.read_text()
        return agent

    @property
    def forks(self) -> bool:
        """Whether its sandboxes are forked from a template."""
        return self._born == "forked"

    def connection(self) -> socket.socket:
        """One more descriptor of the agent's end, for a backend that will close it."""
        if self._shared is None:
            self._shared = self.start()
        return self._shared.dup()

    def accept(self, timeout_s: float = 15) -> socket.socket:
        """The socket of the next agent that the launcher starts."""
        self._relay.settimeout(timeout_s * PATIENCE)
        try:
            connection, _ = self._relay.accept()
        except TimeoutError:
            raise AssertionError(f"no agent came: {self.log.read_text()}") from None
        self._connections.append(connection)
        connection.settimeout(timeout_s)
        _, fds, _, _ = socket.recv_fds(connection, 16, 1, socket.MSG_CMSG_CLOEXEC)
        return socket.socket(fileno=fds[0])

    def end_agent(self) -> None:
        """Let the stand-in agent exit."""
        self._connections.pop().close()

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Signal the launcher and wait for its end."""
        assert self.process is not None, "a host is started before it is stopped"
        self.process.send_signal(number)
        for connection in self._connections:
            connection.close()
        self._connections.clear()
        return self.process.wait(timeout=30)

    def close(self) -> None:
        """End whatever is left."""
        if self.process is not None and self.process.poll() is None:
            self.stop()
        if self._shared is not None:
            self._shared.close()
        self._relay.close()

    def code(self, source: str) -> Path:
        """A package of one file, owned by the agent like all code is."""
        return self.folder_of({"main.py": source})

    def folder_of(self, files: Mapping[str, str], mode: int = 0o644) -> Path:
        """A folder with these files, owned by the agent."""
        folder = self.state / "agent" / f"code-{next(_numbers)}"
        folder.mkdir(parents=True)
        for name, content in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
            path.chmod(mode)
        for path in (folder, *folder.rglob("*")):
            if path.is_dir():
                path.chmod(0o755)
            os.chown(path, self.instance.agent_id, self.instance.agent_id)
        return folder

    def spec(self, source: str, **limits: int) -> SandboxSpec:
        """A sandbox that runs this program."""
        return self.spec_of({"main.py": source}, **limits)

    def spec_of(self, files: Mapping[str, str], **limits: int) -> SandboxSpec:
        """A sandbox that runs main.py of these files."""
        wanted = {
            "memory_bytes": 256 * MIB,
            "cpu_millis": 1000,
            "processes": 64,
            "ephemeral_bytes": 512 * MIB,
            **limits,
        }
        number = next(_numbers)
        return SandboxSpec(
            sandbox_id=f"sb-{number}",
            revision_id=f"r-{number}",
            runtime_id=RUNTIME_ID,
            code_directory=str(self.folder_of(files)),
            environment={"GREETING": "hello"},
            network=self.network,
            limits=Limits(**wanted),
        )


@contextmanager
def prepared(host: Host) -> Iterator[Host]:
    """A launcher that may be started, and is ended."""
    host.prepare()
    try:
        yield host
    finally:
        host.close()


@asynccontextmanager
async def connected(host: Host) -> AsyncIterator[ProcessBackend]:
    """A backend on this launcher, which is started if it is not; what it made is destroyed."""
    backend = await ProcessBackend.connect(host.connection())
    try:
        yield backend
    finally:
        await backend.close()


def spec_of_copy(template: SandboxSpec) -> SandboxSpec:
    """A copy of this template."""
    sandbox_id = f"{template.sandbox_id}-copy-{next(_numbers)}"
    clone_of = template.sandbox_id
    return replace(template, sandbox_id=sandbox_id, is_template=False, clone_of=clone_of)


def read_until(fd: int, end: bytes, timeout_s: float = 10) -> bytes:
    """Read a log pipe until it has said this."""
    said, deadline = b"", time.monotonic() + timeout_s * PATIENCE
    while end not in said:
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([fd], [], [], left)[0]:
            raise AssertionError(f"{end!r} was not said within {timeout_s} s, but {said!r}")
        said += os.read(fd, 65536)
    return said


def answer_to(agent: socket.socket, timeout_s: float = 10) -> Reply:
    """The launcher's next reply; what it tells unasked is passed over."""
    agent.settimeout(timeout_s)
    while True:
        message = protocol.decode_message(agent.recv(protocol.MESSAGE_BYTES_MAX))
        if isinstance(message, Reply):
            return message


def eventually(condition: Callable[[], bool], timeout_s: float = 5) -> bool:
    """Whether it becomes true within the time."""
    deadline = time.monotonic() + timeout_s * PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            return False
        select.select([], [], [], 0.005)
    return True
