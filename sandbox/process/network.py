"""The network of a sandbox: a namespace with loopback, the Lambda-like address and a way out.

The way out leads to the host's router and lets nothing pass until the sandbox joins a network.

Made by the launcher in the host's user namespace, so that no sandbox has any capability over its
own network. The sockets of the Runtime API, of emberd's own API and of what functions tell of their
own work are bound inside and handed to the agent.
"""

from __future__ import annotations

import fcntl
import os
import socket
import struct
from dataclasses import dataclass

from sandbox.process import syscalls
from sandbox.process.router import Router, Uplink

RUNTIME_API_HOST = "169.254.100.1"
RUNTIME_API_PORT = 9001
CALLBACK_PORT = 9002
"""Where a function reaches emberd's own API."""
XRAY_PORT = 2000
"""Where X-Ray's SDKs find its daemon, over UDP."""
OTLP_PORT = 4318
"""Where OpenTelemetry's SDKs find a collector, over HTTP."""

_BACKLOG = 64
_SIOCSIFFLAGS = 0x8914
_SIOCSIFADDR = 0x8916
_SIOCSIFNETMASK = 0x891C
_IFF_UP_LOOPBACK_RUNNING = 0x1 | 0x8 | 0x40


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxNetwork:
    """One sandbox's namespace and what listens in it. Whoever holds it closes it."""

    namespace_fd: int
    runtime_api: socket.socket
    callback: socket.socket
    """Of emberd's own API."""
    xray: socket.socket
    otlp: socket.socket
    router: Router | None
    uplink: Uplink | None
    """None: this host has no router, and no sandbox a way out."""

    def join(self, network: str) -> None:
        """Let pass what a network lets pass; for `none` nothing ever.

        Raises:
            OSError: the kernel refused.
        """
        if self.uplink is None or self.router is None:
            return
        group = self.router.group_of(network)
        if group is not None:
            self.uplink.join(group)

    def close(self) -> None:
        """Let go of it; the kernel ends it with its last process."""
        self.runtime_api.close()
        self.callback.close()
        self.xray.close()
        self.otlp.close()
        if self.uplink is not None:
            self.uplink.close()
        os.close(self.namespace_fd)


class HostNetwork:
    """The launcher's own network namespace, and the way out of it and back."""

    def __init__(self, router: Router | None = None) -> None:
        self._router = router
        self._home_fd = os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)

    def create(self) -> SandboxNetwork:
        """A new namespace with its listening sockets."""
        syscalls.unshare(syscalls.CLONE_NEWNET)
        try:
            namespace_fd = os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
            return self._furnish(namespace_fd)
        finally:
            self.leave()

    def furnish(self, namespace_fd: int) -> SandboxNetwork:
        """The same in a namespace that is there, whose descriptor it takes over."""
        self.enter(namespace_fd)
        try:
            return self._furnish(namespace_fd)
        finally:
            self.leave()

    def _furnish(self, namespace_fd: int) -> SandboxNetwork:
        try:
            _configure_loopback()
            uplink = None if self._router is None else self._router.attach(namespace_fd)
        except OSError:
            os.close(namespace_fd)
            raise
        return SandboxNetwork(
            runtime_api=_listen(RUNTIME_API_PORT),
            callback=_listen(CALLBACK_PORT),
            xray=_bind(socket.SOCK_DGRAM, XRAY_PORT),
            otlp=_listen(OTLP_PORT),
            namespace_fd=namespace_fd,
            router=self._router,
            uplink=uplink,
        )

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


def _listen(port: int) -> socket.socket:
    listener = _bind(socket.SOCK_STREAM, port)
    listener.listen(_BACKLOG)
    return listener


def _bind(kind: socket.SocketKind, port: int) -> socket.socket:
    bound = socket.socket(socket.AF_INET, kind)
    bound.settimeout(0)
    bound.bind((RUNTIME_API_HOST, port))
    return bound
