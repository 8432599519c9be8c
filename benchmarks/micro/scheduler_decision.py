"""What does one scheduling decision cost, and how does it grow with the fleet?

warm: an arrival that an idle sandbox serves, and its end. start: an arrival that needs a new
sandbox, with every host looked at, and its end. full: an arrival that no host can take.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

from benchmarks.figures import Result, Samples
from benchmarks.harness import BenchmarkError, Effort, timed
from controlplane.scheduler import (
    AttemptEnded,
    HostAttached,
    InvocationArrived,
    Place,
    ScaleRate,
    Scheduler,
    Throttle,
)

HOSTS = (10, 100, 1_000)
MIB = 1024 * 1024
RUNTIME = "python3.12"


def run(effort: Effort, sizes: Sequence[int] = HOSTS) -> Result:
    """Measure every kind of decision at every size of the fleet."""
    return Result(
        name="scheduler_decision",
        question="What does one scheduling decision cost at 10, 100 and 1,000 hosts?",
        samples=tuple(
            _measure(name, make, hosts, effort) for hosts in sizes for name, make in _KINDS.items()
        ),
    )


def _measure(
    name: str, make: Callable[[Scheduler], Callable[[], None]], hosts: int, effort: Effort
) -> Samples:
    # A start looks at every host, so fewer of them say as much.
    samples = effort.decisions if name == "warm" else max(100, effort.decisions * 10 // hosts)
    decide = make(_fleet_of(hosts))
    return Samples(
        name=f"{name}, {hosts} hosts",
        values_ns=timed(decide, warmup=samples // 10, samples=samples),
        parameters={"hosts": hosts},
    )


def _fleet_of(hosts: int) -> Scheduler:
    """Equal hosts, each with 100 MiB left and one idle sandbox of the revision in use."""
    scheduler = Scheduler(
        account_limit=10_000_000, queue_max=0, scale_rate=ScaleRate(burst=1_000_000_000)
    )
    for number in range(hosts):
        scheduler.handle(
            HostAttached(
                now_s=0.0,
                host_id=f"host-{number}",
                epoch=1,
                memory_bytes=100 * MIB,
                sandboxes_max=1_000,
                cpu_millis=2_000,
                runtimes=frozenset({RUNTIME}),
                architecture="x86_64",
                idle={"rev-warm": 1},
                artifacts=frozenset(),
            )
        )
    return scheduler


def _arrival(number: int, revision_id: str) -> InvocationArrived:
    return InvocationArrived(
        now_s=float(number),
        invocation_id=f"i{number}",
        function_name=revision_id,
        revision_id=revision_id,
        runtime_id=RUNTIME,
        architecture="x86_64",
        artifact_id="artifact",
        reserved_concurrency=None,
    )


def _arrive_and_end(scheduler: Scheduler, revision_id: str, *, kept: bool) -> Callable[[], None]:
    numbers = itertools.count()

    def decide() -> None:
        arrival = _arrival(next(numbers), revision_id)
        (command,) = scheduler.handle(arrival)
        if not isinstance(command, Place):
            raise BenchmarkError(f"a placement was to be measured, not {command}")
        scheduler.handle(
            AttemptEnded(
                now_s=arrival.now_s,
                invocation_id=arrival.invocation_id,
                host_id=command.host_id,
                sandbox_kept=kept,
                memory_peak_bytes=32 * MIB,
            )
        )

    return decide


def _warm(scheduler: Scheduler) -> Callable[[], None]:
    return _arrive_and_end(scheduler, "rev-warm", kept=True)


def _start(scheduler: Scheduler) -> Callable[[], None]:
    return _arrive_and_end(scheduler, "rev-new", kept=False)


def _full(scheduler: Scheduler) -> Callable[[], None]:
    numbers = itertools.count()
    while isinstance(scheduler.handle(_arrival(next(numbers), "rev-filler"))[0], Place):
        pass

    def decide() -> None:
        (command,) = scheduler.handle(_arrival(next(numbers), "rev-other"))
        if not isinstance(command, Throttle):
            raise BenchmarkError(f"a refusal was to be measured, not {command}")

    return decide


_KINDS: dict[str, Callable[[Scheduler], Callable[[], None]]] = {
    "warm": _warm,
    "start": _start,
    "full": _full,
}
