"""Walks the way to the first event once, without a function.

A fork shares its template's pages until it touches them; each first touch costs microseconds, and
a start has hundreds. A sandbox that waits anyway takes them now.
"""

from __future__ import annotations

import os
import sys

from . import loader, loop
from .api import Invocation, RuntimeApi
from .marshal import Marshaller

_HEADERS = {
    "lambda-runtime-aws-request-id": "00000000-0000-0000-0000-000000000000",
    "lambda-runtime-deadline-ms": "0",
    "lambda-runtime-invoked-function-arn": "arn:aws:lambda:us-east-1:000000000000:function:none",
    "content-type": "application/json",
}


def rehearse() -> None:
    """Import, read, answer: all but what would be seen from outside or remembered."""
    variables = dict(os.environ)
    os.environ.clear()
    os.environ.update(variables)
    before, importers = list(sys.path), dict(sys.path_importer_cache)
    loader.set_import_path("/var/task", "/var/runtime")
    handler = loader.load(f"{__package__}.nothing.handler")
    del sys.modules[f"{__package__}.nothing"]
    sys.path[:] = before
    sys.path_importer_cache.clear()
    sys.path_importer_cache.update(importers)
    RuntimeApi("127.0.0.1:1")
    marshaller = Marshaller()
    invocation = Invocation(_HEADERS, b'{"a": [1, 2.5, "b", null]}')
    event = marshaller.event(invocation.body, invocation.header("content-type"))
    marshaller.result(handler(event, loop.context_of(invocation, marshaller)))
