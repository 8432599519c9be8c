"""The launcher's templates: a started interpreter per runtime, forked for every sandbox of it.

Started in spare moments, for runtimes that are used; one that ends is started again later, one that
is old gives way to another (its children share their hash seed and address layout).
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import sandbox
from emberd.wire.backoff import Backoff
from runtimes.catalog import RUNTIMES, Runtime
from sandbox.process import births, capabilities, forks, mounts, namespaces, syscalls, template
from sandbox.process.child import Policy
from sandbox.process.clock import SandboxClock
from sandbox.process.environments import Environment
from sandbox.process.images import Images
from sandbox.process.loop import Loop
from sandbox.process.parked import Cradle

logger = logging.getLogger(__name__)

RENEWED_AFTER_S = 3_600.0
_BIRTH_TIMEOUT_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What templates stand on, the same for all."""

    images: Images
    policy: Policy
    clock: SandboxClock | None
    devices: str
    """Where the one /dev is."""


class Template:
    """One runtime's template, from its start to its reaped end."""

    def __init__(
        self, runtime: Runtime, ground: Ground, loop: Loop, pid: int, connection: socket.socket
    ) -> None:
        self._runtime_id = runtime.runtime_id
        self._ground = ground
        self._loop = loop
        self._pid = pid
        self._connection = connection
        self._born_s = time.monotonic()
        self.is_ready = False
        self.is_dead = False

    @classmethod
    def start(
        cls, runtime: Runtime, ground: Ground, loop: Loop, settled: Callable[[Template], None]
    ) -> Template:
        """Fork and execute the interpreter in the runtime's image.

        settled is called once: it is ready then, or dead.
        """
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            if ground.clock is not None:
                ground.clock.enter()
            pid = os.fork()
            if pid == 0:
                _become_template(runtime, ground, theirs.fileno())
        finally:
            if ground.clock is not None:
                ground.clock.leave()
            theirs.close()
        ours.settimeout(_BIRTH_TIMEOUT_S)
        ours.send(_program(runtime))
        ours.send(births.encode_walls(ground.policy.walls(runtime.runtime_id)))
        started = cls(runtime, ground, loop, pid, ours)
        loop.watch(ours.fileno(), lambda: started._hear(settled))
        return started

    @property
    def age_s(self) -> float:
        """How long it has lived."""
        return time.monotonic() - self._born_s

    def bear(self, control: socket.socket, environment: Environment) -> int:
        """A new sibling in this environment, which hears us through control; returns its pid.

        Raises:
            OSError: the kernel refused, or the template is gone.
        """
        ground, images = self._ground, self._ground.images
        with contextlib.ExitStack() as opened:

            def keep(fd: int) -> int:
                opened.callback(os.close, fd)
                return fd

            cradle = Cradle(
                control_fd=control.fileno(),
                devices_fd=keep(mounts.detached(ground.devices, devices=True)),
                log_fd=environment.log_write_fd,
                tmp_fd=environment.volume.mount_fd,
                image_fd=keep(mounts.detached(str(images.image(self._runtime_id)))),
                runtime_fd=keep(mounts.detached(str(images.runtime(self._runtime_id)))),
                joining=[keep(fd) for fd in environment.group.open_for_joining()],
            )
            cgroup_fd = keep(environment.group.open_for_birth())
            answer = self._ask(cradle, environment.network.namespace_fd, cgroup_fd)
        if not answer.isdigit():
            raise OSError(f"the template of {self._runtime_id} bore nothing: {answer.decode()}")
        return int(answer)

    def end(self) -> None:
        """Kill and reap it, unless that is done. Its children live on."""
        if self.is_dead:
            return
        self.is_dead, self.is_ready = True, False
        self._loop.unwatch(self._connection.fileno())
        os.kill(self._pid, signal.SIGKILL)
        os.waitpid(self._pid, 0)
        self._connection.close()

    def _ask(self, cradle: Cradle, network_fd: int, cgroup_fd: int) -> bytes:
        try:
            births.send_request(self._connection, cradle, network_fd, cgroup_fd)
            answer = self._connection.recv(4096)
        except OSError as error:
            self.end()
            return f"{error}".encode()
        if not answer:
            self.end()
        return answer or b"it has ended"

    def _hear(self, settled: Callable[[Template], None]) -> None:
        """Its first word, or its end; answers to births are awaited where they are asked for."""
        was_ready = self.is_ready
        try:
            self.is_ready = self._connection.recv(4096) == births.READY
        except ConnectionError:
            self.is_ready = False
        if not self.is_ready:
            self.end()
        if not was_ready:
            settled(self)


