"""What a waiting child is given: JSON with descriptors over its control socket.

A Handover makes a sandbox a function's, and is all that a parked one lacks. An Assignment is that
and a program, for a child which has none yet.
"""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

MESSAGE_BYTES_MAX = 256 * 1024
_DESCRIPTORS_MAX = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Handover:
    """The function's variables, code and layers."""

    environment: Mapping[str, str] = field(repr=False)
    code_fd: int
    layers_fd: int | None
    """None: /opt is the image's empty folder."""

    def send(self, control: socket.socket) -> None:
        """Launcher: pass it on; the descriptors remain open here."""
        socket.send_fds(control, [json.dumps(dict(self.environment)).encode()], self.descriptors)

    @classmethod
    def receive(cls, control: socket.socket) -> Handover:
        """Child: wait for it; the launcher's end means our end."""
        text, fds = _receive(control)
        return cls.of(json.loads(text), fds)

    @classmethod
    def of(cls, environment: Mapping[str, str], fds: Sequence[int]) -> Handover:
        """From its descriptors, in their order."""
        code_fd, *layers_fds = fds
        return cls(
            environment=environment,
            code_fd=code_fd,
            layers_fd=layers_fds[0] if layers_fds else None,
        )

    @property
    def descriptors(self) -> list[int]:
        """Its descriptors in the order in which they travel."""
        layers = [] if self.layers_fd is None else [self.layers_fd]
        return [self.code_fd, *layers]

    def attachments(self) -> Sequence[tuple[int, str]]:
        """What is attached where, on top of the image and its runtime."""
        layers = [] if self.layers_fd is None else [(self.layers_fd, "/opt")]
        return [(self.code_fd, "/var/task"), *layers]


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """A program, the root, /tmp and the log it runs with, and its function."""

    runtime_id: str
    argv: tuple[str, ...]
    image_fd: int
    runtime_fd: int
    tmp_fd: int
    log_fd: int
    handover: Handover

    def send(self, control: socket.socket) -> None:
        """Launcher: pass it on; the descriptors remain open here."""
        told = {
            "runtime_id": self.runtime_id,
            "argv": self.argv,
            "environment": dict(self.handover.environment),
        }
        fds = [self.image_fd, self.runtime_fd, self.tmp_fd, self.log_fd]
        fds += self.handover.descriptors
        socket.send_fds(control, [json.dumps(told).encode()], fds)

    @classmethod
    def receive(cls, control: socket.socket) -> Assignment:
        """Child: wait for it; the launcher's end means our end."""
        text, fds = _receive(control)
        told = json.loads(text)
        image_fd, runtime_fd, tmp_fd, log_fd, *others = fds
        return cls(
            runtime_id=told["runtime_id"],
            argv=tuple(told["argv"]),
            image_fd=image_fd,
            runtime_fd=runtime_fd,
            tmp_fd=tmp_fd,
            log_fd=log_fd,
            handover=Handover.of(told["environment"], others),
        )

    def attachments(self) -> Sequence[tuple[int, str]]:
        """What is attached where, on top of the image."""
        ours = [(self.runtime_fd, "/var/runtime"), (self.tmp_fd, "/tmp")]
        return [*ours, *self.handover.attachments()]


def _receive(control: socket.socket) -> tuple[bytes, list[int]]:
    text, fds, _, _ = socket.recv_fds(control, MESSAGE_BYTES_MAX, _DESCRIPTORS_MAX)
    if not text:
        os._exit(0)
    return text, fds
