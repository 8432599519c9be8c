"""What runs inside a sandbox of the runtime `wasm`: one function's module, a new world per event.

loop.py        init, then events, over the Python runtime's Runtime API
crew.py        the threads of a worker, each of which has one event at a time
streams.py     what a thread gives to its guests: event, answer, log, /tmp
logs.py        the logs of many events in one pipe
guests.py      a module file to a Guest: which kind it is, compiled once
compiling.py   modules compiled ahead: made for the host, and found where it put them
command.py     core modules: WASI preview 1 commands, event on stdin, response on stdout
handler.py     components: our WIT world (wit/function.wit) with WASI preview 2
world.py       what every guest sees of the sandbox: variables, /tmp, its log
limits.py      the engine's configuration, and what one instance may take
watch.py       the thread that interrupts guests whose time is up, and stops answers without end
alarm.py       what it sleeps by: until a time, or until guests have worked
complaints.py  wasmtime's errors in Lambda's shapes
rehearsal.py   an event without a function, for forks and threads that wait

The sandbox around it is the wall; wasmtime is a second one. Importing these modules makes no
engine and no thread, so that a template can load them and be forked.
"""

from __future__ import annotations


class GuestError(Exception):
    """The module, or what it did, in the words of an error that Lambda's callers read.

    Attributes:
        error_type: Runtime.X.
        message: What the caller reads.
        trace: The guest's frames; empty when there are none worth showing.
    """

    def __init__(self, error_type: str, message: str, trace: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.error_type = error_type
        self.message = message
        self.trace = trace


class OutOfTimeError(Exception):
    """The guest was interrupted because the function's time is up."""


class Event:
    """One event, and what is known of it besides."""

    __slots__ = (
        "body",
        "client_context",
        "deadline_ms",
        "function_arn",
        "request_id",
        "tenant_id",
        "trace_id",
        "traceparent",
    )

    def __init__(
        self,
        *,
        body: bytes,
        request_id: str = "",
        deadline_ms: int,
        function_arn: str = "",
        trace_id: str | None = None,
        traceparent: str | None = None,
        client_context: str | None = None,
        tenant_id: str | None = None,
    ) -> None:
        """deadline_ms is when the function's time is up, in ms since the epoch."""
        self.body = body
        self.request_id = request_id
        self.deadline_ms = deadline_ms
        self.function_arn = function_arn
        self.trace_id = trace_id
        self.traceparent = traceparent
        self.client_context = client_context
        self.tenant_id = tenant_id
