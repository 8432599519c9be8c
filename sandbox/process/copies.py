"""Copies of function templates, as the launcher makes them.

    nest      the template's midwife bears pid 1 of the copy, which builds the copy's whole world
    fork      the template's runtime forks; its fork enters that world and locks itself in
    verify    what that fork is, is looked at from outside
    go        only then it may go on, and gets its variables: at once, or when it is asked for

The template's runtime is the tenant's and is believed nothing: it is never waited for, and a copy
that is not as it must be ends at once, and its template serves no more.
"""

from __future__ import annotations

import base64
import json
import logging
import os
import select
import socket
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sandbox.process import landlock, verification
from sandbox.process.cgroups import Group
from sandbox.process.child import Policy
from sandbox.process.clock import SandboxClock
from sandbox.process.environments import Environment
from sandbox.process.loop import Loop
from sandbox.process.midwife import Midwife
from sandbox.process.rest import Rest
from sandbox.process.trees import Tree
from sandbox.process.verification import NotLockedError

logger = logging.getLogger(__name__)

_CREDENTIALS = struct.Struct("=iII")
_WORDS_MAX = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What copies are made of, the same for all of a host."""

    policy: Policy
    clock: SandboxClock | None


class FunctionTemplate:
    """A function template besides its tree: where it is asked for copies, and who bears them."""

    def __init__(self, loop: Loop, ground: Ground, runtime_id: str) -> None:
        self.loop = loop
        self.ground = ground
        self.runtime_id = runtime_id
        self.refusal = ""
        """Why nothing is copied from it any more."""
        self.has_ended = False
        """Its runtime has; pid 1 waits for the copies that live."""
        self.when_ended: list[Callable[[], None]] = []
        self.midwife: Midwife | None = None
        self._rest: Rest | None = None
        self._forking: set[Copy] = set()
        """Copies that it was asked for and are not there yet."""
        self._was_copied = False
        self._ends: dict[int, Callable[[int], None]] = {}
        """By a copy's pid in the template's namespace: who is told how it ended."""
        self._ours, self.theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._ours.settimeout(0)

    def started(self, tree: Tree, group: Group) -> None:
        """Its runtime runs, or has run: one that fails at once may have ended by now.

        How its init went is told as ever then; only nothing is copied from it.
        """
        self.theirs.close()
        self._rest = Rest(self.loop, group)
        ground = self.ground
        try:
            # What ends the runtime must leave pid 1: with it every copy would end.
            group.spare(tree.pid)
            self.midwife = Midwife.start(tree.pid, ground.clock, ground.policy, self.loop)
        except OSError as error:
            self.refusal = f"nobody can bear its copies: {error}"
            logger.warning("a function template cannot be copied", extra={"error": str(error)})

    @property
    def obstacle(self) -> str:
        """Why nothing is copied from it any more; empty while it may be."""
        if not self.refusal and self.midwife is not None and self.midwife.is_dead:
            return "nobody can bear its copies any more"
        return self.refusal

    def ask(self, copy: Copy, told: Mapping[str, object], fds: list[int]) -> None:
        """Ask the runtime for a fork.

        Raises:
            OSError: it is gone, or does not listen.
        """
        self._forking.add(copy)
        if self._rest is not None:
            self._rest.end()
        socket.send_fds(self._ours, [json.dumps(told).encode()], fds)

    def settled(self, copy: Copy, *, made: bool) -> None:
        """The copy is made, or will not be: the runtime only waits, unless for others. Idempotent.

        Only the first that is made tells that its init is over.
        """
        self._was_copied = self._was_copied or made
        if copy in self._forking:
            self._forking.remove(copy)
            may_rest = self._was_copied and not self._forking and not self.has_ended
            if may_rest and self._rest is not None:
                self._rest.begin()

    def watch_copy(self, pid: int, ended: Callable[[int], None]) -> None:
        """Tell this one how the process ended."""
        self._ends[pid] = ended

    def orphan(self, value: str) -> None:
        """Pid 1 has collected a process that was not its runtime."""
        pid, status = (int(part) for part in value.split())
        ended = self._ends.pop(pid, None)
        if ended is not None:
            ended(status)

    def runtime_ended(self) -> None:
        """From here on nothing can be copied."""
        self.has_ended = True
        if self._rest is not None:
            self._rest.give_up()
        self.refusal = self.refusal or "its process has ended"
        waiting, self.when_ended = self.when_ended, []
        for each in waiting:
            each()

    def close(self) -> None:
        """Pid 1 has ended, or never started."""
        self.runtime_ended()
        if self.midwife is not None:
            self.midwife.end()
        self.theirs.close()
        self._ours.close()


class Copy:
    """One copy while it is made: from its pid 1's first word to its verified lockdown."""

    def __init__(
        self,
        template: FunctionTemplate,
        environment: Environment,
        tree: Tree,
    ) -> None:
        self._template = template
        self._environment = environment
        self._tree = tree
        self._control: socket.socket | None = None
        self._rest = Rest(template.loop, environment.group)
        self._done: Callable[[], None] = lambda: None
        self._failed: Callable[[str], None] = lambda why: None
        self.ended: Callable[[int], None] = lambda status: None
        """Called with the wait status of its runtime's process."""
        self.waits = False
        """It is verified, and go has not been said."""

    def fork(self, done: Callable[[], None], failed: Callable[[str], None]) -> None:
        """Its world is there: have the template's runtime fork into it. Calls one of the two.

        Done means verified: it waits for go.
        """
        self._done, self._failed = done, failed
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        ours.settimeout(0)
        self._control = ours
        opened: list[int] = []
        try:
            for name in verification.NAMESPACES:
                path = f"/proc/{self._tree.pid}/ns/{name}"
                opened.append(os.open(path, os.O_RDONLY | os.O_CLOEXEC))
            fds = [theirs.fileno(), self._environment.log_write_fd, *opened]
            self._template.ask(self, self._told(), fds)
        except OSError as error:
            self.close()
            failed(f"its template cannot be asked: {error}")
            return
        finally:
            theirs.close()
            for fd in opened:
                os.close(fd)
        self._template.loop.watch(ours.fileno(), self._hear)

    def go(self, variables: Mapping[str, str]) -> None:
        """Let it go on, with these variables.

        Raises:
            OSError: it has ended meanwhile.
        """
        control = self._control
        if control is None:
            raise ProcessLookupError("it has ended")
        try:
            self._rest.end()
            control.send(json.dumps(dict(variables)).encode())
        finally:
            self.close()

    def close(self) -> None:
        """Nobody waits for it any more. Idempotent."""
        self.waits = False
        self._rest.give_up()
        self._template.settled(self, made=False)
        if self._control is not None:
            self._template.loop.unwatch(self._control.fileno())
            self._control.close()
            self._control = None

    def _told(self) -> Mapping[str, object]:
        policy, runtime_id = self._template.ground.policy, self._template.runtime_id
        return {
            "seccomp": base64.b64encode(policy.seccomp_programs[runtime_id]).decode(),
            "landlock": landlock.describe(policy.landlock_abi),
        }

    def _hear(self) -> None:
        control = self._control
        assert control is not None, "a copy that is closed is not listened to"
        try:
            words, pid = _receive(control)
        except OSError as error:
            words, pid = str(error).encode(), 0
        if words == b"ready":
            words = self._judge(pid)
        if words:
            self.close()
            self._failed(words.decode(errors="replace"))
        else:
            # What it says from now on counts for nothing.
            self._template.loop.unwatch(control.fileno())
            self.waits = True
            self._template.settled(self, made=True)
            self._done()
            if self._control is not None:
                self._rest.begin()

    def _judge(self, pid: int) -> bytes:
        """Why it is not as it must be; nothing where it is."""
        template = self._template
        try:
            pidfd = os.pidfd_open(pid)
            try:
                self._verify(pid, pidfd)
            finally:
                os.close(pidfd)
        except NotLockedError as error:
            template.refusal = f"a copy of it was not locked in: {error}"
            logger.warning("a function template is refused", extra={"error": str(error)})
            return str(error).encode()
        except OSError as error:
            return f"it ended while it was looked at: {error}".encode()
        return b""

    def _verify(self, pid: int, pidfd: int) -> None:
        tree, environment, template = self._tree, self._environment, self._template
        program = template.ground.policy.seccomp_programs[template.runtime_id]
        filters = 2 if program else 0
        inner = verification.verify(pid, tree.pid, environment.first_id, filters)
        environment.group.bring(pid)
        verification.demand_same_cgroups(pid, tree.pid)
        ended = select.poll()
        ended.register(pidfd, select.POLLIN)
        if ended.poll(0):
            raise ProcessLookupError("it has ended")
        template.watch_copy(inner, self.ended)


def _receive(control: socket.socket) -> tuple[bytes, int]:
    """What was said, and the pid on the host of who said it, by the kernel's word."""
    size = socket.CMSG_SPACE(_CREDENTIALS.size)
    words, ancillary, _, _ = control.recvmsg(_WORDS_MAX, size)
    for level, kind, data in ancillary:
        if level == socket.SOL_SOCKET and kind == socket.SCM_CREDENTIALS:
            pid: int = _CREDENTIALS.unpack(data)[0]
            return words or b"it ended before it was ready", pid
    return words or b"it ended before it was ready", 0
