"""The whole policy of one sandbox, frozen: what runs, what it sees, what it may use.

Pure data: nothing here opens, reads or starts anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

MIB = 1024 * 1024

EGRESS, NO_NETWORK = "egress", "none"
"""The two networks of every host; others have the names that its operator gave."""

MB_PER_VCPU = 1769
"""Lambda gives one full vCPU at this MemorySize, and CPU in proportion to memory otherwise."""

FULL_VCPU_MILLIS = 1000
"""What an init phase runs at, whatever the function's memory (as on Lambda)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a sandbox may use. Every limit is enforced by the host's kernel."""

    memory_bytes: int
    """Memory of all its processes together, without swap."""
    cpu_millis: int
    """Thousandths of a core while it serves invocations."""
    processes: int
    """Processes and threads at most (Lambda: 1,024)."""
    ephemeral_bytes: int
    """Size of /tmp."""

    @classmethod
    def for_memory(cls, memory_size_mb: int, ephemeral_storage_mb: int) -> Limits:
        """Lambda's limits for a function of this size."""
        return cls(
            memory_bytes=memory_size_mb * MIB,
            cpu_millis=max(10, memory_size_mb * 1000 // MB_PER_VCPU),
            processes=1024,
            ephemeral_bytes=ephemeral_storage_mb * MIB,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxSpec:
    """One sandbox from birth to end. It serves one revision for its whole life."""

    sandbox_id: str
    """sb-..., unique on the host, safe as a file name."""
    revision_id: str
    """The revision it belongs to."""
    runtime_id: str
    """A runtime of runtimes.catalog that this host has."""
    code_directory: str
    """The unpacked package on the host, mounted read-only at /var/task."""
    layers_directory: str = ""
    """The function's layers as one tree on the host, mounted read-only at /opt; empty: none."""
    bytecode_directory: str = ""
    """What was compiled of code and layers, mounted read-only beside them; empty: nothing yet."""
    environment: Mapping[str, str] = field(repr=False)
    """Every variable the runtime process sees beyond the runtime's own defaults."""
    limits: Limits
    """What it may use."""
    network: str = EGRESS
    """What it reaches: egress, none, or the name of a network that this host offers."""
    is_template: bool = False
    """It runs its init and then waits to be forked; it never serves an event."""
    clone_of: str = ""
    """The sandbox_id of a ready template of the same revision to fork it from; empty: none."""