class Templates:
    """All templates of a host."""

    def __init__(
        self,
        loop: Loop,
        ground: Ground,
        ephemeral_bytes: int,
        *,
        enabled: bool,
        renewed_after_s: float,
    ) -> None:
        self._loop = loop
        self._ground = ground
        self._ephemeral_bytes = ephemeral_bytes
        self._enabled = enabled
        self._renewed_after_s = renewed_after_s
        self._wanted: dict[str, None] = {}
        self._current: dict[str, Template] = {}
        self._successors: dict[str, Template] = {}
        self._backoff: dict[str, Backoff] = {}
        self._not_before_s: dict[str, float] = {}

    @property
    def runtime_ids(self) -> tuple[str, ...]:
        """Runtimes that are used, and whose template is ready."""
        return tuple(name for name in self._wanted if self.find(name) is not None)

    @property
    def ready(self) -> int:
        """How many can be forked."""
        return sum(each.is_ready for each in self._current.values())

    def want(self, runtime_id: str) -> None:
        """This runtime is used: have a template of it, if it can be forked at all."""
        if self._enabled and RUNTIMES[runtime_id].template is not None:
            self._wanted[runtime_id] = None

    def find(self, runtime_id: str) -> Template | None:
        """The template to fork, if one is ready."""
        found = self._current.get(runtime_id)
        return found if found is not None and found.is_ready else None

    def refill(self) -> bool:
        """Start one that is missing or has grown old; whether one was started."""
        for runtime_id in self._wanted:
            current = self._current.get(runtime_id)
            if current and not current.is_dead and current.age_s < self._renewed_after_s:
                continue
            if runtime_id in self._successors or not self._may_start(runtime_id):
                continue
            self._start(runtime_id)
            return True
        return False

    def close(self) -> None:
        """End all."""
        self._wanted.clear()
        for each in (*self._current.values(), *self._successors.values()):
            each.end()

    def _may_start(self, runtime_id: str) -> bool:
        return time.monotonic() >= self._not_before_s.get(
            runtime_id, 0.0
        ) and self._ground.images.is_ready(runtime_id, self._ephemeral_bytes)

    def _start(self, runtime_id: str) -> None:
        def settled(each: Template) -> None:
            del self._successors[runtime_id]
            if each.is_ready:
                self._succeed(runtime_id, each)
                return
            pause_s = self._backoff.setdefault(runtime_id, Backoff()).after(each.age_s)
            self._not_before_s[runtime_id] = time.monotonic() + pause_s
            logger.warning(
                "a template did not start", extra={"runtime": runtime_id, "again_in_s": pause_s}
            )

        self._successors[runtime_id] = Template.start(
            RUNTIMES[runtime_id], self._ground, self._loop, settled
        )

    def _succeed(self, runtime_id: str, successor: Template) -> None:
        before, self._current[runtime_id] = self._current.get(runtime_id), successor
        if before is not None:
            before.end()
        # Wakes the launcher, which then has a spare moment for its successor.
        self._loop.after(self._renewed_after_s, lambda: None)
        logger.info(
            "a template is ready",
            extra={"runtime": runtime_id, "seconds": round(successor.age_s, 3)},
        )


def _program(runtime: Runtime) -> bytes:
    assert runtime.template is not None, "only runtimes that can be forked have templates"
    program = template.PROGRAM.format(
        recipe=mounts.RECIPE,
        entry=runtime.template.entry,
        rehearsal=runtime.template.rehearsal,
        rehearsals=runtime.template.rehearsals,
        preload=runtime.template.preload,
        argv=runtime.argv,
    )
    return program.encode()


def _become_template(runtime: Runtime, ground: Ground, connection_fd: int) -> NoReturn:
    try:
        capabilities.die_with_parent()
        namespaces.offer_to_oom_killer(os.getpid())
        forks.have_own_signals()
        high = os.dup(connection_fd)
        null = os.open("/dev/null", os.O_RDWR)
        os.dup2(null, 0)
        images, runtime_id = ground.images, runtime.runtime_id
        recipe = Path(sandbox.__file__).parent
        mounts.enter_template(
            mounts.detached(str(images.image(runtime_id))),
            mounts.detached(str(images.runtime(runtime_id))),
            mounts.detached(str(recipe)),
            mounts.detached(ground.devices, devices=True),
        )
        os.dup2(high, template.CONTROL_FD)
        syscalls.close_from(template.CONTROL_FD + 1)
        command = [runtime.argv[0], "-c", template.STARTER]
        os.execve(runtime.argv[0], command, dict(runtime.environment))
    except BaseException as error:
        # This is a child in the launcher's code: it says what failed and goes no further.
        os.write(2, f"a template cannot be started: {type(error).__name__}: {error}\n".encode())
    finally:
        os._exit(126)
