"""What agent and launcher say to each other: JSON with descriptors over a SEQPACKET socket.

    agent -> launcher   Hello, Create (+ directories), Reset, Destroy; each with a number
    launcher -> agent   Reply to a number (+ descriptors), Exited whenever a tree has ended,
                        Stocked when what it keeps ready has changed

The launcher trusts nothing in a request: it is read field by field, and checked against the same
limits everywhere. Directories arrive as descriptors; paths are never believed.
"""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from emberd.wire.errors import (
    CapacityError,
    EmberdError,
    InvalidArgumentError,
    UnavailableError,
)
from runtimes.catalog import BYTECODE_ROOT, LAYERS_ROOT, TASK_ROOT
from sandbox.spec import EGRESS, MIB, Limits

MESSAGE_BYTES_MAX = 192 * 1024
DESCRIPTORS_MAX = 12

CONTROLS = ("freeze", "kill", "cpu", "memory_and_swap", "memory", "memory_peak", "oom")
"""Order of the control descriptors in the reply to Create, after the four sockets and the log."""

_SANDBOX_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}")
_NETWORK = re.compile(r"[0-9a-z]{1,32}")
_ENVIRONMENT_BYTES_MAX = 64 * 1024
_MEMORY_BYTES = (4 * MIB, 1 << 44)
_CPU_MILLIS = (1, 1_000_000)
_PROCESSES = (1, 100_000)
_EPHEMERAL_BYTES = (1 * MIB, 1 << 40)

