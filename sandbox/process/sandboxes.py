"""The launcher's verbs: create, reset, destroy, and what they wait for.

Every verb is answered exactly once. Nothing here blocks for longer than one system call: images
are built by background jobs, and the child's progress arrives through the loop.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from emberd.wire.errors import (
    CapacityError,
    EmberdError,
    UnavailableError,
)
from sandbox.process.code_folder import CodeFolder, Directories
from sandbox.process.copies import Copy, FunctionTemplate, Ground
from sandbox.process.environments import Environment
from sandbox.process.giving import give, may_park, variables_of
from sandbox.process.images import Images
from sandbox.process.instance import NoUidRangeError
from sandbox.process.loop import Loop
from sandbox.process.memory_watch import MemoryWatch
from sandbox.process.nursery import Embryo, Nursery
from sandbox.process.protocol import Create, Exited, Message, Reply, refusal
from sandbox.process.templates import Templates
from sandbox.process.trees import Tree

logger = logging.getLogger(__name__)

START_TIMEOUT_S = 5.0
_SIGKILL = 9

Send = Callable[[Message, Sequence[int]], None]
"""Sends a message with descriptors to the agent, if it is still there."""


class _Sandbox:
    """One sandbox as the launcher knows it."""

    def __init__(self, request: Create, directories: Directories, environment: Environment) -> None:
        self.request = request
        self.directories = directories
        self.environment = environment
        self.tree: Tree | None = None
        self.generation = 0
        self.was_parked = False
        self.started = False
        self.memory: MemoryWatch | None = None
        self.end: tuple[int | None, int | None] = (None, _SIGKILL)
        self.failure = ""
        self.when_started: Callable[[], None] | None = None
        self.when_failed: Callable[[EmberdError], None] | None = None
        self.when_dead: list[Callable[[], None]] = []
        self.destroyed = False
        self.template: FunctionTemplate | None = None
        """What makes it one."""
        self.copy: Copy | None = None
        """How it is copied from one."""
        self.waits = False
        """The copy is made and verified, and nobody has asked for it yet."""
        self.ahead: _Sandbox | None = None
        """A template's next copy, made before anybody asks for it."""
        self.ahead_failed = False
        """That went wrong, and is not tried again before the next copy."""


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
        self._sandboxes: dict[str, _Sandbox] = {}
        self._waiting: set[str] = set()
        self._retired: set[_Sandbox] = set()
        """Templates that are destroyed, while copies of theirs live."""
        self._ahead: set[_Sandbox] = set()
        """Copies that nobody has asked for yet."""
        self._closed = False

    @property
    def is_empty(self) -> bool:
        """Whether nothing is left of them."""
        return not self._sandboxes and not self._retired and not self._ahead

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
            self._refuse(request.number, _broken(failure or "the agent is gone"))
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
        phases = [("image", asked_ns, ready_ns)]
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
        sandbox = _Sandbox(request, directories, embryo.environment)
        sandbox.copy = copy
        if request.is_template:
            sandbox.template = FunctionTemplate(self._loop, self._ground, request.runtime_id)
        self._sandboxes[request.sandbox_id] = sandbox
        self._images.used(request.runtime_id)
        self._templates.want(request.runtime_id)
        sandbox.when_started = lambda: self._created(sandbox, phases)
        sandbox.when_failed = lambda error: self._create_failed(sandbox, error)
        self._start(sandbox, embryo, phases)

    def refill(self) -> bool:
        """Make the next copy of a template that has none; whether another should follow.

        All that a copy costs is known once its template is there: only the variables are not.
        """
        lacking = [each for each in self._sandboxes.values() if self._lacks_copy(each)]
        if lacking:
            self._copy_ahead(lacking[0])
        return len(lacking) > 1

    def _lacks_copy(self, sandbox: _Sandbox) -> bool:
        template, request = sandbox.template, sandbox.request
        if template is None or not sandbox.started or sandbox.destroyed or template.refusal:
            return False
        ready = self._images.is_ready(request.runtime_id, request.limits.ephemeral_bytes)
        return ready and sandbox.ahead is None and not sandbox.ahead_failed

    def _copy_ahead(self, owner: _Sandbox) -> None:
        template_id = owner.request.sandbox_id
        request = replace(owner.request, sandbox_id="", clone_of=template_id, is_template=False)
        owner.ahead_failed = True
        try:
            embryo, copy = self._embryo_for(request)
        except (OSError, EmberdError) as error:
            logger.warning("a copy could not be prepared", extra={"error": str(error)})
            return
        made = _Sandbox(request, Directories(folders={}), embryo.environment)
        made.copy = copy
        owner.ahead, owner.ahead_failed = made, False
        self._ahead.add(made)
        made.when_dead.append(lambda: self._ahead_ended(owner, made))
        self._start(made, embryo, [], owner.directories)

    def _ahead_ended(self, owner: _Sandbox, made: _Sandbox) -> None:
        if owner.ahead is made:
            owner.ahead, owner.ahead_failed = None, True
        self._ahead.discard(made)
        self._dismantle(made)

    def _move_in(
        self, request: Create, directories: Directories, phases: list[tuple[str, int, int]]
    ) -> bool:
        """Give it the copy that was made ahead, if one waits.

        Raises:
            UnavailableError: there is no such template to copy.
        """
        self._template_of(request)
        owner = self._sandboxes[request.clone_of]
        made, owner.ahead_failed = owner.ahead, False
        if made is None or not made.waits or made.tree is None or made.copy is None:
            return False
        if request.limits != owner.request.limits:
            return False
        owner.ahead = None
        self._ahead.discard(made)
        made.when_dead.clear()
        made.request, made.directories, made.waits = request, directories, False
        self._sandboxes[request.sandbox_id] = made
        self._images.used(request.runtime_id)
        self._templates.want(request.runtime_id)
        made.when_started = lambda: self._created(made, phases)
        made.when_failed = lambda error: self._create_failed(made, error)
        self._go(made, made.copy)
        return True

    def _template_of(self, request: Create) -> tuple[FunctionTemplate, Environment]:
        found = self._sandboxes.get(request.clone_of)
        if found is None or found.template is None or found.destroyed or not found.started:
            raise UnavailableError(f"the template {request.clone_of} is not here", reason="SERVICE")
        if found.template.refusal or found.request.runtime_id != request.runtime_id:
            why = found.template.refusal or "it is of another runtime"
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

    def _created(self, sandbox: _Sandbox, phases: Sequence[tuple[str, int, int]]) -> None:
        environment, request = sandbox.environment, sandbox.request
        try:
            controls = environment.group.open_controls()
        except OSError as error:
            self._create_failed(sandbox, _broken(f"its cgroup cannot be controlled: {error}"))
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

    def _create_failed(self, sandbox: _Sandbox, error: EmberdError) -> None:
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
        self._kill(sandbox, lambda: self._start_again(sandbox, number))

    def _start_again(self, sandbox: _Sandbox, number: int) -> None:
        begun_ns = time.time_ns()
        environment = sandbox.environment
        try:
            environment.group.thaw()
            request = sandbox.request
            tree = self._nursery.bear(environment, request.runtime_id, parked=may_park(request))
        except OSError as error:
            self._refuse(number, _broken(f"the process tree cannot be made: {error}"))
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
        self._start(sandbox, Embryo(environment=environment, tree=tree), phases)

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

    def _start(
        self,
        sandbox: _Sandbox,
        embryo: Embryo,
        phases: list[tuple[str, int, int]],
        directories: Directories | None = None,
    ) -> None:
        """Write the limits, give the child its function, and wait for its word.

        Args:
            sandbox: Whose child it is.
            embryo: The child, and where it lives.
            phases: What was measured so far; takes what follows.
            directories: What it sees of the function, if not the sandbox's own.
        """
        begun_ns = time.time_ns()
        request, environment, tree = sandbox.request, sandbox.environment, embryo.tree
        sandbox.tree, sandbox.started, sandbox.failure = tree, False, embryo.failure
        sandbox.was_parked = tree.is_parked
        sandbox.end = (None, _SIGKILL)
        sandbox.generation += 1

        def said(what: str, value: str) -> None:
            if what == "started" and sandbox.copy is not None:
                phases.append(("nest", begun_ns, time.time_ns()))
                self._fork(sandbox, sandbox.copy, phases)
                return
            if what == "started":
                phases.append(("lockdown", begun_ns, time.time_ns()))
            self._on_said(sandbox, what, value)

        tree.watch(self._loop, said, lambda: self._on_dead(sandbox))
        try:
            environment.group.limit(request.limits)
            if sandbox.generation == 1 and sandbox.copy is None:
                environment.network.join(request.network)
            if sandbox.memory is None:
                sandbox.memory = MemoryWatch(
                    self._loop, environment.group, lambda: _end_tree(sandbox)
                )
            sandbox.memory.begin()
            template = sandbox.template
            copying_fd = None if template is None else template.theirs.fileno()
            seen = directories or sandbox.directories
            give(tree, request, seen, environment, self._images, copying_fd)
        except OSError as error:
            sandbox.failure = str(error)
            environment.group.kill()
            return
        generation = sandbox.generation
        self._loop.after(START_TIMEOUT_S, lambda: self._check_started(sandbox, generation))

    def _fork(self, sandbox: _Sandbox, copy: Copy, phases: list[tuple[str, int, int]]) -> None:
        """The copy's world is there: let its template's runtime fork into it."""
        begun_ns = time.time_ns()

        def done() -> None:
            phases.append(("copy", begun_ns, time.time_ns()))
            if sandbox.when_started is None:
                sandbox.waits = True
            else:
                self._go(sandbox, copy)

        def failed(why: str) -> None:
            sandbox.failure = why
            sandbox.environment.group.kill()

        def ended(status: int) -> None:
            by_signal = os.WIFSIGNALED(status)
            sandbox.end = (
                (None, os.WTERMSIG(status)) if by_signal else (os.WEXITSTATUS(status), None)
            )
            sandbox.environment.group.kill()

        copy.ended = ended
        copy.fork(done, failed)

    def _go(self, sandbox: _Sandbox, copy: Copy) -> None:
        """It is verified and asked for."""
        try:
            sandbox.environment.network.join(sandbox.request.network)
            copy.go(variables_of(sandbox.request))
        except OSError as error:
            sandbox.failure = str(error)
            sandbox.environment.group.kill()
            return
        self._on_said(sandbox, "started", "")

    def _check_started(self, sandbox: _Sandbox, generation: int) -> None:
        if sandbox.generation == generation and sandbox.when_started is not None:
            sandbox.failure = f"the sandbox did not start within {START_TIMEOUT_S:.0f} s"
            sandbox.environment.group.kill()

    def _on_said(self, sandbox: _Sandbox, what: str, value: str) -> None:
        template = sandbox.template
        if what == "started":
            if template is not None:
                self._open(sandbox, template)
            sandbox.started = True
            started, sandbox.when_started, sandbox.when_failed = sandbox.when_started, None, None
            if started is not None:
                started()
        elif what == "exited":
            sandbox.end = (int(value), None)
        elif what == "signalled":
            sandbox.end = (None, int(value))
        elif what == "orphan" and template is not None:
            template.orphan(value)
        else:
            sandbox.failure = value
        if what in ("exited", "signalled") and template is not None:
            # Pid 1 may stay for the copies that live.
            self._tell_end(sandbox)
            template.runtime_ended()

    def _open(self, sandbox: _Sandbox, template: FunctionTemplate) -> None:
        assert sandbox.tree is not None, "a tree that speaks is there"
        template.started(sandbox.tree, sandbox.environment.group)
        template.when_ended.append(lambda: self._end_ahead(sandbox))

    def _end_ahead(self, owner: _Sandbox) -> None:
        """The template serves no more: neither does what was copied ahead."""
        made, owner.ahead = owner.ahead, None
        if made is not None and made.tree is not None:
            made.environment.group.kill()

    def _tell_end(self, sandbox: _Sandbox) -> None:
        status, number = sandbox.end
        event = Exited(
            sandbox_id=sandbox.request.sandbox_id,
            generation=sandbox.generation,
            status=status,
            signal=number,
        )
        self._send(event, ())

    def _on_dead(self, sandbox: _Sandbox) -> None:
        sandbox.tree = None
        if not sandbox.started and _ran_out_of_memory(sandbox):
            # Its program used up its memory before pid 1 came to say that it ran: it did run.
            self._on_said(sandbox, "started", "")
        template, copy = sandbox.template, sandbox.copy
        if copy is not None:
            copy.close()
        told = template is not None and template.has_ended
        if template is not None:
            template.close()
        failed, sandbox.when_failed, sandbox.when_started = sandbox.when_failed, None, None
        if sandbox.started and not told:
            self._tell_end(sandbox)
        elif not sandbox.started and failed is not None:
            failed(_broken(sandbox.failure or "the sandbox ended before its program ran"))
        waiting, sandbox.when_dead = sandbox.when_dead, []
        for each in waiting:
            each()

    def _kill(self, sandbox: _Sandbox, then: Callable[[], None]) -> None:
        if sandbox.tree is None:
            then()
        else:
            sandbox.when_dead.append(then)
            sandbox.environment.group.kill()

    def _end(self, sandbox: _Sandbox, then: Callable[[], None]) -> None:
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

        self._kill(sandbox, dead)

    def _retire(
        self, sandbox: _Sandbox, template: FunctionTemplate, then: Callable[[], None]
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

    def _dismantle(self, sandbox: _Sandbox) -> None:
        if sandbox.memory is not None:
            sandbox.memory.close()
        sandbox.directories.close()
        self._nursery.dismantle(sandbox.environment)

    def _refuse(self, number: int, error: EmberdError) -> None:
        self._send(Reply(number=number, error=error), ())


def _ran_out_of_memory(sandbox: _Sandbox) -> bool:
    """Whether that alone ended one that is neither a template nor a copy, which start otherwise."""
    usual = sandbox.template is None and sandbox.copy is None and not sandbox.failure
    return usual and sandbox.memory is not None and sandbox.memory.has_run_out


def _end_tree(sandbox: _Sandbox) -> None:
    """All of it; of a template all but pid 1, with which its copies would end."""
    if sandbox.tree is not None:
        group = sandbox.environment.group
        group.kill() if sandbox.template is None else group.kill_tree()


def _broken(message: str) -> UnavailableError:
    return UnavailableError(f"the sandbox could not be made: {message}", reason="SERVICE")
