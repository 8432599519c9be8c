"""Decides where each invocation runs. Pure: events in, commands out, no I/O, clock or chance.

* scheduler     the one entry point: Scheduler.handle(event) -> list[Command]
* events        what happened
* commands      what must now be done
* choice        an idle warm sandbox, a start, or a queue behind busy ones
* feasibility   whether a host can take an attempt
* ranking       which of those hosts is the best
* verdicts      what a caller is told whose invocation no host will run
* concurrency   Lambda's limits: account, reserved, scaling rate
* fleet, host   the hosts as known here, and their indexes
* ledger        the invocations in flight
* peaks         memory to charge for a sandbox, learned from measurements
"""

from __future__ import annotations

from controlplane.scheduler.commands import (
    CancelOn,
    Command,
    Fail,
    FailReason,
    Place,
    RetireOn,
    Throttle,
    ThrottleReason,
)
from controlplane.scheduler.concurrency import ScaleRate
from controlplane.scheduler.events import (
    AttemptEnded,
    AttemptRefused,
    Event,
    HostAttached,
    HostDraining,
    HostLost,
    HostReported,
    InvocationArrived,
    InvocationCancelled,
    PoolChanged,
    RefusalReason,
    RevisionRetired,
)
from controlplane.scheduler.scheduler import Scheduler

__all__ = [
    "AttemptEnded",
    "AttemptRefused",
    "CancelOn",
    "Command",
    "Event",
    "Fail",
    "FailReason",
    "HostAttached",
    "HostDraining",
    "HostLost",
    "HostReported",
    "InvocationArrived",
    "InvocationCancelled",
    "Place",
    "PoolChanged",
    "RefusalReason",
    "RetireOn",
    "RevisionRetired",
    "ScaleRate",
    "Scheduler",
    "Throttle",
    "ThrottleReason",
]
