"""Where an invocation goes: an idle warm sandbox, a new one, or a queue behind busy ones."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from controlplane.scheduler import feasibility, ranking
from controlplane.scheduler.fleet import Fleet
from controlplane.scheduler.host import Host, InFlight


class Way(Enum):
    """What the host is expected to do with it."""

    WARM = "warm"
    START = "start"
    QUEUE = "queue"


@dataclass(frozen=True, slots=True)
class Choice:
    """A host and what is expected of it."""

    way: Way
    host: Host


def choose(fleet: Fleet, invocation: InFlight, charge_bytes: int, queue_max: int) -> Choice | None:
    """The best host among those that have not refused this invocation, or None."""
    arrival, tried = invocation.arrival, invocation.refusals
    warm = fleet.warm_host(arrival.revision_id, tried)
    if warm is not None:
        return Choice(Way.WARM, warm)
    suitable = fleet.offering(arrival.runtime_id, arrival.architecture, arrival.network)
    untried = [h for h in suitable if h.host_id not in tried]
    roomy = [h for h in untried if feasibility.can_start(h, charge_bytes)]
    best = ranking.best_for_start(roomy, arrival.artifact_id)
    if best is not None:
        return Choice(Way.START, best)
    queueing = ranking.least_loaded(
        h for h in untried if feasibility.can_queue(h, arrival.revision_id, charge_bytes, queue_max)
    )
    return None if queueing is None else Choice(Way.QUEUE, queueing)
