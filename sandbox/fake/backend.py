"""Sandboxes whose processes are coroutines. Passes tests/conformance/test_backend.py."""

from __future__ import annotations

import asyncio
import copy
import os
import socket
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from emberd.wire.errors import UnavailableError
from sandbox.backend import FoundRuntime, ProcessExit, Stock, Usage
from sandbox.spec import MIB, SandboxSpec

_SIGKILL = 9


@dataclass(slots=True, kw_only=True)
class FakeProcess:
    """What a program sees: its side of a sandbox."""

    spec: SandboxSpec
    runtime_api: tuple[str, int]
    """Where the sandbox's listener can be reached."""
    callback: tuple[str, int]
    """Where its listener of emberd's own API can be reached."""
    xray: tuple[str, int]
    """Where its socket of X-Ray's daemon can be reached."""
    otlp: tuple[str, int]
    """Where its listener of a collector can be reached."""
    tmp: dict[str, bytes]
    """/tmp: survives a reset, not a destroy."""
    memory: dict[str, object]
    """What it remembers; a clone begins with a copy of its template's."""
    generation: int
    _log_fd: int
    _running: asyncio.Event

    async def say(self, text: bytes) -> None:
        """Write to the log; a frozen process waits for its thaw first."""
        while text:
            await self._running.wait()
            try:
                text = text[os.write(self._log_fd, text) :]
            except BlockingIOError:
                # As with a real pipe that nobody empties, the writer waits.
                await asyncio.sleep(0)

    def opt(self) -> dict[str, bytes]:
        """What a program finds at /opt: the files of the function's layers by their paths."""
        root = Path(self.spec.layers_directory)
        if not self.spec.layers_directory:
            return {}
        files = (each for each in root.rglob("*") if each.is_file())
        return {str(each.relative_to(root)): each.read_bytes() for each in files}

    async def sleep_until_killed(self) -> ProcessExit:
        """Do nothing for ever."""
        await asyncio.get_running_loop().create_future()
        raise AssertionError("a future that nobody sets was set")


Program = Callable[[FakeProcess], Coroutine[None, None, ProcessExit]]
"""Runs until it returns how it ended, or is cancelled by a kill."""


class FakeBackend:
    """Makes fake sandboxes."""

    def __init__(
        self,
        programs: Mapping[str, Program],
        runtimes: Sequence[FoundRuntime] = (
            FoundRuntime(runtime_id="python3.13", version="3.13.0"),
        ),
    ) -> None:
        """programs are found by the code directory of a spec."""
        self._programs = programs
        self._runtimes = tuple(runtimes)
        self._sandboxes: dict[str, FakeSandbox] = {}

    @property
    def runtimes(self) -> Sequence[FoundRuntime]:
        """What this host can run."""
        return self._runtimes

    @property
    def stock(self) -> Stock:
        """It keeps nothing ready."""
        return Stock()

    @property
    def sandbox_ids(self) -> list[str]:
        """Sandboxes that are not destroyed."""
        return list(self._sandboxes)

    def sandbox(self, sandbox_id: str) -> FakeSandbox:
        """For tests: one that is not destroyed."""
        return self._sandboxes[sandbox_id]

    async def create(self, spec: SandboxSpec) -> FakeSandbox:
        """Make a sandbox and start its program."""
        known = [each.runtime_id for each in self._runtimes]
        if spec.runtime_id not in known:
            raise UnavailableError(
                f"this host has no runtime {spec.runtime_id}, only {known}", reason="SERVICE"
            )
        program = self._programs.get(spec.code_directory)
        if program is None:
            raise UnavailableError(f"{spec.code_directory} does not exist", reason="SERVICE")
        memory: dict[str, object] = {}
        if spec.clone_of:
            template = self._sandboxes.get(spec.clone_of)
            if template is None or not template.is_forkable:
                raise UnavailableError(
                    f"the template {spec.clone_of} is not there", reason="SERVICE"
                )
            memory = copy.deepcopy(template.memory)
        sandbox = FakeSandbox(
            spec, program, memory, lambda: self._sandboxes.pop(spec.sandbox_id, None)
        )
        self._sandboxes[spec.sandbox_id] = sandbox
        return sandbox

    async def close(self) -> None:
        """Destroy every sandbox. Idempotent."""
        for sandbox in list(self._sandboxes.values()):
            await sandbox.destroy()


@dataclass(eq=False, slots=True)
class _Environment:
    """What outlives a tree."""

    listener: socket.socket
    callback_listener: socket.socket
    xray_socket: socket.socket
    otlp_listener: socket.socket
    log_read_fd: int
    log_write_fd: int
    tmp: dict[str, bytes] = field(default_factory=dict)

    @classmethod
    def create(cls) -> _Environment:
        listener, callback_listener, otlp_listener = (
            socket.create_server(("127.0.0.1", 0)) for _ in range(3)
        )
        xray_socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        xray_socket.bind(("127.0.0.1", 0))
        for each in (listener, callback_listener, xray_socket, otlp_listener):
            each.settimeout(0)
        # The program shares the test's thread, so its end must not block either.
        read_fd, write_fd = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        return cls(listener, callback_listener, xray_socket, otlp_listener, read_fd, write_fd)

    def close(self) -> None:
        self.listener.close()
        self.callback_listener.close()
        self.xray_socket.close()
        self.otlp_listener.close()
        os.close(self.log_read_fd)
        os.close(self.log_write_fd)


