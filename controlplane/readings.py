"""Reads how it stands now, for the metrics."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from controlplane.dispatch.dispatcher import Dispatcher
from controlplane.dispatch.ports import AttachedHost
from controlplane.metrics.state import HostState, Ready, State
from controlplane.model.revision import Wanted
from controlplane.scheduler import Scheduler


class Readings:
    """Puts a State together. Used on the event loop."""

    def __init__(
        self,
        scheduler: Scheduler,
        dispatcher: Dispatcher,
        wanted: Callable[[], Sequence[Wanted]],
        dropped: Callable[[], Mapping[str, int]],
    ) -> None:
        """Dropped says what telemetry lost, by kind."""
        self._scheduler = scheduler
        self._dispatcher = dispatcher
        self._wanted = wanted
        self._dropped = dropped

    def read(self) -> State:
        """How it stands now."""
        hosts = self._dispatcher.hosts
        dropped = dict(self._dropped())
        dropped["host_log_lines"] = sum(each.report.logs_dropped for each in hosts)
        return State(
            running=self._scheduler.running,
            unreserved=self._scheduler.unreserved,
            claimed=self._scheduler.claimed,
            by_function=self._scheduler.running_by_function,
            ready=tuple(self._ready(hosts)),
            hosts=tuple(self._host(each) for each in hosts),
            dropped=dropped,
        )

    def _ready(self, hosts: Sequence[AttachedHost]) -> Iterator[Ready]:
        allocated: dict[tuple[str, str], int] = {}
        for want in self._wanted():
            place = want.function_name, want.qualifier
            reports = (host.provisioned.get(want.revision.revision_id) for host in hosts)
            there = sum(each.allocated for each in reports if each is not None)
            allocated[place] = allocated.get(place, 0) + min(want.count, there)
        for (name, qualifier), count in allocated.items():
            yield Ready(
                function_name=name,
                qualifier=qualifier,
                in_use=self._scheduler.provisioned_in_use(name, qualifier),
                allocated=count,
            )

    def _host(self, host: AttachedHost) -> HostState:
        host_id, report = host.hello.host_id, host.report
        return HostState(
            host_id=host_id,
            running=self._dispatcher.running_on(host_id),
            idle=self._dispatcher.idle_on(host_id),
            sandboxes=report.sandboxes,
            sandboxes_max=host.hello.sandboxes_max,
            parked=report.parked,
            runtime_templates=report.runtime_templates,
            function_templates=report.function_templates,
            starts_waiting=report.starts_waiting,
            memory_charged_bytes=report.memory_charged_bytes,
            memory_bytes=host.hello.memory_bytes,
            disk_free_bytes=report.disk_free_bytes,
            draining=host.draining,
        )
