"""The network of a sandbox: a namespace with loopback, the Lambda-like address and nothing else.

Made by the launcher in the host's user namespace, so that no sandbox has any capability over its
own network. The Runtime API's listening socket is bound inside and handed to the agent.
"""

from __future__ import annotations

import fcntl
import os
import socket
import struct

from sandbox.process import syscalls

RUNTIME_API_HOST = "169.254.100.1"
RUNTIME_API_PORT = 9001

_BACKLOG = 64
_SIOCSIFFLAGS = 0x8914
_SIOCSIFADDR = 0x8916
_SIOCSIFNETMASK = 0x891C
_IFF_UP_LOOPBACK_RUNNING = 0x1 | 0x8 | 0x40


class HostNetwork:
    """The launcher's own network namespace, and the way out of it and back."""

    def __init__(self) -> None:
        self._home_fd = os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)

    def create(self) -> tuple[int, socket.socket]:
        """A new namespace: its descriptor, and the Runtime API's listening socket inside."""
        syscalls.unshare(syscalls.CLONE_NEWNET)
        try:
            _configure_loopback()
            listener = _listen()
            return os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC), listener
        finally:
            self.leave()

    def enter(self, network_fd: int) -> None:
        """Join a sandbox's namespace, so that the next child is born in it."""
        syscalls.setns(network_fd, syscalls.CLONE_NEWNET)

    def leave(self) -> None:
        """Go home."""
        syscalls.setns(self._home_fd, syscalls.CLONE_NEWNET)


def _configure_loopback() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        flags = struct.pack("16sh14x", b"lo", _IFF_UP_LOOPBACK_RUNNING)
        fcntl.ioctl(control, _SIOCSIFFLAGS, flags)
        for request, address in (
            (_SIOCSIFADDR, RUNTIME_API_HOST),
            (_SIOCSIFNETMASK, "255.255.255.255"),
        ):
            packed = struct.pack("=H2x4s8x", socket.AF_INET, socket.inet_aton(address))
            fcntl.ioctl(control, request, struct.pack("16s16s8x", b"lo:1", packed))


def _listen() -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.settimeout(0)
    listener.bind((RUNTIME_API_HOST, RUNTIME_API_PORT))
    listener.listen(_BACKLOG)
    return listener