_ERRORS: Mapping[str, type[EmberdError]] = {
    each.__name__: each for each in (CapacityError, InvalidArgumentError, UnavailableError)
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Hello:
    """Ask what this host can run."""

    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Create:
    """Make an environment and start a runtime in it.

    Carries the descriptors of the directories that it attaches, in the order of its targets.
    """

    number: int
    sandbox_id: str
    runtime_id: str
    environment: Mapping[str, str] = field(repr=False)
    """Values may be secrets."""
    limits: Limits
    has_layers: bool = False
    has_bytecode: bool = False
    network: str = EGRESS
    """egress, none, or the name of a network of this host."""
    is_template: bool = False
    """It waits to be copied once its init is done."""
    clone_of: str = ""
    """The template that it is to be copied from; empty: none."""

    @property
    def targets(self) -> tuple[str, ...]:
        """Where the directories that it carries are attached, in their order."""
        layers = (LAYERS_ROOT,) if self.has_layers else ()
        bytecode = (BYTECODE_ROOT,) if self.has_bytecode else ()
        return (TASK_ROOT, *layers, *bytecode)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reset:
    """End the tree and start another in the same environment."""

    number: int
    sandbox_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Destroy:
    """End it and leave nothing."""

    number: int
    sandbox_id: str


Request = Hello | Create | Reset | Destroy


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """The outcome of one request; error is None for success."""

    number: int
    error: EmberdError | None = None
    generation: int = 0
    """Of the tree that was started."""
    cpu_value: str = ""
    """What to write to the CPU descriptor for the spec's share."""
    phases: Sequence[tuple[str, int, int]] = ()
    parked: bool = False
    """The tree was waiting in its started program."""
    runtimes: Mapping[str, str] = field(default_factory=dict)
    """Version by runtime id (Hello only)."""
    notes: Sequence[str] = ()
    """What this host cannot isolate (Hello only)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exited:
    """A tree has ended, whatever the reason; one of status and signal is set."""

    sandbox_id: str
    generation: int
    status: int | None
    signal: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stocked:
    """What the launcher keeps ready, counted anew in a quiet moment."""

    parked: int
    runtime_templates: int


Message = Reply | Exited | Stocked


def encode_request(request: Request) -> bytes:
    """Agent: one packet."""
    fields: dict[str, object] = {"verb": type(request).__name__, "number": request.number}
    if not isinstance(request, Hello):
        fields["sandbox_id"] = request.sandbox_id
    if isinstance(request, Create):
        limits = request.limits
        fields["runtime_id"] = request.runtime_id
        fields["environment"] = dict(request.environment)
        fields["memory_bytes"] = limits.memory_bytes
        fields["cpu_millis"] = limits.cpu_millis
        fields["processes"] = limits.processes
        fields["ephemeral_bytes"] = limits.ephemeral_bytes
        fields["has_layers"] = request.has_layers
        fields["has_bytecode"] = request.has_bytecode
        fields["network"] = request.network
        fields["is_template"] = request.is_template
        fields["clone_of"] = request.clone_of
    return json.dumps(fields).encode()


def decode_request(packet: bytes) -> Request:
    """Launcher: read and check one packet.

    Raises:
        InvalidArgumentError: something is not as it must be; metadata has the request's number.
    """
    try:
        fields = json.loads(packet)
    except ValueError as error:
        raise refusal("a request is not JSON") from error
    if not isinstance(fields, dict):
        raise refusal("a request is not an object")
    number = _number(fields, "number", (0, 1 << 53))
    verb = fields.get("verb")
    if verb == "Hello":
        return Hello(number=number)
    sandbox_id = _text(fields, "sandbox_id", _SANDBOX_ID)
    if verb == "Reset":
        return Reset(number=number, sandbox_id=sandbox_id)
    if verb == "Destroy":
        return Destroy(number=number, sandbox_id=sandbox_id)
    if verb != "Create":
        raise refusal(f"there is no verb {verb!r}")
    return Create(
        number=number,
        sandbox_id=sandbox_id,
        runtime_id=_text(fields, "runtime_id", _SANDBOX_ID),
        environment=_environment(fields),
        limits=Limits(
            memory_bytes=_number(fields, "memory_bytes", _MEMORY_BYTES),
            cpu_millis=_number(fields, "cpu_millis", _CPU_MILLIS),
            processes=_number(fields, "processes", _PROCESSES),
            ephemeral_bytes=_number(fields, "ephemeral_bytes", _EPHEMERAL_BYTES),
        ),
        has_layers=_truth(fields, "has_layers"),
        has_bytecode=_truth(fields, "has_bytecode"),
        network=_text(fields, "network", _NETWORK),
        is_template=_truth(fields, "is_template"),
        clone_of=_text(fields, "clone_of", _SANDBOX_ID) if fields.get("clone_of") else "",
    )


def number_of(packet: bytes) -> int:
    """The number of a request that could not be read otherwise, to answer it; -1 when unknown."""
    try:
        fields = json.loads(packet)
        return _number(fields, "number", (0, 1 << 53))
    except (ValueError, AttributeError, InvalidArgumentError):
        return -1


def encode_message(message: Message) -> bytes:
    """Launcher: one packet."""
    if isinstance(message, Exited):
        return json.dumps(
            {
                "event": "exited",
                "sandbox_id": message.sandbox_id,
                "generation": message.generation,
                "status": message.status,
                "signal": message.signal,
            }
        ).encode()
    if isinstance(message, Stocked):
        counts = {"parked": message.parked, "runtime_templates": message.runtime_templates}
        return json.dumps({"event": "stocked", **counts}).encode()
    fields: dict[str, object] = {
        "number": message.number,
        "generation": message.generation,
        "cpu_value": message.cpu_value,
        "phases": list(message.phases),
        "parked": message.parked,
        "runtimes": dict(message.runtimes),
        "notes": list(message.notes),
    }
    if message.error is not None:
        error = message.error
        fields["error"] = [type(error).__name__, error.message, error.reason]
    return json.dumps(fields).encode()


def decode_message(packet: bytes) -> Message:
    """Agent: read one packet of the launcher, which is trusted."""
    fields = json.loads(packet)
    if fields.get("event") == "exited":
        return Exited(
            sandbox_id=fields["sandbox_id"],
            generation=fields["generation"],
            status=fields["status"],
            signal=fields["signal"],
        )
    if fields.get("event") == "stocked":
        return Stocked(parked=fields["parked"], runtime_templates=fields["runtime_templates"])
    error = None
    if "error" in fields:
        kind, text, reason = fields["error"]
        error = _ERRORS.get(kind, UnavailableError)(text, reason=reason)
    return Reply(
        number=fields["number"],
        error=error,
        generation=fields["generation"],
        cpu_value=fields["cpu_value"],
        phases=tuple((name, start, end) for name, start, end in fields["phases"]),
        parked=fields["parked"],
        runtimes=fields["runtimes"],
        notes=tuple(fields["notes"]),
    )


def receive(sock: socket.socket) -> tuple[bytes, list[int]]:
    """One packet with its descriptors, all close-on-exec; empty at the end."""
    packet, fds, _, _ = socket.recv_fds(
        sock, MESSAGE_BYTES_MAX, DESCRIPTORS_MAX, socket.MSG_CMSG_CLOEXEC
    )
    return packet, fds


def _text(fields: Mapping[str, object], name: str, pattern: re.Pattern[str]) -> str:
    value = fields.get(name)
    if not isinstance(value, str) or pattern.fullmatch(value) is None:
        raise refusal(f"{name} is {value!r}, which does not match {pattern.pattern}")
    return value


def _number(fields: Mapping[str, object], name: str, limits: tuple[int, int]) -> int:
    value = fields.get(name)
    low, high = limits
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise refusal(f"{name} is {value!r}, not a number from {low} to {high}")
    return value


def _truth(fields: Mapping[str, object], name: str) -> bool:
    value = fields.get(name)
    if not isinstance(value, bool):
        raise refusal(f"{name} is {value!r}, neither true nor false")
    return value


def _environment(fields: Mapping[str, object]) -> dict[str, str]:
    value = fields.get("environment")
    if not isinstance(value, dict):
        raise refusal("environment is not an object")
    size = 0
    for name, text in value.items():
        if not isinstance(text, str) or not name or "=" in name or "\0" in name + text:
            # The value is not shown: it may be a secret.
            raise refusal(f"the environment variable {name!r} cannot be passed to a program")
        size += len(name.encode()) + len(text.encode()) + 2
    if size > _ENVIRONMENT_BYTES_MAX:
        raise refusal(f"the environment has {size} bytes, more than {_ENVIRONMENT_BYTES_MAX}")
    return value


def refusal(message: str) -> InvalidArgumentError:
    """What a request that makes no sense is answered with."""
    return InvalidArgumentError(message, reason="INVALID_PARAMETER_VALUE")