class FakeSandbox:
    """One sandbox whose tree is a task."""

    def __init__(
        self,
        spec: SandboxSpec,
        program: Program,
        memory: dict[str, object],
        forget: Callable[[], object],
    ) -> None:
        self._spec = spec
        self.memory = memory
        """What its program remembers; a clone begins with a copy of its template's."""
        self._program = program
        self._forget = forget
        self._environment = _Environment.create()
        self._running = asyncio.Event()
        self._destroyed = False
        self._generation = 0
        self.cpu_millis = 0
        """What limit_cpu has set; 0 during init."""
        self.memory_bytes = 0
        """What it may use: its spec's, or what allow_memory has set since it began."""
        self.oom_kills = 0
        """For tests: what usage reports."""
        self._start()

    @property
    def spec(self) -> SandboxSpec:
        """What it was made from."""
        return self._spec

    @property
    def listener(self) -> socket.socket:
        """A listening socket on the loopback address."""
        return self._environment.listener

    @property
    def callback_listener(self) -> socket.socket:
        """Another listening socket on the loopback address."""
        return self._environment.callback_listener

    @property
    def xray_socket(self) -> socket.socket:
        """A datagram socket on the loopback address."""
        return self._environment.xray_socket

    @property
    def otlp_listener(self) -> socket.socket:
        """One more listening socket on the loopback address."""
        return self._environment.otlp_listener

    @property
    def log_fd(self) -> int:
        """Non-blocking read end of what the program says."""
        return self._environment.log_read_fd

    @property
    def phases(self) -> Sequence[tuple[str, int, int]]:
        """What making the newest tree took."""
        return self._phases

    @property
    def is_frozen(self) -> bool:
        """For tests: whether it may not run."""
        return not self._running.is_set()

    @property
    def is_forkable(self) -> bool:
        """Whether it is a template whose program runs."""
        return self._spec.is_template and not self._task.done()

    @property
    def was_parked(self) -> bool:
        """Never: there is nothing to start ahead."""
        return False

    async def wait(self) -> ProcessExit:
        """Return once the current program has ended."""
        return await asyncio.shield(self._ended)

    def freeze(self) -> None:
        """What it says waits."""
        self._running.clear()

    def thaw(self) -> None:
        """Undo freeze."""
        self._running.set()

    def limit_cpu(self, shares: int = 1) -> None:
        """Remember how much it may use."""
        self.cpu_millis = self._spec.limits.cpu_millis * shares

    def allow_memory(self, shares: int) -> None:
        """Remember how much it may use."""
        self.memory_bytes = self._spec.limits.memory_bytes * shares

    def usage(self) -> Usage:
        """Something plausible."""
        return Usage(memory_peak_bytes=32 * MIB, oom_kills=self.oom_kills)

    async def kill(self) -> None:
        """Cancel the program and wait for its end."""
        self._task.cancel()
        await asyncio.wait({self._task})

    async def reset(self) -> None:
        """Kill the program and start it again with the same /tmp."""
        await self.kill()
        self._start()

    async def destroy(self) -> None:
        """End it and leave nothing. Idempotent."""
        if self._destroyed:
            return
        self._destroyed = True
        await self.kill()
        self._environment.close()
        self._forget()

    def _start(self) -> None:
        begun_ns = time.time_ns()
        self._generation += 1
        self.cpu_millis, self.memory_bytes = 0, self._spec.limits.memory_bytes
        self._running.set()
        host, port = self._environment.listener.getsockname()
        process = FakeProcess(
            spec=self._spec,
            runtime_api=(host, port),
            callback=self._environment.callback_listener.getsockname(),
            xray=self._environment.xray_socket.getsockname(),
            otlp=self._environment.otlp_listener.getsockname(),
            tmp=self._environment.tmp,
            memory=self.memory,
            generation=self._generation,
            _log_fd=self._environment.log_write_fd,
            _running=self._running,
        )
        ended: asyncio.Future[ProcessExit] = asyncio.get_running_loop().create_future()
        self._ended = ended
        self._task = asyncio.create_task(self._program(process))
        # A callback, since a task that is cancelled before its first step runs no code at all.
        self._task.add_done_callback(lambda task: ended.set_result(_how_it_ended(task)))
        self._phases = (("birth", begun_ns, time.time_ns()),)


def _how_it_ended(task: asyncio.Task[ProcessExit]) -> ProcessExit:
    """A program that was cancelled was killed; one that raised is a broken test, and says so."""
    return ProcessExit(signal=_SIGKILL) if task.cancelled() else task.result()
