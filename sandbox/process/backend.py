"""The agent's side of the process sandbox: verbs to the launcher, everything else by descriptor.

A warm invocation, a freeze, a CPU limit and a kill never visit the launcher.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import itertools
import os
import socket
from collections.abc import Callable, Iterable, Iterator, Sequence

from emberd.wire.errors import UnavailableError
from sandbox.backend import FoundRuntime, ProcessExit, Stock, Usage
from sandbox.process import protocol
from sandbox.process.cgroups import parse_oom_kills
from sandbox.process.protocol import Create, Destroy, Exited, Hello, Reply, Request, Reset, Stocked
from sandbox.spec import SandboxSpec

HELLO_TIMEOUT_S = 30.0
CREATE_TIMEOUT_S = 120.0
"""Long, because the first create of a runtime waits for its image; a start itself has 5 s."""
END_TIMEOUT_S = 10.0

_Answer = tuple[Reply, list[int]]


class ProcessBackend:
    """Makes process sandboxes by asking the launcher."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._numbers = itertools.count(1)
        self._answers: dict[int, asyncio.Future[_Answer]] = {}
        self._sandboxes: dict[str, ProcessSandbox] = {}
        self._runtimes: tuple[FoundRuntime, ...] = ()
        self._notes: tuple[str, ...] = ()
        self._stock = Stock()
        self._on_lost: Callable[[], None] | None = None
        self._lost = False

    @classmethod
    async def connect(cls, connection: socket.socket) -> ProcessBackend:
        """Meet the launcher at the other end and learn what this host can run."""
        connection.settimeout(0)
        backend = cls(connection)
        asyncio.get_running_loop().add_reader(connection.fileno(), backend._receive)
        async with asyncio.timeout(HELLO_TIMEOUT_S):
            reply, _ = await backend._ask(Hello(number=next(backend._numbers)), ())
        backend._runtimes = tuple(
            FoundRuntime(runtime_id=name, version=version)
            for name, version in sorted(reply.runtimes.items())
        )
        backend._notes = tuple(reply.notes)
        return backend

    @property
    def runtimes(self) -> Sequence[FoundRuntime]:
        """What this host can run."""
        return self._runtimes

    @property
    def isolation_notes(self) -> tuple[str, ...]:
        """What this host cannot isolate, each with its remedy."""
        return self._notes

    @property
    def stock(self) -> Stock:
        """What the launcher keeps ready."""
        return self._stock

    def on_lost(self, callback: Callable[[], None]) -> None:
        """Call this once the launcher is gone; at once if it is already."""
        self._on_lost = callback
        if self._lost:
            callback()

    async def create(self, spec: SandboxSpec) -> ProcessSandbox:
        """Make an environment and start the runtime in it."""
        request = Create(
            number=next(self._numbers),
            sandbox_id=spec.sandbox_id,
            runtime_id=spec.runtime_id,
            environment=spec.environment,
            limits=spec.limits,
            has_layers=bool(spec.layers_directory),
            has_bytecode=bool(spec.bytecode_directory),
            network=spec.network,
            is_template=spec.is_template,
            clone_of=spec.clone_of,
        )
        try:
            with _directories(spec) as directories:
                async with asyncio.timeout(CREATE_TIMEOUT_S):
                    reply, fds = await self._ask(request, directories)
        except TimeoutError:
            self._abandon(spec.sandbox_id)
            raise UnavailableError(
                f"sandbox {spec.sandbox_id} was not made within {CREATE_TIMEOUT_S:.0f} s; "
                "the launcher's log has the cause",
                reason="SERVICE",
            ) from None
        except asyncio.CancelledError:
            self._abandon(spec.sandbox_id)
            raise
        assert spec.sandbox_id not in self._sandboxes, "sandbox ids are unique"
        sandbox = ProcessSandbox(self, spec, reply, fds)
        self._sandboxes[spec.sandbox_id] = sandbox
        return sandbox

    async def close(self) -> None:
        """Destroy every sandbox and part from the launcher. Idempotent."""
        for sandbox in list(self._sandboxes.values()):
            with contextlib.suppress(UnavailableError):
                await sandbox.destroy()
        self._lose()
        self._connection.close()

    async def ask(self, request: Request) -> Reply:
        """For sandboxes: one verb without descriptors; its number comes from number()."""
        async with asyncio.timeout(END_TIMEOUT_S):
            reply, _ = await self._ask(request, ())
        return reply

    def number(self) -> int:
        """A number for the next request."""
        return next(self._numbers)

    def forget(self, sandbox_id: str) -> None:
        """For sandboxes: it is destroyed."""
        self._sandboxes.pop(sandbox_id, None)

    async def _ask(self, request: Request, fds: Sequence[int]) -> _Answer:
        future: asyncio.Future[_Answer] = asyncio.get_running_loop().create_future()
        self._answers[request.number] = future
        try:
            await self._send(protocol.encode_request(request), fds)
            return await future
        except asyncio.CancelledError:
            # The answer may have come in the very turn in which nobody wanted it any more.
            if future.done() and not future.cancelled() and future.exception() is None:
                _close_all(future.result()[1])
            raise
        finally:
            self._answers.pop(request.number, None)

    async def _send(self, packet: bytes, fds: Sequence[int]) -> None:
        while True:
            try:
                socket.send_fds(self._connection, [packet], list(fds))
                return
            except BlockingIOError:
                # The launcher is in the middle of something; it empties its socket in a moment.
                await asyncio.sleep(0.001)
            except OSError as error:
                raise _launcher_gone() from error

    def _abandon(self, sandbox_id: str) -> None:
        """Nobody waits for this create any more: whatever comes of it is destroyed."""
        request = Destroy(number=next(self._numbers), sandbox_id=sandbox_id)
        with contextlib.suppress(OSError):
            self._connection.send(protocol.encode_request(request))

    def _receive(self) -> None:
        try:
            packet, fds = protocol.receive(self._connection)
        except BlockingIOError:
            return
        except ConnectionError:
            packet, fds = b"", []
        if not packet:
            self._lose()
            return
        message = protocol.decode_message(packet)
        if isinstance(message, Exited):
            self._tree_ended(message)
        elif isinstance(message, Stocked):
            self._stock = Stock(parked=message.parked, runtime_templates=message.runtime_templates)
        else:
            self._answered(message, fds)

    def _answered(self, reply: Reply, fds: list[int]) -> None:
        future = self._answers.get(reply.number)
        if future is None or future.done():
            _close_all(fds)
        elif reply.error is not None:
            future.set_exception(reply.error)
        else:
            future.set_result((reply, fds))

    def _tree_ended(self, event: Exited) -> None:
        sandbox = self._sandboxes.get(event.sandbox_id)
        if sandbox is not None:
            how = ProcessExit(status=event.status, signal=event.signal)
            sandbox.tree_ended(event.generation, how)

    def _lose(self) -> None:
        if self._lost:
            return
        self._lost = True
        asyncio.get_running_loop().remove_reader(self._connection.fileno())
        # First, because the ends that are told below are not the functions' own doing.
        if self._on_lost is not None:
            self._on_lost()
        for future in self._answers.values():
            if not future.done():
                future.set_exception(_launcher_gone())
        for sandbox in self._sandboxes.values():
            sandbox.tree_ended(sandbox.generation, ProcessExit(signal=9))


