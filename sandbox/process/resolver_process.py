"""The resolver as the launcher's child: started confined, started again when it dies."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import sys
import time
from typing import NoReturn

from emberd.wire.backoff import Backoff
from sandbox.process import confine, forks
from sandbox.process.confine import Confinement
from sandbox.process.loop import Loop
from sandbox.process.router import DnsSockets

logger = logging.getLogger(__name__)

_UDP_FD, _TCP_FD = 3, 4
_ARGUMENTS = ("-P", "-m", "sandbox.process.resolver", str(_UDP_FD), str(_TCP_FD))


class ResolverProcess:
    """Keeps one resolver running on the router's sockets."""

    def __init__(self, loop: Loop, sockets: DnsSockets, user_id: int) -> None:
        self._loop = loop
        self._sockets = sockets
        self._confinement = Confinement(uid=user_id, gid=user_id, owned=())
        self._backoff = Backoff()
        self._pid = 0
        self._pidfd = -1
        self._closed = False
        self._start()

    def close(self) -> None:
        """End it for good, and wait for that. Idempotent."""
        self._closed = True
        if self._pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._pid, signal.SIGKILL)
            self._reap()
        self._sockets.close()

    def _start(self) -> None:
        if self._closed:
            return
        self._born_s = time.monotonic()
        self._pid = os.fork()
        if self._pid == 0:
            self._become()
        self._pidfd = os.pidfd_open(self._pid)
        self._loop.watch(self._pidfd, self._ended)

    def _ended(self) -> None:
        self._loop.unwatch(self._pidfd)
        status = self._reap()
        pause_s = self._backoff.after(time.monotonic() - self._born_s)
        logger.warning("the resolver ended", extra={"status": status, "restart_in_s": pause_s})
        self._loop.after(pause_s, self._start)

    def _reap(self) -> int:
        _, status = os.waitpid(self._pid, 0)
        self._pid = 0
        os.close(self._pidfd)
        return os.waitstatus_to_exitcode(status)

    def _become(self) -> NoReturn:
        try:
            forks.have_own_signals()
            high = (os.dup(self._sockets.udp.fileno()), os.dup(self._sockets.tcp.fileno()))
            os.dup2(high[0], _UDP_FD)
            os.dup2(high[1], _TCP_FD)
            confine.execute(self._confinement, (sys.executable, *_ARGUMENTS))
        except OSError as error:
            os.write(2, f"the resolver cannot be started: {error}\n".encode())
        finally:
            # This is a child in the launcher's code: whatever failed, it goes no further.
            os._exit(126)
