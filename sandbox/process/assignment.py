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
_DESCRIPTORS_MAX = 9


@dataclass(frozen=True, slots=True, kw_only=True)
class Handover:
    """The function's variables, and its directories with the places where they belong."""

    environment: Mapping[str, str] = field(repr=False)
    attachments: Sequence[tuple[int, str]]
    """On top of the image and its runtime, where these places are empty folders."""

    def send(self, control: socket.socket) -> None:
        """Launcher: pass it on; the descriptors remain open here."""
        socket.send_fds(control, [json.dumps(self.told()).encode()], self.descriptors)

    def told(self) -> dict[str, object]:
        """All but the descriptors, for JSON."""
        targets = [target for _, target in self.attachments]
        return {"environment": dict(self.environment), "targets": targets}

    @classmethod
    def receive(cls, control: socket.socket) -> Handover:
        """Child: wait for it; the launcher's end means our end."""
        text, fds = _receive(control)
        told = json.loads(text)
        return cls.of(told["environment"], told["targets"], fds)

    @classmethod
    def of(
        cls, environment: Mapping[str, str], targets: Sequence[str], fds: Sequence[int]
    ) -> Handover:
        """From what was told and its descriptors, in their order."""
        attachments = list(zip(fds, targets, strict=True))
        return cls(environment=environment, attachments=attachments)

    @property
    def descriptors(self) -> list[int]:
        """Its descriptors in the order in which they travel."""
        return [fd for fd, _ in self.attachments]


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """A program, the root, /tmp and the log it runs with, and its function."""

    runtime_id: str
    argv: tuple[str, ...]
    """Empty for a copy: its program comes in from its template."""
    image_fd: int
    runtime_fd: int
    tmp_fd: int
    log_fd: int
    handover: Handover
    copying_fd: int | None = None
    """Makes it a function template: where its runtime is asked for copies."""

    def send(self, control: socket.socket) -> None:
        """Launcher: pass it on; the descriptors remain open here."""
        told = {
            "runtime_id": self.runtime_id,
            "argv": self.argv,
            **self.handover.told(),
            "is_template": self.copying_fd is not None,
        }
        fds = [self.image_fd, self.runtime_fd, self.tmp_fd, self.log_fd]
        fds += [] if self.copying_fd is None else [self.copying_fd]
        fds += self.handover.descriptors
        socket.send_fds(control, [json.dumps(told).encode()], fds)

    @classmethod
    def receive(cls, control: socket.socket) -> Assignment:
        """Child: wait for it; the launcher's end means our end."""
        text, fds = _receive(control)
        told = json.loads(text)
        image_fd, runtime_fd, tmp_fd, log_fd, *others = fds
        copying_fd = others.pop(0) if told["is_template"] else None
        return cls(
            runtime_id=told["runtime_id"],
            argv=tuple(told["argv"]),
            image_fd=image_fd,
            runtime_fd=runtime_fd,
            tmp_fd=tmp_fd,
            log_fd=log_fd,
            handover=Handover.of(told["environment"], told["targets"], others),
            copying_fd=copying_fd,
        )

    def attachments(self) -> Sequence[tuple[int, str]]:
        """What is attached where, on top of the image."""
        ours = [(self.runtime_fd, "/var/runtime"), (self.tmp_fd, "/tmp")]
        return [*ours, *self.handover.attachments]


def _receive(control: socket.socket) -> tuple[bytes, list[int]]:
    text, fds, _, _ = socket.recv_fds(control, MESSAGE_BYTES_MAX, _DESCRIPTORS_MAX)
    if not text:
        os._exit(0)
    return text, fds
