"""What every guest sees of its sandbox: the function's variables, /tmp, clocks, randomness, a log.

No sockets: wasmtime gives guests none. Components may ask over HTTP (handler.py).
"""

from __future__ import annotations

from collections.abc import Mapping

import wasmtime

from . import Event

_OURS = frozenset(
    {
        "AWS_LAMBDA_RUNTIME_API",
        "LAMBDA_RUNTIME_DIR",
        "LD_LIBRARY_PATH",
        "PATH",
        "PWD",
        "SHLVL",
        "_EMBERD_SEATS",
    }
)
"""Variables of the process around the guest: they mean nothing inside."""

_OUR_PYTHONPATH = "/var/runtime"

TEMPORARY = "/tmp"


def variables_of(environment: Mapping[str, str]) -> list[tuple[str, str]]:
    """The function's variables, as guests have them for every event."""
    return [
        (name, value)
        for name, value in environment.items()
        if name not in _OURS and (name, value) != ("PYTHONPATH", _OUR_PYTHONPATH)
    ]


def of_event(event: Event) -> list[tuple[str, str]]:
    """The variables that say of which event this world is. A command has no other context."""
    found = {
        "EMBERD_REQUEST_ID": event.request_id,
        "EMBERD_DEADLINE_MS": str(event.deadline_ms),
        "EMBERD_FUNCTION_ARN": event.function_arn,
        "EMBERD_CLIENT_CONTEXT": event.client_context,
        "EMBERD_TENANT_ID": event.tenant_id,
        "_X_AMZN_TRACE_ID": event.trace_id,
        "TRACEPARENT": event.traceparent,
    }
    return [(name, value) for name, value in found.items() if value]


def make(
    variables: list[tuple[str, str]], event: Event, *, temporary: str = TEMPORARY, log: str = ""
) -> wasmtime.WasiConfig:
    """A new world; its stdin is empty and its stdout goes nowhere.

    Args:
        variables: The function's.
        event: What it is made for.
        temporary: The folder that it sees as /tmp.
        log: The path of what its stderr is; empty for ours.
    """
    world = wasmtime.WasiConfig()
    world.env = [*variables, *of_event(event)]
    if log:
        world.stderr_file = log
    else:
        world.inherit_stderr()
    world.preopen_dir(temporary, TEMPORARY)
    return world
