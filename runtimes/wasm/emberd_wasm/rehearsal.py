"""Walks the way to an event once, without a function and without a thread of wasmtime's.

A fork that waits takes the first touches of its pages now; threads it must not have, because the
walls that are still to come would not hold for them. A thread of a worker does the same before its
first event, which would find its allocator and its stack untouched otherwise.
"""

from __future__ import annotations

import wasmtime

from . import Event, limits, world

_NOTHING = (
    b"\0asm\x01\0\0\0\x01\x04\x01\x60\0\0\x03\x02\x01\0\x07\x05\x01\x01a\0\0\x0a\x04\x01\x02\0\x0b"
)
"""A module that exports a function which does nothing."""

_FAR_TICKS = 1_000_000
"""An epoch's deadline that nothing reaches."""


class Rehearsal:
    """For one engine; any thread may walk it."""

    def __init__(self, engine: wasmtime.Engine) -> None:
        linker = wasmtime.Linker(engine)
        linker.define_wasi()
        self._linked = linker.instantiate_pre(wasmtime.Module(engine, _NOTHING))
        self._engine = engine

    def walk(self) -> None:
        """Run a module in a store and a world of its own."""
        store = wasmtime.Store(self._engine)
        limits.Limits(limits.LEAST_BYTES).apply(store, component=False)
        store.set_wasi(world.make([], Event(body=b"", deadline_ms=0)))
        store.set_epoch_deadline(_FAR_TICKS)
        function = self._linked.instantiate(store).exports(store)["a"]
        assert isinstance(function, wasmtime.Func)
        function(store)
        store.close()


def rehearse() -> None:
    """Make an engine, compile a module and run it; read what memory there is, as an init does."""
    Rehearsal(limits.engine()).walk()
    limits.own_bytes()
