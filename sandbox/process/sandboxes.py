"""The launcher's verbs: create, reset, destroy, and what they wait for.

Every verb is answered exactly once. Nothing here blocks for longer than one system call: images
are built by background jobs, and the child's progress arrives through the loop.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Sequence

from emberd.wire.errors import (
    CapacityError,
    EmberdError,
    UnavailableError,
)
from sandbox.process.code_folder import CodeFolder, Directories
from sandbox.process.copies import Copy, FunctionTemplate, Ground
from sandbox.process.copies_ahead import CopiesAhead
from sandbox.process.environments import Environment
from sandbox.process.giving import may_park
from sandbox.process.images import Images
from sandbox.process.instance import NoUidRangeError
from sandbox.process.lives import Lives, Phases, Send, broken
from sandbox.process.loop import Loop
from sandbox.process.nursery import Embryo, Nursery
from sandbox.process.protocol import Create, Reply, refusal
from sandbox.process.sandbox import Sandbox
from sandbox.process.templates import Templates

logger = logging.getLogger(__name__)


class Sandboxes:
    """All sandboxes of one agent's life."""

    def __init__(
        self,
        loop: Loop,
        nursery: Nursery,
        templates: Templates,
        images: Images,
        code: CodeFolder,
        send: Send,
        ground: Ground,
        *,
        networks: Sequence[str],
    ) -> None:
        self._loop = loop
        self._nursery = nursery
        self._templates = templates
        self._images = images
        self._code = code
        self._send = send
        self._ground = ground
        self._networks = networks
        self._sandboxes: dict[str, Sandbox] = {}
        self._waiting: set[str] = set()
        self._retired: set[Sandbox] = set()
        """Templates that are destroyed, while copies of theirs live."""
        self._lives = Lives(loop, images, send)
        self._ahead = CopiesAhead(images, self._lives, self._embryo_for, self._dismantle)
        self._closed = False

    @property
    def is_empty(self) -> bool:
        """Whether nothing is left of them."""
        return not self._sandboxes and not self._retired and self._ahead.is_empty

    @property
    def is_starting(self) -> bool:
        """Whether somebody waits for a start right now."""
        return any(each.when_started is not None for each in self._sandboxes.values())

    def create(self, request: Create, fds: Sequence[int]) -> None:
        """Make a sandbox; waits for its image if it must. The descriptors stay the caller's."""
        try:
            if request.runtime_id not in self._images.versions:
                raise refusal(
                    f"this host has no runtime {request.runtime_id}, "
                    f"only {', '.join(sorted(self._images.versions)) or 'none'}"
                )
            if request.network not in self._networks:
                raise refusal(
                    f"this host has no network {request.network}, only {', '.join(self._networks)}"
                )
            if request.sandbox_id in self._sandboxes or request.sandbox_id in self._waiting:
                raise refusal(f"sandbox {request.sandbox_id} exists already")
            if request.clone_of:
                self._template_of(request)
            directories = self._code.own_views(request.targets, fds)
        except EmberdError as error:
            self._refuse(request.number, error)
            return
        self._waiting.add(request.sandbox_id)
        self._when_ready(request, directories, time.time_ns(), "")

    def _when_ready(
        self, request: Create, directories: Directories, asked_ns: int, failure: str
    ) -> None:
        runtime_id, size = request.runtime_id, request.limits.ephemeral_bytes
        if request.sandbox_id not in self._waiting:
            failure = "it was destroyed before it was made"
        if failure or self._closed:
            self._waiting.discard(request.sandbox_id)
            directories.close()
            self._refuse(request.number, broken(failure or "the agent is gone"))
        elif not self._images.is_ready(runtime_id, size):
            self._images.build_next(
                runtime_id,
                size,
                lambda text: self._when_ready(request, directories, asked_ns, text),
            )
        else:
            self._waiting.discard(request.sandbox_id)
            self._create_now(request, directories, asked_ns)

    def _create_now(self, request: Create, directories: Directories, asked_ns: int) -> None:
        ready_ns = time.time_ns()
        phases: Phases = [("image", asked_ns, ready_ns)]
        try:
            if request.clone_of and self._move_in(request, directories, phases):
                return
            embryo, copy = self._embryo_for(request)
        except (OSError, NoUidRangeError) as error:
            directories.close()
            message = f"no sandbox can be made now: {error}"
            self._refuse(request.number, CapacityError(message, reason="TOO_MANY_REQUESTS"))
            return
        except UnavailableError as error:
            directories.close()
            self._refuse(request.number, error)
            return
        sandbox = Sandbox(request, directories, embryo.environment)
        sandbox.copy = copy
        if request.is_template:
            template = FunctionTemplate(self._loop, self._ground, request.runtime_id)
            template.when_ended.append(lambda: self._ahead.end(sandbox))
            sandbox.template = template
        self._admit(sandbox, phases)
        self._lives.start(sandbox, embryo, phases)

    def refill(self) -> bool:
        """Make one copy ahead where a template has none; whether another should follow."""
        return self._ahead.refill(self._sandboxes.values())

    def _move_in(self, request: Create, directories: Directories, phases: Phases) -> bool:
        """Give it the copy that was made ahead, if one waits.

        Raises:
            UnavailableError: there is no such template to copy.
        """
        self._template_of(request)
        made = self._ahead.take(self._sandboxes[request.clone_of], request)
        if made is None or made.copy is None:
            return False
        made.directories = directories
        self._admit(made, phases)
        self._lives.go(made, made.copy)
        return True

    def _admit(self, sandbox: Sandbox, phases: Phases) -> None:
        """It is one of us; what becomes of its start is told to who asked."""
        request = sandbox.request
        self._sandboxes[request.sandbox_id] = sandbox
        self._images.used(request.runtime_id)
        self._templates.want(request.runtime_id)
        sandbox.when_started = lambda: self._created(sandbox, phases)
        sandbox.when_failed = lambda error: self._create_failed(sandbox, error)

    def _template_of(self, request: Create) -> tuple[FunctionTemplate, Environment]:
        found = self._sandboxes.get(request.clone_of)
        if found is None or found.template is None or found.destroyed or not found.started:
            raise UnavailableError(f"the template {request.clone_of} is not here", reason="SERVICE")
        if found.template.obstacle or found.request.runtime_id != request.runtime_id:
            why = found.template.obstacle or "it is of another runtime"
            message = f"the template {request.clone_of} cannot be copied: {why}"
            raise UnavailableError(message, reason="SERVICE")
        return found.template, found.environment

    def _embryo_for(self, request: Create) -> tuple[Embryo, Copy | None]:
        size = request.limits.ephemeral_bytes
        if not request.clone_of:
            return self._nursery.take(request.runtime_id, size, parked=may_park(request)), None
        template, theirs = self._template_of(request)
        midwife = template.midwife
        assert midwife is not None, "a template that has started has its midwife"
        embryo = self._nursery.nest(midwife, theirs.first_id, size)
        return embryo, Copy(template, embryo.environment, embryo.tree)

    def _created(self, sandbox: Sandbox, phases: Phases) -> None:
        environment, request = sandbox.environment, sandbox.request
        try:
            controls = environment.group.open_controls()
        except OSError as error:
            self._create_failed(sandbox, broken(f"its cgroup cannot be controlled: {error}"))
            return
        reply = Reply(
            number=request.number,
            generation=sandbox.generation,
            cpu_value=environment.group.cpu_value(request.limits.cpu_millis),
            phases=phases,
            parked=sandbox.was_parked,
        )
        network = environment.network
        sockets = (network.runtime_api, network.callback, network.xray, network.otlp)
        fds = [each.fileno() for each in sockets]
        self._send(reply, (*fds, environment.log_read_fd, *controls))
        for fd in controls:
            os.close(fd)

    def _create_failed(self, sandbox: Sandbox, error: EmberdError) -> None:
        self._refuse(sandbox.request.number, error)
        self._end(sandbox, lambda: None)

    def reset(self, number: int, sandbox_id: str) -> None:
        """End what runs and start anew in the same environment."""
        sandbox = self._sandboxes.get(sandbox_id)
        if sandbox is None or sandbox.destroyed or sandbox.when_started is not None:
            self._refuse(number, refusal(f"sandbox {sandbox_id} cannot be reset: it is not here"))
            return
        if sandbox.template is not None or sandbox.copy is not None:
            why = "a template and what is copied from it are made anew instead"
            self._refuse(number, refusal(f"sandbox {sandbox_id} cannot be reset: {why}"))
            return
        sandbox.kill(lambda: self._start_again(sandbox, number))

    def _start_again(self, sandbox: Sandbox, number: int) -> None:
        begun_ns = time.time_ns()
        environment = sandbox.environment
        try:
            environment.group.thaw()
            request = sandbox.request
            tree = self._nursery.bear(environment, request.runtime_id, parked=may_park(request))
        except OSError as error:
            self._refuse(number, broken(f"the process tree cannot be made: {error}"))
            return
        phases = [("birth", begun_ns, time.time_ns())]

        def started() -> None:
            reply = Reply(
                number=number,
                generation=sandbox.generation,
                phases=phases,
                parked=sandbox.was_parked,
            )
            self._send(reply, ())

        sandbox.when_started = started
        sandbox.when_failed = lambda error: self._refuse(number, error)
        self._lives.start(sandbox, Embryo(environment=environment, tree=tree), phases)

    def destroy(self, number: int, sandbox_id: str) -> None:
        """End it and leave nothing; a sandbox that is not there is destroyed already."""
        self._waiting.discard(sandbox_id)
        sandbox = self._sandboxes.get(sandbox_id)
        if sandbox is None:
            self._send(Reply(number=number), ())
        else:
            self._end(sandbox, lambda: self._send(Reply(number=number), ()))

    def close(self) -> None:
        """The agent is gone: destroy everything, answer nobody."""
        self._closed = True
        for sandbox in list(self._sandboxes.values()):
            self._end(sandbox, lambda: None)

    def _end(self, sandbox: Sandbox, then: Callable[[], None]) -> None:
        if sandbox.destroyed:
            # A second destroy waits for the first.
            sandbox.when_dead.append(then)
            return
        sandbox.destroyed = True
        if sandbox.template is not None and sandbox.started and sandbox.tree is not None:
            self._retire(sandbox, sandbox.template, then)
            return

        def dead() -> None:
            # Nothing of it runs any more: that is what was asked for, and the rest is ours.
            del self._sandboxes[sandbox.request.sandbox_id]
            then()
            self._dismantle(sandbox)

        sandbox.kill(dead)

    def _retire(
        self, sandbox: Sandbox, template: FunctionTemplate, then: Callable[[], None]
    ) -> None:
        """End a template's runtime; what else there is of it ends with its last copy."""

        def ended() -> None:
            del self._sandboxes[sandbox.request.sandbox_id]
            then()

        def dead() -> None:
            self._retired.discard(sandbox)
            self._dismantle(sandbox)

        self._retired.add(sandbox)
        sandbox.when_dead.append(dead)
        if template.has_ended:
            ended()
        else:
            template.when_ended.append(ended)
            sandbox.environment.group.kill_tree()

    def _dismantle(self, sandbox: Sandbox) -> None:
        if sandbox.memory is not None:
            sandbox.memory.close()
        sandbox.directories.close()
        self._nursery.dismantle(sandbox.environment)

    def _refuse(self, number: int, error: EmberdError) -> None:
        self._send(Reply(number=number, error=error), ())
