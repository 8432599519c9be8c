"""emberd traces: the invocations whose traces are kept, and those among them that are wanted."""

from __future__ import annotations

import re
import time

import click
from google.protobuf.duration_pb2 import Duration

from controlplane.cli.client import Client, with_client
from controlplane.cli.exits import BadParameterError
from controlplane.cli.logs import since_ns
from controlplane.cli.output import Json, Output, with_output
from emberd.telemetry.v1 import telemetry_pb2 as pb
from emberd.wire.times import nanoseconds, timestamp

TRACES_MAX = 1_000
SHOWN = 20
NS_PER_MS = 1_000_000
NS_PER = {"us": 1_000, "ms": NS_PER_MS, "s": 1_000_000_000, "m": 60_000_000_000}
LEVELS = ("warm", "template", "parked", "fresh")
STATUSES = {"ok": pb.INVOCATION_STATUS_OK, "error": pb.INVOCATION_STATUS_ERROR}
COLUMNS = (
    "StartTime",
    "FunctionName",
    "Version",
    "RequestId",
    "DurationMs",
    "StartLevel",
    "ErrorType",
)


@click.command("traces")
@click.argument("name", required=False, default="")
@click.option("--since", metavar="TIME", help="Arrived since 30s, 10m, 2h, 1d or an ISO time.")
@click.option("--slower-than", metavar="DURATION", help="Took at least 5ms, 1.5s, 2m.")
@click.option("--status", type=click.Choice(tuple(STATUSES)), help="How they ended.")
@click.option("--start-level", type=click.Choice(LEVELS), help="Where their sandbox came from.")
@click.option(
    "-n",
    "--most",
    type=click.IntRange(1, TRACES_MAX),
    default=SHOWN,
    show_default=True,
    help="The newest N only.",
)
@with_client
@with_output
def command(
    output: Output,
    client: Client,
    *,
    name: str,
    since: str | None,
    slower_than: str | None,
    status: str | None,
    start_level: str | None,
    most: int,
) -> None:
    """List invocations whose traces are kept, newest first; of the function NAME only, if given.

    \b
    emberd traces
    emberd traces hello --status error --since 1h
    emberd traces --start-level fresh --slower-than 100ms --output json
    """
    start_ns = since_ns(since, time.time_ns()) if since else 0
    request = pb.ListTracesRequest(
        function_name=name,
        start_time=timestamp(start_ns) if start_ns else None,
        min_duration=_duration(slower_than) if slower_than else None,
        status=STATUSES[status] if status else pb.INVOCATION_STATUS_UNSPECIFIED,
        start_level=start_level or "",
        max_traces=most,
    )
    response: pb.ListTracesResponse = client.call(client.telemetry.ListTraces, request)
    answer: Json = {"Traces": [summary_shape(each) for each in response.traces]}
    output.show(answer, rows="Traces", columns=COLUMNS)


def duration_ns(text: str) -> int:
    """Read --slower-than: a number with its unit.

    Raises:
        BadParameterError: it is none.
    """
    match = re.fullmatch(r"(\d{1,9}(?:\.\d{1,9})?)(us|ms|s|m)", text)
    if match is None:
        raise BadParameterError(f"--slower-than {text!r} is no duration: write 5ms, 1.5s, 2m")
    return round(float(match[1]) * NS_PER[match[2]])


def _duration(text: str) -> Duration:
    duration = Duration()
    duration.FromNanoseconds(duration_ns(text))
    return duration


def summary_shape(found: pb.TraceSummary) -> dict[str, Json]:
    """One invocation in the shape of --output json."""
    duration = nanoseconds(found.end_time) - nanoseconds(found.start_time)
    return {
        "TraceId": found.trace_id,
        "RequestId": found.request_id,
        "FunctionName": found.function_name,
        "Version": found.version,
        "StartTime": found.start_time.ToJsonString(),
        "DurationMs": round(duration / NS_PER_MS, 3),
        "StartLevel": found.start_level or None,
        "ErrorType": found.error_type or None,
    }