class ProcessSandbox:
    """One sandbox, as the agent holds it: descriptors and the news of its end."""

    def __init__(
        self, backend: ProcessBackend, spec: SandboxSpec, reply: Reply, fds: list[int]
    ) -> None:
        listener_fd, callback_fd, xray_fd, otlp_fd, self._log_fd, *controls = fds
        self._backend = backend
        self._spec = spec
        self._listener = _taken(listener_fd)
        self._callback_listener = _taken(callback_fd)
        self._xray_socket = _taken(xray_fd, socket.SOCK_DGRAM)
        self._otlp_listener = _taken(otlp_fd)
        self._controls = dict(zip(protocol.CONTROLS, controls, strict=True))
        self._cpu_value = reply.cpu_value
        self._phases = reply.phases
        self._was_parked = reply.parked
        self._usage = Usage(memory_peak_bytes=0, oom_kills=0)
        self._destroyed = False
        self.generation = reply.generation
        self._ended: asyncio.Future[ProcessExit] = asyncio.get_running_loop().create_future()

    @property
    def spec(self) -> SandboxSpec:
        """What it was made from."""
        return self._spec

    @property
    def listener(self) -> socket.socket:
        """The Runtime API's listening socket inside its network."""
        return self._listener

    @property
    def callback_listener(self) -> socket.socket:
        """The listening socket of emberd's own API inside its network."""
        return self._callback_listener

    @property
    def xray_socket(self) -> socket.socket:
        """The datagram socket of X-Ray's daemon inside its network."""
        return self._xray_socket

    @property
    def otlp_listener(self) -> socket.socket:
        """The listening socket of a collector inside its network."""
        return self._otlp_listener

    @property
    def log_fd(self) -> int:
        """Non-blocking read end of its stdout and stderr."""
        return self._log_fd

    @property
    def phases(self) -> Sequence[tuple[str, int, int]]:
        """What making the newest tree took."""
        return self._phases

    @property
    def was_parked(self) -> bool:
        """Whether the newest tree was waiting in its started program."""
        return self._was_parked

    async def wait(self) -> ProcessExit:
        """Return once the current tree has ended."""
        return await asyncio.shield(self._ended)

    def freeze(self) -> None:
        """Stop every process without its knowing."""
        self._write("freeze", "1")

    def thaw(self) -> None:
        """Undo freeze."""
        self._write("freeze", "0")

    def limit_cpu(self, shares: int = 1) -> None:
        """From the full vCPU of init to so many times the spec's share."""
        quota_us, *period_us = self._cpu_value.split()
        self._write("cpu", " ".join((str(int(quota_us) * shares), *period_us)))

    def allow_memory(self, shares: int) -> None:
        """Raise what it may use to so many times the spec's memory."""
        value = str(self._spec.limits.memory_bytes * shares)
        self._write("memory_and_swap", value)
        self._write("memory", value)

    def usage(self) -> Usage:
        """Read the counters; the last known ones after the end."""
        if not self._destroyed:
            with _gone_is_fine():
                self._usage = Usage(
                    memory_peak_bytes=int(os.pread(self._controls["memory_peak"], 64, 0)),
                    oom_kills=parse_oom_kills(os.pread(self._controls["oom"], 4096, 0)),
                )
        return self._usage

    async def kill(self) -> None:
        """End every process of the tree, frozen ones too, and return when they are gone."""
        if not self._ended.done():
            self._write("kill", "1")
            async with asyncio.timeout(END_TIMEOUT_S):
                await self.wait()

    async def reset(self) -> None:
        """Kill the tree and start a new one in the same environment, at full CPU."""
        await self.kill()
        ended = asyncio.get_running_loop().create_future()
        self._ended, self.generation = ended, self.generation + 1
        request = Reset(number=self._backend.number(), sandbox_id=self._spec.sandbox_id)
        try:
            reply = await self._backend.ask(request)
        except BaseException:
            if not ended.done():
                ended.set_result(ProcessExit(signal=9))
            raise
        self._phases = reply.phases
        self._was_parked = reply.parked

    async def destroy(self) -> None:
        """End it and leave nothing. Idempotent."""
        if self._destroyed:
            return
        self.usage()
        # It ends while the launcher is still being asked.
        self._write("kill", "1")
        self._destroyed = True
        self._listener.close()
        self._callback_listener.close()
        self._xray_socket.close()
        self._otlp_listener.close()
        _close_all((self._log_fd, *self._controls.values()))
        try:
            request = Destroy(number=self._backend.number(), sandbox_id=self._spec.sandbox_id)
            await self._backend.ask(request)
        finally:
            self._backend.forget(self._spec.sandbox_id)
            if not self._ended.done():
                self._ended.set_result(ProcessExit(signal=9))

    def tree_ended(self, generation: int, how: ProcessExit) -> None:
        """For the backend: news from the launcher; of an older tree it is no news."""
        if generation == self.generation and not self._ended.done():
            self._ended.set_result(how)

    def _write(self, control: str, value: str) -> None:
        if not self._destroyed:
            with _gone_is_fine():
                os.write(self._controls[control], value.encode())


