"""How it stands at one moment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class HostState:
    """One attached host."""

    host_id: str
    running: int
    idle: int
    """Warm sandboxes that wait for an event."""
    sandboxes: int
    sandboxes_max: int
    parked: int
    """Sandboxes that wait inside their walls for a function; not counted above."""
    runtime_templates: int
    """Started runtimes from which sandboxes are forked."""
    function_templates: int
    """Initialised functions from which sandboxes are copied."""
    starts_waiting: int
    """Starts that wait for their turn."""
    memory_charged_bytes: int
    memory_bytes: int
    disk_free_bytes: int
    draining: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """What is kept ready for one version or alias."""

    function_name: str
    qualifier: str
    in_use: int
    allocated: int


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """The whole house at one moment."""

    running: int = 0
    """CloudWatch's ConcurrentExecutions."""
    unreserved: int = 0
    """Of functions without a reservation of their own."""
    claimed: int = 0
    """In flight of functions without a reservation, and all that is kept for others."""
    by_function: Mapping[str, int] = field(default_factory=dict)
    ready: tuple[Ready, ...] = ()
    hosts: tuple[HostState, ...] = ()
    dropped: Mapping[str, int] = field(default_factory=dict)
    """What telemetry could not keep or send since the start, by kind."""
