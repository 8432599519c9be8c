"""Makes provisioned concurrency stand ready, and says how far it has come.

What is wanted comes from the registry, what is there from the hosts. Nothing else is remembered
than what was asked of which stream: a host that attaches anew is asked anew, and after a crash the
truth is where the sandboxes are.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from controlplane.dispatch.dispatcher import Dispatcher
from controlplane.dispatch.ports import AttachedHost, HostLink, ProvisionOrder
from controlplane.dispatch.sharing import candidate_of, share_out
from controlplane.model.networks import EVERYWHERE
from controlplane.model.revision import Revision, Wanted
from controlplane.model.settings import Allocation, AllocationStatus

RENEW_S = 1800.0
"""How often hosts are asked anew, so that sandboxes are started with fresh credentials."""


class Provisioning:
    """Keeps the hosts' orders in step with what is wanted."""

    def __init__(self, dispatcher: Dispatcher, wants: Callable[[], Sequence[Wanted]]) -> None:
        self._dispatcher = dispatcher
        self._wants = wants
        self._orders: dict[HostLink, dict[str, ProvisionOrder]] = {}
        dispatcher.on_fleet_changed(self.refresh)

    def refresh(self) -> None:
        """Look again at what is wanted and who is there, and ask for what differs."""
        wants = self._wants()
        hosts = [host for host in self._dispatcher.hosts if not host.draining]
        self._orders = {host.link: self._orders.get(host.link, {}) for host in hosts}
        if not wants and not any(self._orders.values()):
            return
        revisions = {want.revision.revision_id: want.revision for want in wants}
        shares = share_out(wants, [candidate_of(host) for host in hosts])
        for host in hosts:
            share = shares[host.hello.host_id]
            for revision_id, order in list(self._orders[host.link].items()):
                if revision_id not in share:
                    self._order(host, order.revision, 0)
            for revision_id, wanted in share.items():
                self._order(host, revisions[revision_id], wanted)

    async def run(self) -> None:
        """Ask every host anew from time to time, until cancelled."""
        while True:
            await asyncio.sleep(RENEW_S)
            self._orders.clear()
            self.refresh()

    def allocation(self, function_name: str, qualifier: str) -> Allocation:
        """How far it has come with one version or alias."""
        wants = [
            want
            for want in self._wants()
            if (want.function_name, want.qualifier) == (function_name, qualifier)
        ]
        if not wants:
            # The version is still being prepared.
            return Allocation()
        allocated = sum(min(want.count, self._allocated(want.revision)) for want in wants)
        idle = sum(self._dispatcher.idle_of(want.revision.revision_id) for want in wants)
        reason = ""
        status = AllocationStatus.READY
        if allocated < sum(want.count for want in wants):
            reason = self._failure(wants)
            status = AllocationStatus.FAILED if reason else AllocationStatus.IN_PROGRESS
        return Allocation(
            status=status, allocated=allocated, available=min(idle, allocated), reason=reason
        )

    def _order(self, host: AttachedHost, revision: Revision, wanted: int) -> None:
        orders = self._orders[host.link]
        known = orders.get(revision.revision_id)
        if known is not None and known.wanted == wanted:
            return
        order = ProvisionOrder(
            revision=revision,
            wanted=wanted,
            credentials=self._dispatcher.credentials_of(revision),
        )
        if wanted:
            orders[revision.revision_id] = order
        else:
            del orders[revision.revision_id]
            host.provisioned.pop(revision.revision_id, None)
        host.link.provision(order)

    def _allocated(self, revision: Revision) -> int:
        reports = (host.provisioned.get(revision.revision_id) for host in self._dispatcher.hosts)
        return sum(report.allocated for report in reports if report is not None)

    def _failure(self, wants: Sequence[Wanted]) -> str:
        """Why it is not getting any further, or nothing if it is."""
        for want in wants:
            revision = want.revision
            hosts = [host for host in self._dispatcher.hosts if not host.draining]
            if not any(candidate_of(host).can_run(revision) for host in hosts):
                return f"No host is attached that offers {_needs(revision)}."
            for host in hosts:
                report = host.provisioned.get(revision.revision_id)
                if report is not None and report.failure:
                    return report.failure
        return ""


def _needs(revision: Revision) -> str:
    """What a host must offer, in words."""
    if revision.network in EVERYWHERE:
        return revision.runtime_id
    return f"{revision.runtime_id} in the network {revision.network}"
