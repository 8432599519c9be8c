"""The fleet for operators: every attached host with its budget and what it runs."""

from __future__ import annotations

from typing import Any

from controlplane.dispatch.dispatcher import Dispatcher
from controlplane.dispatch.ports import AttachedHost
from emberd.fleet.v1 import fleet_pb2 as pb
from emberd.fleet.v1 import fleet_pb2_grpc
from emberd.wire.times import timestamp


class HostService(fleet_pb2_grpc.HostServiceServicer):
    """Shows the fleet."""

    def __init__(self, dispatcher: Dispatcher) -> None:
        self._dispatcher = dispatcher

    async def ListHosts(self, request: pb.ListHostsRequest, context: Any) -> pb.ListHostsResponse:
        """Every attached host."""
        return pb.ListHostsResponse(hosts=[self._host(each) for each in self._dispatcher.hosts])

    def _host(self, host: AttachedHost) -> pb.Host:
        hello = host.hello
        state = pb.HOST_STATE_DRAINING if host.draining else pb.HOST_STATE_ATTACHED
        return pb.Host(
            host_id=hello.host_id,
            runtimes=[
                pb.Runtime(runtime_id=each, version=version)
                for each, version in sorted(hello.runtimes.items())
            ],
            capacity=pb.Capacity(
                memory_bytes=hello.memory_bytes,
                cpu_millis=hello.cpu_millis,
                sandboxes=hello.sandboxes_max,
            ),
            memory_charged_bytes=host.report.memory_charged_bytes,
            sandboxes=host.report.sandboxes,
            idle_sandboxes=self._dispatcher.idle_on(hello.host_id),
            running=self._dispatcher.running_on(hello.host_id),
            attach_time=timestamp(host.attached_ns),
            state=state,
            labels=dict(hello.labels),
            isolation_notes=hello.isolation_notes,
            logs_dropped=host.report.logs_dropped,
            architecture=hello.architecture,
            networks=sorted(hello.networks),
        )
