"""What must now be done: everything that the scheduler asks for.

Place, Throttle and Fail speak of one invocation; Throttle and Fail end it for its caller.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, StrEnum


class ThrottleReason(Enum):
    """Lambda's reasons for a 429 (ThrottleReason of its service model), those that we can have."""

    CONCURRENT_INVOCATION_LIMIT_EXCEEDED = "ConcurrentInvocationLimitExceeded"
    RESERVED_FUNCTION_CONCURRENT_INVOCATION_LIMIT_EXCEEDED = (
        "ReservedFunctionConcurrentInvocationLimitExceeded"
    )
    FUNCTION_INVOCATION_RATE_LIMIT_EXCEEDED = "FunctionInvocationRateLimitExceeded"


class FailReason(StrEnum):
    """Why an invocation ended without an answer, although there was no lack of room."""

    HOST_LOST = "HOST_LOST"
    """Its host was lost while it ran: what ran of it is not known, so it is not tried again."""
    NO_HOST = "NO_HOST"
    """No host is attached that takes work."""
    RUNTIME_UNAVAILABLE = "RUNTIME_UNAVAILABLE"
    """Hosts are attached, but none offers the runtime."""
    NETWORK_UNAVAILABLE = "INVALID_SUBNET_ID"
    """Hosts offer the runtime, but none of them the network. Lambda's word is for its subnets."""
    START_FAILED = "START_FAILED"
    """No host that tried could start a sandbox; nothing ran."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Run this invocation on that host."""

    invocation_id: str
    host_id: str
    epoch: int
    queue_timeout_s: float
    """How long the host may let it wait for a sandbox."""
    provisioned: bool = False
    """Whether it took a slot that is kept ready for its version or alias."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Throttle:
    """Answer 429; nothing ran."""

    invocation_id: str
    reason: ThrottleReason
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Fail:
    """Answer that it is unavailable."""

    invocation_id: str
    reason: FailReason
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RetireOn:
    """Tell a host that sandboxes of this revision will never be used again."""

    host_id: str
    revision_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelOn:
    """Tell a host that nobody waits for this invocation any more."""

    host_id: str
    invocation_id: str


Command = Place | Throttle | Fail | RetireOn | CancelOn
