"""What runs inside a Python sandbox: loads the handler and answers events, as Lambda's own does.

loop.py      init, then one event after another
api.py       the Runtime API over a raw socket
loader.py    the handler string to a function
marshal.py   events and results, JSON and bytes
stream.py    handlers that are generators: answers in pieces
context.py   the context object
faults.py    error payloads and their log lines
snapshot.py  SnapStart: hooks, and what may be copied
copying.py   a fork's way behind its own walls
rehearsal.py, nothing.py   a start without a function, for forks that wait
bytecode.py, compiling.py   modules as the host has compiled them, and how it does
logging_hook.py, logs.py   the root logger's handler, set up when logging is imported

Standard library only, any Python from 3.10 on. Start-up time is the point of this package: what it
imports, every cold start pays for. So no dataclasses, no typing, no http.client, no socket, no json
and no logging before somebody needs them (each of json and logging takes as long to import as the
bare interpreter takes to start). Importing these modules has no effect but definitions, so that a
fork server can load them ahead of time.
"""

from __future__ import annotations


class Fault(Exception):
    """A failure of the function's packaging or data that Lambda has a name for.

    Attributes:
        error_type: Runtime.X.
        message: What the caller reads.
        trace: Lines of a stack trace; empty when there is none worth showing.
    """

    def __init__(self, error_type: str, message: str, trace: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.error_type = error_type
        self.message = message
        self.trace = trace
