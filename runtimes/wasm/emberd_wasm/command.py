"""Core modules: WASI preview 1 commands. Event on stdin, answer on stdout, error by exit status."""

from __future__ import annotations

import wasmtime

from . import Event, GuestError, OutOfTimeError, complaints, world
from .limits import Limits
from .streams import Streams
from .watch import Watch, is_late

_START = "_start"


class Command:
    """A compiled command; every event gets a new instance of it."""

    def __init__(
        self, engine: wasmtime.Engine, module: wasmtime.Module, file: str, watch: Watch
    ) -> None:
        """Link it.

        Args:
            engine: What compiled it.
            module: The module.
            file: Its name, which is also its argv[0].
            watch: Ends what does not end.

        Raises:
            GuestError: it is no command, or imports what WASI preview 1 has not.
        """
        if _START not in {export.name for export in module.exports}:
            raise GuestError(
                "Runtime.WasmMissingExport",
                f"{file} exports no function {_START}: a core module must be a WASI preview 1 "
                "command (of a library, make a component)",
            )
        linker = wasmtime.Linker(engine)
        linker.define_wasi()
        try:
            self._linked = linker.instantiate_pre(module)
        except wasmtime.WasmtimeError as error:
            raise complaints.of_linking(file, error) from error
        self._engine = engine
        self._file = file
        self._watch = watch

    def run(
        self, event: Event, limits: Limits, variables: list[tuple[str, str]], streams: Streams
    ) -> bytes:
        """Answer one event in a new instance.

        Raises:
            GuestError: it trapped or exited with another status than zero.
            OutOfTimeError: it was still at work when its time was up.
        """
        streams.begin(event.body)
        store = wasmtime.Store(self._engine)
        try:
            limits.apply(store, component=False)
            store.set_wasi(self._world(event, variables, streams))
            self._run_in(store, streams, event.deadline_ms)
        finally:
            store.close()
        return streams.answer()

    def _world(
        self, event: Event, variables: list[tuple[str, str]], streams: Streams
    ) -> wasmtime.WasiConfig:
        try:
            made = world.make(variables, event, temporary=streams.temporary, log=streams.log_path)
            made.argv = [self._file]
            made.stdin_file = streams.event_path
            made.stdout_file = streams.answer_path
        except wasmtime.WasmtimeError as error:
            raise complaints.of_linking(self._file, error) from None
        return made

    def _run_in(self, store: wasmtime.Store, streams: Streams, deadline_ms: int) -> None:
        store.set_epoch_deadline(self._watch.begin(streams, deadline_ms))
        try:
            start = self._instantiate(store).exports(store)[_START]
            assert isinstance(start, wasmtime.Func)
            start(store)
        except wasmtime.ExitTrap as error:
            if error.code != 0 and not streams.is_flooded:
                raise complaints.of_exit(error.code) from None
        except (wasmtime.Trap, wasmtime.WasmtimeError) as error:
            if streams.is_flooded:
                return
            if complaints.is_interruption(error) and is_late(deadline_ms):
                raise OutOfTimeError from None
            raise complaints.of_trap(error) from None
        finally:
            self._watch.end(streams)

    def _instantiate(self, store: wasmtime.Store) -> wasmtime.Instance:
        try:
            return self._linked.instantiate(store)
        except wasmtime.WasmtimeError as error:
            if complaints.is_interruption(error):
                raise
            raise complaints.of_linking(self._file, error) from None
