"""The gRPC front of what is counted: the load now, and the usage of days."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from controlplane.metrics.histogram import FINE_BOUNDS, NS_PER_S, Histogram
from controlplane.metrics.metering import DAY_S, Usage
from controlplane.metrics.state import HostState, State
from controlplane.metrics.tallies import Tallies, Tally
from emberd.telemetry.v1 import metrics_pb2 as pb
from emberd.telemetry.v1 import metrics_pb2_grpc
from emberd.wire.errors import InvalidArgumentError
from emberd.wire.times import duration, timestamp

MB_PER_GB = 1024
NS_PER_MS = 1_000_000


class Usages(Protocol):
    """What is asked of the store of usage."""

    async def read(self, first_day: int, last_day: int) -> Sequence[Usage]:
        """What was used on these days."""


class MetricsService(metrics_pb2_grpc.MetricsServiceServicer):
    """Reads counters for clients."""

    def __init__(self, tallies: Tallies, read_state: Callable[[], State], usages: Usages) -> None:
        self._tallies = tallies
        self._read_state = read_state
        self._usages = usages

    async def GetLoad(self, request: pb.GetLoadRequest, context: Any) -> pb.GetLoadResponse:
        """Every counter as it stands."""
        state = self._read_state()
        by_function: dict[str, list[Tally]] = {}
        for key, tally in self._tallies:
            by_function.setdefault(key.function_name, []).append(tally)
        return pb.GetLoadResponse(
            read_time=timestamp(time.time_ns()),
            concurrent_executions=state.running,
            duration_bounds=[duration(round(each * NS_PER_S)) for each in FINE_BOUNDS],
            functions=[
                _function(name, tallies, state.by_function.get(name, 0))
                for name, tallies in sorted(by_function.items())
            ],
            hosts=[_host(each) for each in state.hosts],
        )

    async def GetUsage(self, request: pb.GetUsageRequest, context: Any) -> pb.GetUsageResponse:
        """What was used on some days."""
        first = request.start_time.seconds // DAY_S
        until_s = request.end_time.seconds if request.HasField("end_time") else time.time()
        last = int(until_s) // DAY_S
        if first > last:
            raise InvalidArgumentError(
                "the first day is after the last one: exchange start_time and end_time",
                reason="INVALID_PARAMETER_VALUE",
            )
        usages = await self._usages.read(first, last)
        return pb.GetUsageResponse(usages=[_usage(each) for each in usages])


def _function(name: str, tallies: Sequence[Tally], running: int) -> pb.FunctionLoad:
    durations = Histogram(FINE_BOUNDS)
    starts: dict[str, int] = {}
    for each in tallies:
        durations.merge(each.fine)
        for level, count in each.starts.items():
            starts[level.value] = starts.get(level.value, 0) + count
    return pb.FunctionLoad(
        function_name=name,
        invocations=sum(each.invocations for each in tallies),
        errors=sum(each.errors for each in tallies),
        throttles=sum(each.throttles for each in tallies),
        concurrent_executions=running,
        duration_counts=durations.counts,
        starts=starts,
    )


def _host(host: HostState) -> pb.HostLoad:
    return pb.HostLoad(
        host_id=host.host_id,
        running=host.running,
        warm_sandboxes=host.idle,
        sandboxes=host.sandboxes,
        sandboxes_max=host.sandboxes_max,
        memory_charged_bytes=host.memory_charged_bytes,
        memory_bytes=host.memory_bytes,
        draining=host.draining,
        parked_sandboxes=host.parked,
        runtime_templates=host.runtime_templates,
        function_templates=host.function_templates,
        starts_waiting=host.starts_waiting,
    )


def _usage(usage: Usage) -> pb.Usage:
    return pb.Usage(
        day_time=timestamp(usage.day * DAY_S * NS_PER_S),
        function_name=usage.function_name,
        architecture=usage.architecture,
        tags=dict(usage.tags),
        requests=usage.requests,
        billed_duration=duration(usage.billed_ms * NS_PER_MS),
        gigabyte_duration=duration(usage.memory_mb_ms * NS_PER_MS // MB_PER_GB),
    )
