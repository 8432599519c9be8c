"""Ends volumes and mounts in a process of its own: the kernel may take long to let go of them.

With the last descriptor a file system is unmounted, a loop device freed and a file's blocks given
back: milliseconds for an empty volume, much more for one that a function has filled. The launcher
passes its descriptors on, so that the ones it closes itself are not the last.
"""

from __future__ import annotations

import contextlib
import logging
import os
import select
import signal
import socket
from typing import NoReturn

from sandbox.process import capabilities, forks
from sandbox.process.ephemeral import Volume

logger = logging.getLogger(__name__)

END_TIMEOUT_S = 5.0


class Disposer:
    """Takes what nobody uses any more."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._pid = os.fork()
        if self._pid == 0:
            _serve(theirs)
        theirs.close()
        ours.settimeout(0)
        self._socket = ours

    def take(self, volume: Volume) -> None:
        """End it soon; here and now when too many wait already, or the process is gone."""
        try:
            socket.send_fds(self._socket, [b"volume"], volume.descriptors)
        except OSError as error:
            logger.warning("the launcher ends a volume itself", extra={"error": str(error)})
            volume.forget_changes()
        volume.close()

    def take_mounts(self, namespace_fd: int) -> None:
        """Leave a mount namespace that is empty, and with it all that is mounted there."""
        with contextlib.suppress(OSError):  # Too many wait, or nobody does: it ends here and now.
            socket.send_fds(self._socket, [b"mounts"], [namespace_fd])
        os.close(namespace_fd)

    def close(self) -> None:
        """Wait until all are ended, for a limited time."""
        self._socket.close()
        pidfd = os.pidfd_open(self._pid)
        watch = select.poll()
        watch.register(pidfd, select.POLLIN)
        if watch.poll(END_TIMEOUT_S * 1000):
            os.waitpid(self._pid, 0)
        else:
            # It waits for a disk that takes its time to free blocks: its kill ends that wait no
            # sooner, and neither would ours. The kernel goes on without us.
            logger.error("volumes were not ended in time")
            os.kill(self._pid, signal.SIGKILL)
        os.close(pidfd)


def _serve(given: socket.socket) -> NoReturn:
    """The process itself: one volume after the other, until the launcher has closed its end."""
    try:
        forks.have_own_signals(action=signal.SIG_IGN)
        capabilities.die_with_parent()
        given = forks.forget_others(given)
        while True:
            text, fds, _, _ = socket.recv_fds(given, 16, 2, socket.MSG_CMSG_CLOEXEC)
            if not text:
                break
            if text == b"mounts":
                os.close(fds[0])
                continue
            volume = Volume.of_descriptors(fds)
            volume.forget_changes()
            volume.close()
    finally:
        os._exit(0)
