"""Which of the hosts that could take an attempt is the best. Plain functions.

The order of the design: an idle warm sandbox (an index finds it, not a ranking), then a function
template, then a parked sandbox, then the package already there, then most room. Templates and
parked sandboxes do not exist yet; Readiness is where they will be told apart.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum

from controlplane.scheduler.host import Host

CROWDED_LOAD = 4.0
"""Invocations in flight per core from which a host is asked only when all others are as busy.

A burst of a new function would otherwise pile up on the one host that has its package, where
fetching it costs the others a few milliseconds, once.
"""


class Readiness(IntEnum):
    """How much of a start a host can skip."""

    NOTHING = 0
    ARTIFACT = 1


def readiness(host: Host, artifact_id: str) -> Readiness:
    """How well a host is prepared for a start with this package."""
    return Readiness.ARTIFACT if artifact_id in host.artifacts else Readiness.NOTHING


def best_for_start(hosts: Iterable[Host], artifact_id: str) -> Host | None:
    """The host where a new sandbox is ready soonest; ties go to the one with the lowest id."""
    return min(
        hosts,
        key=lambda host: (
            host.load >= CROWDED_LOAD,
            -readiness(host, artifact_id),
            -host.room_bytes,
            host.host_id,
        ),
        default=None,
    )


def least_loaded(hosts: Iterable[Host]) -> Host | None:
    """The host with the fewest invocations per core; ties go to the one with the lowest id."""
    return min(hosts, key=lambda host: (host.load, host.host_id), default=None)
