"""emberd top: functions and hosts at work, as they change."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator, Mapping, Sequence

import click

from controlplane.cli.client import Client, with_client
from controlplane.cli.output import Json, table_text
from controlplane.metrics.histogram import NS_PER_S, percentile
from emberd.telemetry.v1 import metrics_pb2 as pb
from emberd.wire.times import nanoseconds

FUNCTION_COLUMNS = (
    *("Function", "PerSecond", "Errors", "Throttles", "Cold"),
    *("P50Ms", "P99Ms", "Running", "Invocations"),
)
HOST_COLUMNS = (
    *("Host", "State", "Running", "Warm", "Parked", "Templates", "Waiting"),
    *("Sandboxes", "MemoryMB", "MemoryMaxMB"),
)

Row = Mapping[str, Json]


@click.command("top")
@click.option("--once", is_flag=True, help="One look over one interval, then stop.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line, for programs.")
@click.option(
    "--interval",
    "interval_s",
    type=click.FloatRange(min=0.1, max=3600),
    default=2.0,
    show_default=True,
    metavar="SECONDS",
)
@with_client
def command(client: Client, *, once: bool, as_json: bool, interval_s: float) -> None:
    """Watch functions and hosts at work; Ctrl-C ends it.

    Rates, errors and percentiles are those of the last interval, percentiles to a third.

    \b
    emberd top
    emberd top --once --json | jq .Functions
    """
    views = _views(client, interval_s)
    if sys.stdout.isatty() and not as_json:
        _watch(views, once=once)
        return
    for shown in views:
        sys.stdout.write((json.dumps(shown) if as_json else drawn(shown)) + "\n")
        sys.stdout.flush()
        if once:
            return


def view(before: pb.GetLoadResponse, after: pb.GetLoadResponse) -> dict[str, Json]:
    """What happened between two looks, busiest function first."""
    passed_s = (nanoseconds(after.read_time) - nanoseconds(before.read_time)) / NS_PER_S
    bounds = [nanoseconds(each) / NS_PER_S for each in after.duration_bounds]
    known = {each.function_name: each for each in before.functions}
    functions = [
        _function(_since(known.get(each.function_name), each), each, bounds, passed_s)
        for each in after.functions
    ]
    functions.sort(key=lambda row: (-_number(row["PerSecond"]), -_number(row["Invocations"])))
    rates = [_number(row["PerSecond"]) for row in functions]
    return {
        "Time": after.read_time.ToJsonString(),
        "PerSecond": round(sum(rates), 2),
        "Running": after.concurrent_executions,
        "Functions": functions,
        "Hosts": [_host(each) for each in after.hosts],
    }


def drawn(shown: Mapping[str, Json]) -> str:
    """A view as text."""
    functions, hosts = shown["Functions"], shown["Hosts"]
    head = f"{shown['Time']}  {shown['PerSecond']} invocations/s  {shown['Running']} running"
    parts = [head, table_text(hosts, HOST_COLUMNS), table_text(functions, FUNCTION_COLUMNS)]
    return "\n\n".join(parts)


def _views(client: Client, interval_s: float) -> Iterator[dict[str, Json]]:
    before = _look(client)
    while True:
        time.sleep(interval_s)
        after = _look(client)
        # Counters that went down belong to another life of the control plane.
        yield view(
            before if _went_on(before, after) else pb.GetLoadResponse(read_time=before.read_time),
            after,
        )
        before = after


def _look(client: Client) -> pb.GetLoadResponse:
    response: pb.GetLoadResponse = client.call(client.metrics.GetLoad, pb.GetLoadRequest())
    return response


def _watch(views: Iterator[dict[str, Json]], *, once: bool) -> None:
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    from controlplane.cli.picture import picture

    if once:
        Console(highlight=False).print(picture(next(views), HOST_COLUMNS, FUNCTION_COLUMNS))
        return
    with Live(Text("looking ..."), screen=True, auto_refresh=False) as live:
        for shown in views:
            live.update(picture(shown, HOST_COLUMNS, FUNCTION_COLUMNS), refresh=True)


def _went_on(before: pb.GetLoadResponse, after: pb.GetLoadResponse) -> bool:
    now = {each.function_name: each.invocations for each in after.functions}
    return all(now.get(each.function_name, 0) >= each.invocations for each in before.functions)


def _since(before: pb.FunctionLoad | None, after: pb.FunctionLoad) -> pb.FunctionLoad:
    if before is None:
        return after
    counts = zip(before.duration_counts, after.duration_counts, strict=True)
    return pb.FunctionLoad(
        invocations=after.invocations - before.invocations,
        errors=after.errors - before.errors,
        throttles=after.throttles - before.throttles,
        duration_counts=[now - then for then, now in counts],
        starts={level: count - before.starts[level] for level, count in after.starts.items()},
    )


def _function(
    change: pb.FunctionLoad, now: pb.FunctionLoad, bounds: Sequence[float], passed_s: float
) -> Row:
    def milliseconds(share: float) -> float | None:
        if not change.invocations:
            return None
        return round(1000 * percentile(bounds, change.duration_counts, share), 2)

    return {
        "Function": now.function_name,
        "PerSecond": round(change.invocations / passed_s, 2) if passed_s > 0 else 0.0,
        "Errors": change.errors,
        "Throttles": change.throttles,
        "Cold": sum(count for level, count in change.starts.items() if level != "warm"),
        "P50Ms": milliseconds(0.5),
        "P99Ms": milliseconds(0.99),
        "Running": now.concurrent_executions,
        "Invocations": now.invocations,
    }


def _host(host: pb.HostLoad) -> Row:
    return {
        "Host": host.host_id,
        "State": "Draining" if host.draining else "Attached",
        "Running": host.running,
        "Warm": host.warm_sandboxes,
        "Parked": host.parked_sandboxes,
        "Templates": host.runtime_templates + host.function_templates,
        "Waiting": host.starts_waiting,
        "Sandboxes": host.sandboxes,
        "SandboxesMax": host.sandboxes_max,
        "MemoryMB": host.memory_charged_bytes >> 20,
        "MemoryMaxMB": host.memory_bytes >> 20,
    }


def _number(value: Json) -> float:
    return float(value) if isinstance(value, (int, float)) else 0.0
