"""Walks the way to the first event once, without a function and without a thread.

A fork that waits takes the first touches of its pages now; threads it must not have, because the
walls that are still to come would not hold for them.
"""

from __future__ import annotations

import wasmtime

from . import Event, limits, world

_NOTHING = (
    b"\0asm\x01\0\0\0\x01\x04\x01\x60\0\0\x03\x02\x01\0\x07\x05\x01\x01a\0\0\x0a\x04\x01\x02\0\x0b"
)
"""A module that exports a function which does nothing."""


def rehearse() -> None:
    """Make an engine, compile a module and run it in a store of its own."""
    engine = limits.engine()
    linker = wasmtime.Linker(engine)
    linker.define_wasi()
    instance = linker.instantiate_pre(wasmtime.Module(engine, _NOTHING))
    store = wasmtime.Store(engine)
    limits.limits_of(0, limits.own_bytes()).apply(store, component=False)
    store.set_wasi(world.make([], Event(body=b"", deadline_ms=0)))
    store.set_epoch_deadline(1)
    function = instance.instantiate(store).exports(store)["a"]
    assert isinstance(function, wasmtime.Func)
    function(store)
    store.close()
