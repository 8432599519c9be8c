"""What runs in sandboxes: started, copied, heard, and followed to its end.

A start ends in one of two calls, when_started or when_failed; the end of whatever has started is
told to the agent, once. Where it was destroyed, the answer to that says it.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence

from emberd.wire.errors import UnavailableError
from sandbox.process.code_folder import Directories
from sandbox.process.copies import Copy
from sandbox.process.giving import give, variables_of
from sandbox.process.images import Images
from sandbox.process.loop import Loop
from sandbox.process.memory_watch import MemoryWatch
from sandbox.process.nursery import Embryo
from sandbox.process.protocol import Exited, Message
from sandbox.process.sandbox import Sandbox

START_TIMEOUT_S = 5.0

Send = Callable[[Message, Sequence[int]], None]
"""Sends a message with descriptors to the agent, if it is still there."""

Phases = list[tuple[str, int, int]]
"""What a start was made of: names, begins and ends."""


class Lives:
    """Gives sandboxes their lives."""

    def __init__(self, loop: Loop, images: Images, send: Send) -> None:
        self._loop = loop
        self._images = images
        self._send = send

    def start(
        self,
        sandbox: Sandbox,
        embryo: Embryo,
        phases: Phases,
        directories: Directories | None = None,
    ) -> None:
        """Give the child its function, write the limits, and wait for its word.

        It builds its walls meanwhile, and lets nothing of the function run before it is let go.

        Args:
            sandbox: Whose child it is.
            embryo: The child, and where it lives.
            phases: What was measured so far; takes what follows.
            directories: What it sees of the function, if not the sandbox's own.
        """
        begun_ns = time.time_ns()
        tree = embryo.tree
        sandbox.begin(tree, embryo.failure)

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
            template = sandbox.template
            copying_fd = None if template is None else template.theirs.fileno()
            seen = directories or sandbox.directories
            give(tree, sandbox.request, seen, sandbox.environment, self._images, copying_fd)
            self._equip(sandbox)
            tree.let_go()
        except OSError as error:
            sandbox.fail(str(error))
            return
        generation = sandbox.generation
        self._loop.after(START_TIMEOUT_S, lambda: self._check_started(sandbox, generation))

    def go(self, sandbox: Sandbox, copy: Copy) -> None:
        """A copy that is verified is asked for."""
        try:
            sandbox.environment.network.join(sandbox.request.network)
            copy.go(variables_of(sandbox.request))
        except OSError as error:
            sandbox.fail(str(error))
            return
        self._on_said(sandbox, "started", "")

    def _equip(self, sandbox: Sandbox) -> None:
        """Limits, network and a watch on its memory, before anything of the function's runs."""
        request, environment = sandbox.request, sandbox.environment
        environment.group.limit(request.limits)
        if sandbox.generation == 1 and sandbox.copy is None:
            environment.network.join(request.network)
        if sandbox.memory is None:
            sandbox.memory = MemoryWatch(self._loop, environment.group, sandbox.end_tree)
        sandbox.memory.begin()

    def _fork(self, sandbox: Sandbox, copy: Copy, phases: Phases) -> None:
        """The copy's world is there: let its template's runtime fork into it."""
        begun_ns = time.time_ns()

        def done() -> None:
            phases.append(("copy", begun_ns, time.time_ns()))
            if sandbox.when_started is not None:
                self.go(sandbox, copy)

        def ended(status: int) -> None:
            by_signal = os.WIFSIGNALED(status)
            sandbox.end = (
                (None, os.WTERMSIG(status)) if by_signal else (os.WEXITSTATUS(status), None)
            )
            sandbox.environment.group.kill()

        copy.ended = ended
        copy.fork(done, sandbox.fail)

    def _check_started(self, sandbox: Sandbox, generation: int) -> None:
        if sandbox.generation == generation and sandbox.when_started is not None:
            sandbox.fail(f"the sandbox did not start within {START_TIMEOUT_S:.0f} s")

    def _on_said(self, sandbox: Sandbox, what: str, value: str) -> None:
        template = sandbox.template
        if what == "started":
            if template is not None:
                assert sandbox.tree is not None, "a tree that speaks is there"
                template.started(sandbox.tree, sandbox.environment.group)
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

    def _tell_end(self, sandbox: Sandbox) -> None:
        status, number = sandbox.end
        event = Exited(
            sandbox_id=sandbox.request.sandbox_id,
            generation=sandbox.generation,
            status=status,
            signal=number,
        )
        self._send(event, ())

    def _on_dead(self, sandbox: Sandbox) -> None:
        sandbox.tree = None
        if not sandbox.started and sandbox.ran_out_of_memory:
            # Its program used up its memory before pid 1 came to say that it ran: it did run.
            self._on_said(sandbox, "started", "")
        template, copy = sandbox.template, sandbox.copy
        if copy is not None:
            copy.close()
        told = template is not None and template.has_ended
        if template is not None:
            template.close()
        failed, sandbox.when_failed, sandbox.when_started = sandbox.when_failed, None, None
        if sandbox.started and not told and not sandbox.destroyed:
            self._tell_end(sandbox)
        elif not sandbox.started and failed is not None:
            failed(broken(sandbox.failure or "the sandbox ended before its program ran"))
        waiting, sandbox.when_dead = sandbox.when_dead, []
        for each in waiting:
            each()


def broken(message: str) -> UnavailableError:
    """Why a sandbox is not there."""
    return UnavailableError(f"the sandbox could not be made: {message}", reason="SERVICE")
