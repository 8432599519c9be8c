"""All attached hosts, and the indexes that make the common decisions cheap.

A warm sandbox is found without looking at any host that has none, and a start looks only at hosts
that offer the runtime. Hosts that drain are in no index.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator

from controlplane.model.networks import EGRESS, EVERYWHERE, offers
from controlplane.scheduler.host import Host


class Fleet:
    """The hosts by id, by runtime, and by the revisions they hold idle sandboxes of."""

    def __init__(self) -> None:
        self._hosts: dict[str, Host] = {}
        self._by_runtime: dict[str, dict[str, Host]] = {}
        # Each inner dict is ordered by use: the host that served the revision last is the last.
        self._idle: dict[str, dict[str, Host]] = {}

    def __iter__(self) -> Iterator[Host]:
        return iter(self._hosts.values())

    def get(self, host_id: str) -> Host | None:
        """The attached host with this id."""
        return self._hosts.get(host_id)

    def add(self, host: Host) -> None:
        """A host takes work from now on."""
        self._hosts[host.host_id] = host
        for runtime_id in host.runtimes:
            self._by_runtime.setdefault(runtime_id, {})[host.host_id] = host

    def remove(self, host: Host) -> None:
        """A host is gone."""
        self._leave_indexes(host)
        del self._hosts[host.host_id]

    def drain(self, host: Host) -> None:
        """A host takes no more work; what is idle there is of no more use."""
        self._leave_indexes(host)
        host.draining = True

    def drop_runtime(self, host: Host, runtime_id: str) -> None:
        """A host does not offer this runtime any more."""
        host.runtimes.discard(runtime_id)
        self._unlist(self._by_runtime, runtime_id, host)

    def offering(self, runtime_id: str, architecture: str, network: str = EGRESS) -> Iterable[Host]:
        """The hosts that offer a runtime on an architecture in a network and take work."""
        hosts = self._by_runtime.get(runtime_id, {}).values()
        return (
            host
            for host in hosts
            if host.architecture == architecture and offers(host.networks, network)
        )

    def runtimes(self, architecture: str) -> list[str]:
        """Every runtime that some host of an architecture offers, in order."""
        return sorted(each for each in self._by_runtime if any(self.offering(each, architecture)))

    def architectures(self) -> list[str]:
        """Every architecture that some host which takes work has, in order."""
        return sorted({host.architecture for host in self if not host.draining})

    def networks(self) -> list[str]:
        """Every network that some host which takes work has, in order."""
        named = (host.networks for host in self if not host.draining)
        return sorted(EVERYWHERE.union(*named))

    def revisions_idle(self) -> set[str]:
        """The revisions of which some host holds an idle sandbox."""
        return set(self._idle)

    def warm_host(self, revision_id: str, tried: Container[str]) -> Host | None:
        """The host that used an idle sandbox of this revision last, but none of the tried."""
        holders = self._idle.get(revision_id)
        if not holders:
            return None
        for host in reversed(holders.values()):
            if host.host_id not in tried:
                return host
        return None

    def set_idle(self, host: Host, revision_id: str, count: int) -> None:
        """Replace what is known of a host's idle sandboxes; its place in the order stays."""
        if count <= 0 or host.draining:
            if host.idle.pop(revision_id, 0):
                self._unlist(self._idle, revision_id, host)
            return
        host.idle[revision_id] = count
        self._idle.setdefault(revision_id, {})[host.host_id] = host

    def take_idle(self, host: Host, revision_id: str) -> None:
        """An idle sandbox there is about to be used."""
        self.set_idle(host, revision_id, host.idle[revision_id] - 1)

    def give_idle(self, host: Host, revision_id: str) -> None:
        """A sandbox there has just been used and is idle: the host is the first choice now."""
        if host.draining:
            return
        self._unlist(self._idle, revision_id, host)
        self.set_idle(host, revision_id, host.idle.get(revision_id, 0) + 1)

    def forget_idle(self, revision_id: str) -> None:
        """Idle sandboxes of this revision will never be used again."""
        for host in self._idle.pop(revision_id, {}).values():
            del host.idle[revision_id]

    def _leave_indexes(self, host: Host) -> None:
        for runtime_id in host.runtimes:
            self._unlist(self._by_runtime, runtime_id, host)
        for revision_id in host.idle:
            self._unlist(self._idle, revision_id, host)
        host.idle.clear()

    @staticmethod
    def _unlist(index: dict[str, dict[str, Host]], key: str, host: Host) -> None:
        """Remove a host from an index if it is there; an empty entry is not kept."""
        listed = index.get(key, {})
        listed.pop(host.host_id, None)
        if not listed:
            index.pop(key, None)

    def check_invariants(self) -> None:
        """Raise AssertionError when hosts and indexes disagree."""
        for host in self._hosts.values():
            assert all(count > 0 for count in host.idle.values()), host
            assert not (host.draining and host.idle), host
            held = sum(each.charge_bytes for each in host.in_flight.values())
            assert held == host.charged_bytes, host
            assert sum(host.revisions.values()) == len(host.in_flight), host
            assert all(each.host is host for each in host.in_flight.values()), host
        self._check_index(self._idle, {h.host_id: set(h.idle) for h in self})
        offered = {h.host_id: set() if h.draining else h.runtimes for h in self}
        self._check_index(self._by_runtime, offered)

    def _check_index(
        self, index: dict[str, dict[str, Host]], expected: dict[str, set[str]]
    ) -> None:
        listed = {(key, host_id) for key, hosts in index.items() for host_id in hosts}
        assert listed == {(key, host_id) for host_id, keys in expected.items() for key in keys}
        assert all(index.values()), "an empty entry was kept"
        for hosts in index.values():
            assert all(self._hosts.get(host_id) is host for host_id, host in hosts.items())
