"""Core modules: WASI preview 1 commands. Event on stdin, response on stdout, error by exit status.

Both streams are files in memory, read and written without a thread: the event is there before the
guest starts, and the response when it has ended.
"""

from __future__ import annotations

import os

import wasmtime

from . import Event, GuestError, OutOfTimeError, complaints, world
from .limits import RESPONSE_BYTES, Limits
from .watch import Watch

_START = "_start"


class Command:
    """A compiled command; every event gets a new instance of it."""

    def __init__(
        self,
        engine: wasmtime.Engine,
        module: wasmtime.Module,
        file: str,
        watch: Watch,
        output_fd: int,
    ) -> None:
        """Link it.

        Args:
            engine: What compiled it.
            module: The module.
            file: Its name, which is also its argv[0].
            watch: Ends what does not end.
            output_fd: The file in memory that is its stdout, the same for every event.

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
        self._output_fd = output_fd
        self._input_fd = os.memfd_create("event", os.MFD_CLOEXEC)

    def run(
        self,
        event: Event,
        limits: Limits,
        variables: list[tuple[str, str]],
        *,
        temporary: str = world.TEMPORARY,
    ) -> bytes:
        """Answer one event in a new instance.

        Raises:
            GuestError: it trapped or exited with another status than zero.
            OutOfTimeError: it was still at work when its time was up.
        """
        _fill(self._input_fd, event.body)
        os.ftruncate(self._output_fd, 0)
        made = world.make(variables, event, temporary=temporary)
        made.argv = [self._file]
        made.stdin_file = f"/proc/self/fd/{self._input_fd}"
        made.stdout_file = f"/proc/self/fd/{self._output_fd}"
        store = wasmtime.Store(self._engine)
        try:
            limits.apply(store, component=False)
            store.set_wasi(made)
            self._run_in(store, event.deadline_ms)
        finally:
            store.close()
        return self._output()

    def _run_in(self, store: wasmtime.Store, deadline_ms: int) -> None:
        self._watch.begin(deadline_ms)
        try:
            store.set_epoch_deadline(1)
            start = self._instantiate(store).exports(store)[_START]
            assert isinstance(start, wasmtime.Func)
            start(store)
        except wasmtime.ExitTrap as error:
            if error.code != 0:
                raise complaints.of_exit(error.code) from None
        except (wasmtime.Trap, wasmtime.WasmtimeError) as error:
            if self._watch.out_of_time:
                raise OutOfTimeError from None
            if not self._watch.flooded:
                raise complaints.of_trap(error) from None
        finally:
            self._watch.end()

    def _instantiate(self, store: wasmtime.Store) -> wasmtime.Instance:
        try:
            return self._linked.instantiate(store)
        except wasmtime.WasmtimeError as error:
            raise complaints.of_linking(self._file, error) from None

    def _output(self) -> bytes:
        """What it wrote; of too much, so much that the host sees that it is too much."""
        size = os.fstat(self._output_fd).st_size
        return os.pread(self._output_fd, min(size, RESPONSE_BYTES + 1), 0)


def _fill(fd: int, content: bytes) -> None:
    os.ftruncate(fd, 0)
    done = 0
    while done < len(content):
        done += os.pwrite(fd, memoryview(content)[done:], done)
