"""Walks the way to the first events without a function.

In a template, so that the interpreter has specialised the code before the first fork. And in each
fork, which shares its template's pages until it touches them: each first touch costs microseconds,
and a start has hundreds. A sandbox that waits anyway takes them now.
"""

from __future__ import annotations

import importlib
import os
import sys
from _socket import socketpair

from . import loader, logging_hook, loop
from .api import RuntimeApi
from .context import Current
from .marshal import Marshaller

_EVENT = (
    b"HTTP/1.1 200 OK\r\n"
    b"Lambda-Runtime-Aws-Request-Id: 00000000-0000-0000-0000-000000000000\r\n"
    b"Lambda-Runtime-Deadline-Ms: 0\r\n"
    b"Lambda-Runtime-Invoked-Function-Arn: arn:aws:lambda:us-east-1:000000000000:function:none\r\n"
    b"Content-Type: application/json\r\n"
    b"Content-Length: 26\r\n\r\n"
    b'{"a": [1, 2.5, "b", null]}'
)
_SOURCE = '"""Nothing."""\nimport os\n\ndef handler(event, context):\n    return {"id": os.name}\n'
_ACCEPTED = b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n"


def rehearse() -> None:
    """Import, read, answer: all but what would be seen from outside or remembered."""
    variables = dict(os.environ)
    os.environ.clear()
    os.environ.update(variables)
    before, importers = list(sys.path), dict(sys.path_importer_cache)
    loader.set_import_path("/var/task", "/var/runtime")
    logging_hook.set_up_ahead()
    handler = loader.load(f"{__package__}.nothing.handler")
    del sys.modules[f"{__package__}.nothing"]
    _look_and_compile()
    sys.path[:] = before
    sys.path_importer_cache.clear()
    sys.path_importer_cache.update(importers)
    _serve_twice(handler)


def _look_and_compile() -> None:
    """As for a package's own modules: looked for everywhere, compiled, run."""
    try:  # noqa: SIM105
        importlib.import_module(f"{__package__}_nowhere")
    except ImportError:
        pass  # contextlib takes longer to import than all of ours
    exec(compile(_SOURCE, "nothing.py", "exec"), {})  # our own text


def _serve_twice(handler: loop.Handler) -> None:
    """Once to hold an answer, once to send it with the question for the next event."""
    ours, theirs = socketpair()
    theirs.sendall(_EVENT + _ACCEPTED + _EVENT)
    api, marshaller = RuntimeApi("127.0.0.1:1", ours), Marshaller()
    for _ in range(2):
        loop.serve(api, marshaller, handler)
    api.close()
    theirs.close()
    Current.request_id, Current.tenant_id = "", None
