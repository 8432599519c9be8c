"""Makes volumes ahead of need in a process of its own, so that the launcher never waits for disks.

A volume takes some ten milliseconds (a flush of its image, a loop device, a mount), nearly all of
it waiting. The maker is a fork of the launcher; finished volumes arrive as descriptors.
"""

from __future__ import annotations

import logging
import os
import signal
import socket
from collections import deque
from typing import NoReturn

from sandbox.process import capabilities, forks
from sandbox.process.ephemeral import Volume, Volumes
from sandbox.process.loop import Loop

logger = logging.getLogger(__name__)


class VolumeMaker:
    """Keeps some volumes of one size at hand."""

    def __init__(self, loop: Loop, volumes: Volumes, *, size_bytes: int, wanted: int) -> None:
        self._loop = loop
        self._volumes = volumes
        self._size_bytes = size_bytes
        self._wanted = wanted
        self._ready: deque[Volume] = deque()
        self._asked = 0
        self._pid = 0
        self._socket: socket.socket | None = None

    def is_ready(self, size_bytes: int) -> bool:
        """Whether there is a template for this size."""
        return self._volumes.is_ready(size_bytes)

    @property
    def is_busy(self) -> bool:
        """Whether a volume will arrive by itself, so that none need be made here."""
        return not self._ready and self._asked > 0

    def refill(self) -> None:
        """Ask for what is missing; it arrives later."""
        if self._volumes.weakness or not self._volumes.is_ready(self._size_bytes):
            return
        if self._socket is None:
            self._start()
        while len(self._ready) + self._asked < self._wanted and self._socket is not None:
            self._socket.send(b"one")
            self._asked += 1

    def take(self, size_bytes: int) -> Volume:
        """A volume of this size: one at hand, or made here and now."""
        if size_bytes == self._size_bytes and self._ready:
            return self._ready.popleft()
        return self._volumes.create(size_bytes)

    def close(self) -> None:
        """End the maker and give up what is at hand."""
        self._wanted = 0
        self._part()
        while self._ready:
            self._ready.popleft().close()

    def _start(self) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        pid = os.fork()
        if pid == 0:
            _serve(theirs, self._volumes, self._size_bytes)
        theirs.close()
        ours.settimeout(0)
        self._pid, self._socket = pid, ours
        self._loop.watch(ours.fileno(), self._receive)

    def _receive(self) -> None:
        assert self._socket is not None, "only a running maker is listened to"
        text, fds, _, _ = socket.recv_fds(self._socket, 256, 2, socket.MSG_CMSG_CLOEXEC)
        if len(fds) != 2:
            logger.warning("volumes are made one by one", extra={"error": text.decode()})
            self._part()
            return
        self._asked -= 1
        mount_fd, loop_fd = fds
        self._ready.append(
            Volume(
                size_bytes=self._size_bytes,
                mount_fd=mount_fd,
                loop_fd=loop_fd,
                device=text.decode(),
            )
        )

    def _part(self) -> None:
        if self._socket is None:
            return
        self._loop.unwatch(self._socket.fileno())
        self._socket.close()
        self._socket, self._asked = None, 0
        os.kill(self._pid, signal.SIGKILL)
        os.waitpid(self._pid, 0)


def _serve(requests: socket.socket, volumes: Volumes, size_bytes: int) -> NoReturn:
    """The maker itself: one volume for every packet, until the launcher is gone."""
    try:
        forks.have_own_signals((signal.SIGTERM,))
        capabilities.die_with_parent()
        requests = forks.forget_others(requests)
        while requests.recv(16):
            volume = volumes.create(size_bytes)
            fds = (volume.mount_fd, volume.loop_fd)
            socket.send_fds(requests, [volume.device.encode()], fds)
            volume.close()
    except OSError as error:
        # The launcher hears of it as an answer without descriptors, and goes on by itself.
        requests.send(str(error).encode()[:256])
    finally:
        os._exit(0)
