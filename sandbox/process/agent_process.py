"""The agent as the launcher's child: started confined, listened to, watched."""

from __future__ import annotations

import logging
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from emberd.wire.errors import EmberdError
from sandbox.process import confine, forks, protocol
from sandbox.process.confine import Confinement
from sandbox.process.loop import Loop
from sandbox.process.protocol import Message, Reply

logger = logging.getLogger(__name__)

Handle = Callable[[bytes, list[int]], None]
"""Takes a packet and its descriptors, which are closed when it returns."""

_SEND_TIMEOUT_S = 2.0
_LAUNCHER_FD, _TOKEN_FD = 3, 4


class TokenSource:
    """Gives every agent its own unread copy of the token, which the launcher never reads."""

    def __init__(self, path: Path | None, fd: int | None) -> None:
        self._path = path
        self._fd = _seekable(fd) if fd is not None else -1

    def open(self) -> int:
        """A descriptor at the token's start."""
        if self._path is not None:
            return os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
        return os.open(f"/proc/self/fd/{self._fd}", os.O_RDONLY | os.O_CLOEXEC)


def _seekable(fd: int) -> int:
    """A pipe can be read once; its bytes move, unseen, into memory that can be opened again."""
    try:
        os.lseek(fd, 0, os.SEEK_SET)
    except OSError:
        memory = os.memfd_create("token", os.MFD_CLOEXEC)
        while os.splice(fd, memory, 4096):
            pass
        os.close(fd)
        return memory
    os.set_inheritable(fd, False)  # noqa: FBT003  # takes no keywords
    return fd


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentProgram:
    """What is started, and as whom."""

    arguments: tuple[str, ...]
    """After the interpreter; descriptors 3 (launcher) and 4 (token) are named in them."""
    confinement: Confinement


class AgentProcess:
    """One life of the agent."""

    def __init__(self, pid: int, connection: socket.socket) -> None:
        self._connection = connection
        self._pid = pid
        self._pidfd = os.pidfd_open(pid)
        self._born_s = time.monotonic()
        self._told_to_end = False
        self.has_ended = False

    @classmethod
    def start(cls, program: AgentProgram, token: TokenSource) -> AgentProcess:
        """Fork and execute it under confinement."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        token_fd = token.open()
        pid = os.fork()
        if pid == 0:
            _become_agent(program, theirs.fileno(), token_fd)
        os.close(token_fd)
        theirs.close()
        return cls(pid, ours)

    @property
    def age_s(self) -> float:
        """How long it has lived."""
        return time.monotonic() - self._born_s

    def watch(self, loop: Loop, ended: Callable[[int], None]) -> None:
        """Call ended with its wait status once it is gone."""
        loop.watch(self._pidfd, lambda: ended(self._reap(loop)))

    def listen(self, loop: Loop, handle: Handle) -> None:
        """Handle what it asks for, from now on."""
        self._connection.settimeout(_SEND_TIMEOUT_S)
        loop.watch(self._connection.fileno(), lambda: self._receive(loop, handle))

    def send(self, message: Message, fds: Sequence[int]) -> None:
        """Tell it something; nothing once it is gone. The descriptors remain open here."""
        if self.has_ended:
            return
        try:
            socket.send_fds(self._connection, [protocol.encode_message(message)], list(fds))
        except OSError as error:
            # Gone, or so stuck that it takes no message: either way a new one must come.
            logger.warning("the agent takes no message", extra={"error": str(error)})
            self.signal(signal.SIGKILL)

    def signal(self, number: int) -> None:
        """Send it a signal that ends it; harmless once it is gone."""
        self._told_to_end = True
        if not self.has_ended:
            signal.pidfd_send_signal(self._pidfd, number)

    def _receive(self, loop: Loop, handle: Handle) -> None:
        try:
            packet, fds = protocol.receive(self._connection)
        except ConnectionError:
            packet, fds = b"", []
        if not packet:
            # The process ends next, or is made to.
            loop.unwatch(self._connection.fileno())
            if not self._told_to_end:
                self.signal(signal.SIGTERM)
            return
        try:
            handle(packet, fds)
        except EmberdError as error:
            self.send(Reply(number=protocol.number_of(packet), error=error), ())
        finally:
            for fd in fds:
                os.close(fd)

    def _reap(self, loop: Loop) -> int:
        _, status = os.waitpid(self._pid, 0)
        self.has_ended = True
        loop.unwatch(self._pidfd)
        os.close(self._pidfd)
        loop.unwatch(self._connection.fileno())
        self._connection.close()
        return os.waitstatus_to_exitcode(status)


def _become_agent(program: AgentProgram, launcher_fd: int, token_fd: int) -> NoReturn:
    try:
        forks.have_own_signals()
        high = (os.dup(launcher_fd), os.dup(token_fd))
        os.dup2(high[0], _LAUNCHER_FD)
        os.dup2(high[1], _TOKEN_FD)
        confine.raise_descriptor_limit()
        confine.execute(program.confinement, (sys.executable, *program.arguments))
    except BaseException as error:
        # This is a child in the launcher's code: it says what failed and goes no further.
        os.write(2, f"the agent cannot be started: {type(error).__name__}: {error}\n".encode())
    finally:
        os._exit(126)
