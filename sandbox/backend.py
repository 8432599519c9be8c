"""What a kind of sandbox must offer: the seam between the pool and process, wasm and fake backends.

Words. An *environment* is what outlives a failed invocation: uid range, cgroups, network namespace,
/tmp. A *process tree* lives in it: the runtime and all it started. A sandbox is an environment with
at most one process tree at a time; reset replaces the tree and keeps the environment, which is
Lambda's behaviour after a time-out or an exit (/tmp survives, globals do not).

Life: create (environment and first tree) -> wait / freeze / thaw / kill / reset, any number of
times -> destroy. After destroy nothing is left on the host: no process, cgroup, mount, namespace,
loop device or file. Every backend passes tests/conformance/test_backend.py.
"""

from __future__ import annotations

import socket
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from sandbox.sharing import Sharing
from sandbox.spec import SandboxSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundRuntime:
    """A runtime that this host can run."""

    runtime_id: str
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessExit:
    """How a process tree ended: exactly one of the two is set."""

    status: int | None = None
    """The runtime's exit status."""
    signal: int | None = None
    """The signal that ended the runtime."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What the environment has used since it was made."""

    memory_peak_bytes: int
    """Highest memory of all its processes together."""
    oom_kills: int
    """Processes in it that the kernel killed for want of memory, counted as it counts them."""
    sharing: Sharing | None = None
    """Of a seat: what its worker has used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stock:
    """What is kept ready for functions to come."""

    parked: int = 0
    """Sandboxes that wait inside their walls."""
    runtime_templates: int = 0
    """Started runtimes from which they are forked."""


class Sandbox(Protocol):
    """One sandbox. Methods are called by one owner, never concurrently."""

    @property
    def spec(self) -> SandboxSpec:
        """What it was made from."""

    @property
    def listener(self) -> socket.socket:
        """A listening, non-blocking TCP socket at 169.254.100.1:9001 inside its network."""

    @property
    def callback_listener(self) -> socket.socket:
        """The same at 169.254.100.1:9002, where its function calls emberd's own API."""

    @property
    def xray_socket(self) -> socket.socket:
        """A non-blocking UDP socket at 169.254.100.1:2000, where X-Ray's SDKs send to."""

    @property
    def otlp_listener(self) -> socket.socket:
        """A listener like the others at 169.254.100.1:4318, where OpenTelemetry's SDKs send to."""

    @property
    def log_fd(self) -> int:
        """Non-blocking read end of its stdout and stderr; stays the same across resets."""

    @property
    def phases(self) -> Sequence[tuple[str, int, int]]:
        """What making the newest tree took: name, start and end in ns since the epoch."""

    @property
    def was_parked(self) -> bool:
        """Whether the newest tree was waiting in its started program before it was asked for."""

    async def wait(self) -> ProcessExit:
        """Return once the current tree has ended. May be called by several waiters."""

    def freeze(self) -> None:
        """Stop every process without its knowing. Idempotent."""

    def thaw(self) -> None:
        """Undo freeze. Idempotent."""

    def limit_cpu(self, shares: int = 1) -> None:
        """From the full vCPU of init to so many times the spec's share. Idempotent."""

    def allow_memory(self, shares: int) -> None:
        """Raise what it may use to so many times the spec's memory. It is never lowered again."""

    def usage(self) -> Usage:
        """Read the counters; a few microseconds."""

    async def kill(self) -> None:
        """End every process of the tree, frozen ones too, and return when they are gone."""

    async def reset(self) -> None:
        """Kill the tree and start a new one in the same environment, at full CPU."""

    async def destroy(self) -> None:
        """End it and leave nothing. Idempotent."""


class SandboxMaker(Protocol):
    """Makes sandboxes."""

    async def create(self, spec: SandboxSpec) -> Sandbox:
        """Make an environment and start the runtime in it.

        Raises:
            CapacityError: no uid range, cgroup or disk left.
            UnavailableError: the sandbox could not be made; the message says which step and why.
        """


class Backend(SandboxMaker, Protocol):
    """Makes them, and knows of what its host has."""

    @property
    def runtimes(self) -> Sequence[FoundRuntime]:
        """What this host can run."""

    @property
    def stock(self) -> Stock:
        """What it keeps ready; a moment old."""

    async def close(self) -> None:
        """Destroy every sandbox. Idempotent."""
