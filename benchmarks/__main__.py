"""`python -m benchmarks [NAME ...]`: run benchmarks, print tables, write JSON.

Everything runs when nothing is named. A benchmark that fails is reported, the others still run,
and the exit status is 1.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import grpc
from rich.console import Console

from benchmarks import environment, plot, report
from benchmarks.figures import Result
from benchmarks.harness import BenchmarkError, Effort
from benchmarks.micro import counting, http_codec, identity, idle_cost, scheduler_decision
from benchmarks.procfs import MachineTime
from benchmarks.scenarios import (
    burst,
    burst_tail,
    cold_beside_emulator,
    cold_minus_warm,
    cold_start,
    http_invocation,
    idle_memory,
    noisy_neighbour,
    package_size,
    sandbox_cost,
    sandbox_memory,
    snap_start,
    start_up,
    streaming,
    telemetry_tax,
    time_outs,
    warm_invocation,
    warm_tail,
    wasm_beside_workerd,
    wasm_invocation,
    wasm_workers,
)

HERE = Path(__file__).parent
BENCHMARKS: dict[str, Callable[[Effort], Result]] = {
    "counting": counting.run,
    "scheduler_decision": scheduler_decision.run,
    "http_codec": http_codec.run,
    "identity": identity.run,
    "idle_cost": idle_cost.run,
    "start_up": start_up.run,
    "idle_memory": idle_memory.run,
    "sandbox_cost": sandbox_cost.run,
    "sandbox_memory": sandbox_memory.run,
    "time_outs": time_outs.run,
    "noisy_neighbour": noisy_neighbour.run,
    "cold_start": cold_start.run,
    "burst": burst.run,
    "burst_tail": burst_tail.run,
    "package_size": package_size.run,
    "cold_beside_emulator": cold_beside_emulator.run,
    "cold_minus_warm": cold_minus_warm.run,
    "snap_start": snap_start.run,
    "warm_invocation": warm_invocation.run,
    "wasm_invocation": wasm_invocation.run,
    "wasm_beside_workerd": wasm_beside_workerd.run,
    "wasm_workers": wasm_workers.run,
    "telemetry_tax": telemetry_tax.run,
    "streaming": streaming.run,
    "http_invocation": http_invocation.run,
    "warm_tail": warm_tail.run,
}


@click.command()
@click.argument("names", nargs=-1, type=click.Choice(list(BENCHMARKS)))
@click.option("--quick", is_flag=True, help="A few samples each: shows that it runs, no more.")
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    default=HERE / "results",
    help="Folder of the JSON files.",
)
def main(names: tuple[str, ...], *, quick: bool, output: Path) -> None:
    """Measure emberd; without NAMES, all of it."""
    effort = Effort.quick() if quick else Effort()
    console = Console()
    failures = 0
    for name in names or tuple(BENCHMARKS):
        # Described before the run: afterwards the load average is the benchmark's own.
        described = {**environment.describe(HERE.parent), "quick": quick}
        before = MachineTime.now()
        try:
            result = BENCHMARKS[name](effort)
        except (BenchmarkError, grpc.aio.AioRpcError, ExceptionGroup) as error:
            failures += 1
            for cause in _causes_of(error):
                console.print(f"\n[bold red]{name} failed[/bold red]: {cause}", highlight=False)
            continue
        steal_share = before.steal_share_until(MachineTime.now())
        described["steal_percent"] = round(100 * steal_share, 2)
        report.show(result, console)
        path = report.write(result, described, output)
        console.print(f"[dim]{path}[/dim]", soft_wrap=True)
        _plot(result, path.with_suffix(".svg"), console)
    sys.exit(1 if failures else 0)


def _plot(result: Result, path: Path, console: Console) -> None:
    if not result.samples:
        return
    if plot.is_possible():
        plot.draw(result, path)
        console.print(f"[dim]{path}[/dim]", soft_wrap=True)
    else:
        console.print(f"[dim]{plot.MISSING}[/dim]")


def _causes_of(error: BaseException) -> Iterator[BaseException]:
    """What lies at the bottom of what may be groups of groups."""
    if isinstance(error, BaseExceptionGroup):
        for each in error.exceptions:
            yield from _causes_of(each)
    else:
        yield error


if __name__ == "__main__":
    main()
