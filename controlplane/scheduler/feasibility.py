"""Whether a host can take an attempt. Plain functions over what is known of it.

Only invocations in flight count against a host's limits: an idle sandbox goes first when room is
needed. The host has the last word and may refuse.
"""

from __future__ import annotations

from controlplane.scheduler.host import Host


def can_start(host: Host, charge_bytes: int) -> bool:
    """Whether one more sandbox that needs this much memory fits now."""
    return (
        not host.full
        and len(host.in_flight) < host.sandboxes_max
        and host.charged_bytes + charge_bytes <= host.memory_bytes
    )


def waiting(host: Host, charge_bytes: int) -> int:
    """How many invocations there are in flight beyond what the host can run at once."""
    too_many = len(host.in_flight) - host.sandboxes_max
    too_much = -((host.memory_bytes - host.charged_bytes) // charge_bytes)
    return max(0, too_many, too_much)


def can_queue(host: Host, revision_id: str, charge_bytes: int, queue_max: int) -> bool:
    """Whether it is worth waiting there: the same revision runs, so a sandbox may come free."""
    return revision_id in host.revisions and waiting(host, charge_bytes) < queue_max
