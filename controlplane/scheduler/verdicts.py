"""How an invocation ends that no host will run, and what its caller is told."""

from __future__ import annotations

from controlplane.scheduler.commands import Fail, FailReason, Throttle, ThrottleReason
from controlplane.scheduler.concurrency import Concurrency, ScaleRate
from controlplane.scheduler.events import InvocationArrived, RefusalReason
from controlplane.scheduler.fleet import Fleet
from controlplane.scheduler.host import InFlight

LACK_OF_ROOM = frozenset({RefusalReason.MEMORY, RefusalReason.BUSY, RefusalReason.DISK})
"""Refusals after which the same invocation may succeed later."""

START_TRIES_MAX = 3
"""Hosts on which a start may fail before the package is held to be at fault."""


def limit_reached(
    reason: ThrottleReason, arrival: InvocationArrived, concurrency: Concurrency
) -> Throttle:
    """One of Lambda's concurrency limits stands in the way."""
    if reason is ThrottleReason.CONCURRENT_INVOCATION_LIMIT_EXCEEDED:
        limit = concurrency.account_limit
        kept = limit - concurrency.unreserved_limit
        of_them = f", {kept} of them kept for single functions" if kept else ""
        message = (
            f"the account runs {concurrency.total} of its {limit} concurrent executions{of_them}: "
            "try again when some have ended"
        )
    else:
        running = concurrency.by_function.get(arrival.function_name, 0)
        ready = arrival.provisioned.function_slots if arrival.provisioned else 0
        of_them = f", {ready} of them provisioned for single versions" if ready else ""
        message = (
            f"{arrival.function_name} runs {running} of its {arrival.reserved_concurrency} "
            f"reserved concurrent executions{of_them}: try again when some have ended, or reserve "
            "more"
        )
    return Throttle(invocation_id=arrival.invocation_id, reason=reason, message=message)


def growing_too_fast(arrival: InvocationArrived, rate: ScaleRate) -> Throttle:
    """The function's scaling rate stands in the way."""
    return Throttle(
        invocation_id=arrival.invocation_id,
        reason=ThrottleReason.FUNCTION_INVOCATION_RATE_LIMIT_EXCEEDED,
        message=(
            f"{arrival.function_name} may start {rate.burst} new environments in "
            f"{rate.period_s:g} s and has started them: try again in a moment"
        ),
    )


def host_lost(invocation_id: str, host_id: str) -> Fail:
    """What ran is not known, so it is not tried again."""
    return Fail(
        invocation_id=invocation_id,
        reason=FailReason.HOST_LOST,
        message=(
            f"host {host_id} was lost while it ran {invocation_id}: the function may have run, "
            "wholly or in part; repeat it only if that does no harm"
        ),
    )


def unplaceable(invocation: InFlight, fleet: Fleet) -> Throttle | Fail:
    """No host is left to ask: more room later would help, or it would not."""
    reasons = {reason for reason, _ in invocation.refusals.values()}
    if reasons & LACK_OF_ROOM:
        return _no_room(invocation)
    if start_failed_enough(invocation):
        return _start_failed(invocation)
    arrival = invocation.arrival
    suitable = fleet.offering(arrival.runtime_id, arrival.architecture, arrival.network)
    if any(host.host_id not in invocation.refusals for host in suitable):
        return _no_room(invocation)
    if RefusalReason.START_FAILED in reasons:
        return _start_failed(invocation)
    return _nowhere(arrival, fleet)


def start_failed_enough(invocation: InFlight) -> bool:
    """Whether so many hosts failed to start it that no other one is asked."""
    failures = [r for r, _ in invocation.refusals.values() if r is RefusalReason.START_FAILED]
    return len(failures) >= START_TRIES_MAX


def _no_room(invocation: InFlight) -> Throttle:
    arrival = invocation.arrival
    told = _told(invocation) or f"every host that offers {arrival.runtime_id} is full"
    return Throttle(
        invocation_id=arrival.invocation_id,
        reason=ThrottleReason.CONCURRENT_INVOCATION_LIMIT_EXCEEDED,
        message=(
            f"no host has room for {arrival.function_name}: {told}; try again later, or give the "
            "hosts more memory ('emberd hosts' shows what they have)"
        ),
    )


def _start_failed(invocation: InFlight) -> Fail:
    arrival = invocation.arrival
    return Fail(
        invocation_id=arrival.invocation_id,
        reason=FailReason.START_FAILED,
        message=f"{arrival.function_name} could not be started: {_told(invocation)}",
    )


def _nowhere(arrival: InvocationArrived, fleet: Fleet) -> Fail:
    offered = fleet.runtimes(arrival.architecture)
    others = fleet.architectures()
    if others and arrival.architecture not in others:
        reason = FailReason.RUNTIME_UNAVAILABLE
        message = (
            f"no host has the architecture {arrival.architecture}, which {arrival.function_name} "
            f"is made for: the hosts have {', '.join(others)}; attach such a host, or update the "
            "function's code for another architecture"
        )
    elif _lacks_only_the_network(arrival, fleet):
        reason = FailReason.NETWORK_UNAVAILABLE
        message = (
            f"no host that offers {arrival.runtime_id} has the network {arrival.network}, which "
            f"{arrival.function_name} needs: the hosts have {', '.join(fleet.networks())}; start "
            f"one with --network {arrival.network}=CIDR, or change the function's network"
        )
    elif offered:
        reason = FailReason.RUNTIME_UNAVAILABLE
        message = (
            f"no host offers {arrival.runtime_id}, which {arrival.function_name} needs: the hosts "
            f"offer {', '.join(offered)}; install it on a host, or change the function's runtime"
        )
    else:
        reason = FailReason.NO_HOST
        message = (
            f"no host takes work, so {arrival.function_name} cannot run: attach one with "
            "'emberd-host run', or try again if one is restarting"
        )
    return Fail(invocation_id=arrival.invocation_id, reason=reason, message=message)


def _lacks_only_the_network(arrival: InvocationArrived, fleet: Fleet) -> bool:
    able = fleet.offering(arrival.runtime_id, arrival.architecture)
    placed = fleet.offering(arrival.runtime_id, arrival.architecture, arrival.network)
    return any(able) and not any(placed)


def _told(invocation: InFlight) -> str:
    """What the hosts said that handed it back."""
    return "; ".join(
        f"host {host_id} ({reason.value}): {message}"
        for host_id, (reason, message) in invocation.refusals.items()
    )