@contextlib.contextmanager
def _directories(spec: SandboxSpec) -> Iterator[Sequence[int]]:
    """Descriptors of the directories that a sandbox is to have, in the order of their targets."""
    with contextlib.ExitStack() as opened:
        found = []
        wanted = (spec.code_directory, spec.layers_directory, spec.bytecode_directory)
        for folder in filter(None, wanted):
            fd = os.open(folder, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
            opened.callback(os.close, fd)
            found.append(fd)
        yield found


@contextlib.contextmanager
def _gone_is_fine() -> Iterator[None]:
    """A launcher that ends removes the cgroups first; news of the end is then on its way."""
    try:
        yield
    except OSError as error:
        if error.errno != errno.ENODEV:
            raise


def _taken(fd: int, kind: socket.SocketKind = socket.SOCK_STREAM) -> socket.socket:
    """The socket behind a descriptor. Told what it is, Python need not ask the kernel."""
    taken = socket.socket(socket.AF_INET, kind, 0, fileno=fd)
    taken.settimeout(0)
    return taken


def _close_all(fds: Iterable[int]) -> None:
    for fd in fds:
        os.close(fd)


def _launcher_gone() -> UnavailableError:
    return UnavailableError(
        "the launcher of this host is gone; the agent is about to end too", reason="SERVICE"
    )
