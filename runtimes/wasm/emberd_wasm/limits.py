"""What a guest may take: the engine's configuration and the limits of one instance.

Behind them stands the function's cgroup, which counts everything that the sandbox uses.
"""

from __future__ import annotations

import wasmtime

MIB = 1024 * 1024

STACK_BYTES = 1 * MIB
TABLE_ELEMENTS = 1_000_000
"""Entries of one table, 8 bytes each; the tables of large Go programs have thousands."""
INSTANCES = 200
TABLES = 200
"""Components are made of many modules: those of Python have some thirty."""
MEMORIES = 8

RESPONSE_BYTES = 6 * MIB + 100
"""What an answer may measure (Lambda's 6,291,556)."""

RESERVE_BYTES = 24 * MIB
"""Of the function's memory, kept for an event and a response of the largest size."""
LEAST_BYTES = 16 * MIB

_WASM_PAGE_BYTES = 64 * 1024


class Limits:
    """What one instance may take."""

    __slots__ = ("memory_bytes",)

    def __init__(self, memory_bytes: int) -> None:
        self.memory_bytes = memory_bytes

    def apply(self, store: wasmtime.Store, *, component: bool) -> None:
        """Set them on a new store.

        A core module has one memory. A component may have some, each of which may be as large: what
        they take together only the cgroup counts.
        """
        store.set_limits(
            memory_size=self.memory_bytes,
            table_elements=TABLE_ELEMENTS,
            instances=INSTANCES,
            tables=TABLES,
            memories=MEMORIES if component else 1,
        )


def engine() -> wasmtime.Engine:
    """A new engine. What it compiles, it compiles in this thread: a function has few cores."""
    config = wasmtime.Config()
    config.epoch_interruption = True
    config.parallel_compilation = False
    config.max_wasm_stack = STACK_BYTES
    config.wasm_threads = False
    return wasmtime.Engine(config)


def limits_of(function_bytes: int, own_bytes: int) -> Limits:
    """The linear memory of a guest: the function's, without ours and the reserve, in whole pages.

    Args:
        function_bytes: The function's MemorySize.
        own_bytes: What this process takes for itself, its compiled module included.
    """
    left = max(LEAST_BYTES, function_bytes - own_bytes - RESERVE_BYTES)
    return Limits(left // _WASM_PAGE_BYTES * _WASM_PAGE_BYTES)


def own_bytes() -> int:
    """What this process has for itself now; pages shared with its template are not among it."""
    with open("/proc/self/smaps_rollup", encoding="ascii") as file:
        fields = dict(line.split(":", 1) for line in file if line.startswith("Private_"))
    return sum(int(value.split()[0]) * 1024 for value in fields.values())
