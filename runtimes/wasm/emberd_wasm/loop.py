"""Init, then one event after another, until the process is killed."""

from __future__ import annotations

import ctypes
import json
import os
import sys
import time
from collections.abc import Callable
from functools import partial

import wasmtime

from . import Event, GuestError, OutOfTimeError, compiling, guests, limits, world
from .crew import Crew, alone
from .rehearsal import Rehearsal
from .streams import Streams

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runtimes.python.emberd_runtime.api import Invocation, RuntimeApi
else:
    # The Python runtime's own module, which lies beside this package in /var/runtime.
    from emberd_runtime.api import RuntimeApi

OUT_OF_TIME = "Runtime.OutOfTime"
"""Told to the host (sandbox/outcomes.py), which says so in Lambda's words."""


def main() -> None:
    """Run the function of this process. Returns only by an exception."""
    api = RuntimeApi(os.environ["AWS_LAMBDA_RUNTIME_API"])
    handler = os.environ.get("_HANDLER", "")
    engine = limits.engine()
    while handler == compiling.HANDLER:
        compile_ahead(api, engine)
    try:
        guest = guests.load(engine, compiling.ROOT, handler)
    except GuestError as error:
        _log(error, "", _to_stderr)
        api.init_failed(_payload(error, ""), error.error_type)
        sys.exit(1)
    _give_back()
    allowed = limits.limits_of(_function_bytes(), limits.own_bytes())
    variables = world.variables_of(os.environ)
    work = partial(serve, guest, allowed, variables)
    seats = int(os.environ.get("_EMBERD_SEATS", "1"))
    if seats == 1:
        alone(api, work)
    connect = partial(RuntimeApi, os.environ["AWS_LAMBDA_RUNTIME_API"])
    Crew(seats, connect, work, Rehearsal(engine).walk).work()


def compile_ahead(api: RuntimeApi, engine: wasmtime.Engine) -> None:
    """Answer the host's event with what the package was compiled to."""
    invocation = api.next()
    api.begin_stream(invocation, "application/zip")
    for piece in compiling.pieces(compiling.ROOT, partial(guests.compile_ahead, engine)):
        api.write(piece)
    api.end_stream()


def serve(
    guest: guests.Guest,
    allowed: limits.Limits,
    variables: list[tuple[str, str]],
    api: RuntimeApi,
    invocation: Invocation,
    streams: Streams,
) -> None:
    """Answer one event; the answer leaves when the next event is asked for."""
    event = event_of(invocation)
    log = streams.log
    if log is not None:
        log.request_id = event.request_id
    try:
        answer = guest.run(event, allowed, variables, streams)
        api.respond(invocation, answer, "application/json")
    except GuestError as error:
        _log(error, event.request_id, log.write if log else _to_stderr)
        api.fail(invocation, _payload(error, event.request_id), error.error_type, "")
    except OutOfTimeError:
        late = GuestError(OUT_OF_TIME, "Task timed out")
        api.fail(invocation, _payload(late, event.request_id), OUT_OF_TIME, "")
    finally:
        if log is not None:
            log.flush()


def event_of(invocation: Invocation) -> Event:
    """What the Runtime API said."""
    return Event(
        body=invocation.body,
        request_id=invocation.headers["lambda-runtime-aws-request-id"],
        deadline_ms=int(invocation.header("lambda-runtime-deadline-ms") or 0),
        function_arn=invocation.header("lambda-runtime-invoked-function-arn") or "",
        trace_id=invocation.header("lambda-runtime-trace-id"),
        traceparent=invocation.header("traceparent"),
        client_context=invocation.header("lambda-runtime-client-context"),
        tenant_id=invocation.header("lambda-runtime-aws-tenant-id"),
    )


def _function_bytes() -> int:
    return int(os.environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128")) * limits.MIB


def _give_back() -> None:
    """Compiling took memory that the allocator keeps, and that is the guest's now."""
    ctypes.CDLL(None).malloc_trim(0)


def _payload(error: GuestError, request_id: str) -> bytes:
    return json.dumps(_fields(error, request_id)).encode()


def _fields(error: GuestError, request_id: str) -> dict[str, object]:
    return {
        "errorMessage": error.message,
        "errorType": error.error_type,
        "requestId": request_id,
        "stackTrace": list(error.trace),
    }


def _to_stderr(line: str) -> None:
    sys.stderr.write(line + "\n")


def _log(error: GuestError, request_id: str, write: Callable[[str], None]) -> None:
    """The error in the function's log, in the format that it has chosen."""
    if os.environ.get("AWS_LAMBDA_LOG_FORMAT", "").upper() == "JSON":
        stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        fields = {"timestamp": stamp, "level": "ERROR", **_fields(error, request_id)}
        write(json.dumps(fields))
        return
    # Line breaks within one entry are carriage returns, as in the Python runtime's log.
    lines = (f"[ERROR] {error.error_type}: {error.message}", *error.trace)
    write("\r".join(lines))
