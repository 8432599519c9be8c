"""Components: those that export `handle` of our WIT world, with WASI preview 2 beneath them."""

from __future__ import annotations

import os
from types import SimpleNamespace

import wasmtime
from wasmtime import component

from . import Event, GuestError, OutOfTimeError, complaints, world
from .limits import Limits
from .streams import Streams
from .watch import Watch, is_late

_HANDLE = "handle"
_HTTP = "wasi:http/"
"""Requests that guests make. The sandbox's network says what they reach."""
WORLD = "emberd:function/function@0.1.0"


class Handler:
    """A compiled component; every event gets a new instance of it."""

    def __init__(
        self, engine: wasmtime.Engine, compiled: component.Component, file: str, watch: Watch
    ) -> None:
        """Link it.

        Raises:
            GuestError: it does not export what our world exports.
        """
        if compiled.get_export_index(_HANDLE) is None:
            raise GuestError(
                "Runtime.WasmMissingExport",
                f"{file} exports no function {_HANDLE}: a component must be of the world {WORLD}",
            )
        self._linker = component.Linker(engine)
        self._linker.add_wasip2()
        self._asks = any(name.startswith(_HTTP) for name in compiled.type.imports(engine))
        if self._asks:
            self._linker.add_wasi_http()
        self._engine = engine
        self._component = compiled
        self._file = file
        self._watch = watch

    def run(
        self, event: Event, limits: Limits, variables: list[tuple[str, str]], streams: Streams
    ) -> bytes:
        """Answer one event in a new instance.

        Raises:
            GuestError: it returned a failure, trapped, or is of another world.
            OutOfTimeError: it was still at work when its time was up.
        """
        text = _text(event.body)
        store = wasmtime.Store(self._engine)
        try:
            limits.apply(store, component=True)
            store.set_wasi(self._world(event, variables, streams))
            if self._asks:
                store.set_wasi_http()
            result = self._handle(store, text, event, streams)
        finally:
            store.close()
        if isinstance(result, str):
            return result.encode()
        raise GuestError(
            str(getattr(result, "error-type", "")) or "Function.Error",
            str(getattr(result, "error-message", "")),
        )

    def _world(
        self, event: Event, variables: list[tuple[str, str]], streams: Streams
    ) -> wasmtime.WasiConfig:
        log = streams.log_path
        try:
            made = world.make(variables, event, temporary=streams.temporary, log=log)
            if log:
                made.stdout_file = log
            else:
                made.inherit_stdout()
        except wasmtime.WasmtimeError as error:
            raise complaints.of_linking(self._file, error) from None
        return made

    def _handle(self, store: wasmtime.Store, text: str, event: Event, streams: Streams) -> object:
        store.set_epoch_deadline(self._watch.begin(streams, event.deadline_ms))
        try:
            function = self._instance(store).get_func(store, _HANDLE)
            if function is None:
                raise GuestError("Runtime.WasmMissingExport", f"{_HANDLE} is no function")
            return function(store, text, context_of(event))
        except (TypeError, AttributeError) as error:
            raise GuestError(
                "Runtime.WasmLinkError",
                f"{self._file} has another {_HANDLE} than the world {WORLD}: {error}",
            ) from None
        except (wasmtime.Trap, wasmtime.WasmtimeError) as error:
            if complaints.is_interruption(error) and is_late(event.deadline_ms):
                raise OutOfTimeError from None
            raise complaints.of_trap(error) from None
        finally:
            self._watch.end(streams)

    def _instance(self, store: wasmtime.Store) -> component.Instance:
        try:
            return self._linker.instantiate(store, self._component)
        except wasmtime.WasmtimeError as error:
            if complaints.is_interruption(error):
                raise
            raise complaints.of_linking(self._file, error) from None


def context_of(event: Event) -> object:
    """The record `context` of our world: wasmtime asks for its fields by their names there."""
    return SimpleNamespace(
        **{
            "request-id": event.request_id,
            "function-arn": event.function_arn,
            "function-name": os.environ.get("AWS_LAMBDA_FUNCTION_NAME", ""),
            "function-version": os.environ.get("AWS_LAMBDA_FUNCTION_VERSION", ""),
            "memory-limit-mb": int(os.environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "0")),
            "deadline-ms": event.deadline_ms,
            "trace-id": event.trace_id,
            "traceparent": event.traceparent,
            "client-context": event.client_context,
            "tenant-id": event.tenant_id,
        }
    )


def _text(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        raise GuestError("Runtime.UnmarshalError", f"Unable to unmarshal input: {error}") from None
