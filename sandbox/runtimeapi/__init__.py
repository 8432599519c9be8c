"""What a sandbox sees: Lambda's Runtime API 2018-06-01, served on the sandbox's own socket.

events.py       what goes in and comes out: RuntimeEvent, Response, FunctionFailure, ...
state.py        which call is allowed when (pure)
http11.py       bytes to HTTP requests (pure)
answers.py      answers to bytes (pure)
connection.py   one connection: limits, back-pressure
outcome.py      a value that comes once
streams.py      an answer that is passed on while it is written
conversation.py the calls of one process tree, and what its owner waits for
entrance.py     where connections come in: a socket, or a place at a worker
server.py       RuntimeApi: the door for the owner of a sandbox
"""

from __future__ import annotations

from sandbox.runtimeapi.entrance import Place, SharedEntrance
from sandbox.runtimeapi.events import (
    PAYLOAD_LIMIT_BYTES,
    BrokenOff,
    FunctionFailure,
    InitError,
    Initialised,
    OversizedResponse,
    Response,
    RuntimeEvent,
    SnapshotRefused,
    StreamEnd,
    Whole,
)
from sandbox.runtimeapi.server import RuntimeApi
from sandbox.runtimeapi.state import Beginning
from sandbox.runtimeapi.streams import ResponseStream

__all__ = [
    "PAYLOAD_LIMIT_BYTES",
    "Beginning",
    "BrokenOff",
    "FunctionFailure",
    "InitError",
    "Initialised",
    "OversizedResponse",
    "Place",
    "Response",
    "ResponseStream",
    "RuntimeApi",
    "RuntimeEvent",
    "SharedEntrance",
    "SnapshotRefused",
    "StreamEnd",
    "Whole",
]
