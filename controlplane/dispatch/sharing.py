"""How provisioned concurrency is shared out among the hosts. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from controlplane.dispatch.ports import AttachedHost
from controlplane.model.networks import offers
from controlplane.model.revision import Revision, Wanted


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A host that takes work."""

    host_id: str
    architecture: str
    runtimes: Collection[str]
    networks: Collection[str] = ()

    def can_run(self, revision: Revision) -> bool:
        """Whether it offers what the revision needs."""
        return (
            revision.runtime_id in self.runtimes
            and revision.architecture == self.architecture
            and offers(self.networks, revision.network)
        )


def candidate_of(host: AttachedHost) -> Candidate:
    """What counts of an attached host."""
    hello = host.hello
    return Candidate(
        host_id=hello.host_id,
        architecture=hello.architecture,
        runtimes=hello.runtimes.keys(),
        networks=hello.networks,
    )


def share_out(
    wants: Sequence[Wanted], candidates: Sequence[Candidate]
) -> Mapping[str, Mapping[str, int]]:
    """Sandboxes by host and revision: each want evenly over the hosts that can run it.

    The same wants on the same hosts are always shared out in the same way, so that nothing moves
    without need.
    """
    shares: dict[str, dict[str, int]] = {each.host_id: {} for each in candidates}
    for want in wants:
        able = sorted(each.host_id for each in candidates if each.can_run(want.revision))
        for position, host_id in enumerate(able):
            share = want.count // len(able) + (position < want.count % len(able))
            if share:
                revision_id = want.revision.revision_id
                share += shares[host_id].get(revision_id, 0)
                shares[host_id][revision_id] = share
    return shares
