"""How long does `emberd serve` take from its start to the line `emberd ready`, and to stop?

A first start makes the data folder and looks at the host; a later one finds both done. The floor
is what any gRPC program in this interpreter pays: a process that imports grpc.aio and ends.
"""

from __future__ import annotations

import sys

from benchmarks.figures import Result, Samples
from benchmarks.floors.fork_exec import fork_exec
from benchmarks.harness import Effort, timed
from benchmarks.system import data_folder, started

QUESTION = "How long does `emberd serve` take to be ready, and to stop?"


def run(effort: Effort) -> Result:
    """Start and stop it on fresh folders, and again on the same ones."""
    first: list[int] = []
    again: list[int] = []
    stops: list[int] = []
    floor: list[int] = []
    start_floor = fork_exec(sys.executable, "-c", "import grpc.aio")
    for _ in range(effort.starts):
        with data_folder() as data:
            for taken in (first, again):
                with started(data) as system:
                    taken.append(system.start_up_ns)
                stops.append(system.stop_ns)
        floor.extend(timed(start_floor, warmup=0, samples=1))
    return Result(
        name="start_up",
        question=QUESTION,
        samples=(
            Samples(name="first start, fresh data folder", values_ns=tuple(first)),
            Samples(name="later start, same data folder", values_ns=tuple(again)),
            Samples(name="stop, SIGTERM to exit", values_ns=tuple(stops)),
            Samples(name="floor: a process that imports grpc.aio", values_ns=tuple(floor)),
        ),
    )
