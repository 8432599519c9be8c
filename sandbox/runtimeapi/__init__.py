"""What a sandbox sees: Lambda's Runtime API 2018-06-01, served on the sandbox's own socket.

events.py       what goes in and comes out: RuntimeEvent, Response, FunctionFailure, ...
state.py        which call is allowed when (pure)
http11.py       bytes to HTTP requests (pure)
answers.py      answers to bytes (pure)
connection.py   one connection: limits, back-pressure
conversation.py the calls of one process tree, and what its owner waits for
server.py       RuntimeApi: the door for the owner of a sandbox
"""

from __future__ import annotations

from sandbox.runtimeapi.events import (
    PAYLOAD_LIMIT_BYTES,
    FunctionFailure,
    InitError,
    OversizedResponse,
    Response,
    RuntimeEvent,
)
from sandbox.runtimeapi.server import RuntimeApi

__all__ = [
    "PAYLOAD_LIMIT_BYTES",
    "FunctionFailure",
    "InitError",
    "OversizedResponse",
    "Response",
    "RuntimeApi",
    "RuntimeEvent",
]
