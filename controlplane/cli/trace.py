"""emberd trace: where an invocation spent its time."""

from __future__ import annotations

import re
import shutil
import sys

import click

from controlplane.cli.client import Client, with_client
from controlplane.cli.exits import BadParameterError
from controlplane.cli.output import FORMATS, Json, Output
from controlplane.cli.printable import printable
from controlplane.cli.waterfall import Part, Row, milliseconds, waterfall
from emberd.telemetry.v1 import telemetry_pb2 as pb
from emberd.wire.times import nanoseconds

NS_PER_MS = 1_000_000
WIDTH_OFF_TERMINAL = 100
BAR_SHARE = 0.45
"""Of the width."""

COLOURS = {
    "": "default",
    "front": "blue",
    "schedule": "blue",
    "attempt": "red",
    "dispatch": "blue",
    "response": "blue",
    "queue": "magenta",
    "artifact": "magenta",
    "sandbox": "yellow",
    "restore": "yellow",
    "init": "green",
    "invoke": "cyan",
}
"""By phase, on a terminal that shows colours: NO_COLOR is honoured."""

_TRACE_ID = re.compile(r"(?:Root=)?(?:1-)?([0-9a-f]{8})-?([0-9a-f]{24})")
_REQUEST_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@click.command("trace")
@click.argument("key", metavar="ID")
@click.option(
    "--output",
    "form",
    type=click.Choice(FORMATS),
    default="table",
    envvar="EMBERD_OUTPUT",
    show_default=True,
    help="A picture for people, or the spans.",
)
@click.option("--query", metavar="JMESPATH", help="Print only this part of the answer.")
@with_client
def command(client: Client, *, key: str, form: str, query: str | None) -> None:
    """Show the trace of an invocation; ID is its request id or a trace id.

    \b
    emberd trace 8e2a6a4e-8f5b-4d5c-9a55-6a7f5d6a1f00
    emberd trace 5759e988bd862e3fe1be46a994272793 --output json
    """
    trace = client.call(client.telemetry.GetTrace, request_for(key))
    if form == "table" and query is None:
        _draw(trace)
        return
    columns = ("Name", "StartTime", "DurationMs", "SpanId", "ParentSpanId", "Error")
    Output(form, query).show(as_json(trace), rows="Spans", columns=columns)


def request_for(key: str) -> pb.GetTraceRequest:
    """Tell a request id from a trace id, in OpenTelemetry's form or X-Ray's.

    Raises:
        BadParameterError: it is neither.
    """
    key = key.strip().lower().replace("root=", "Root=")
    if _REQUEST_ID.fullmatch(key):
        return pb.GetTraceRequest(request_id=key)
    trace_id = _TRACE_ID.fullmatch(key)
    if trace_id:
        return pb.GetTraceRequest(trace_id=trace_id[1] + trace_id[2])
    raise BadParameterError(
        f"{key!r} names no trace: give the request id that invoke and logs show, "
        "or a trace id of 32 hexadecimal digits"
    )


def as_json(trace: pb.GetTraceResponse) -> Json:
    """The trace in the shape of --output json."""
    return {
        "TraceId": trace.trace_id,
        "Spans": [
            {
                "SpanId": span.span_id,
                "ParentSpanId": span.parent_span_id or None,
                "Name": span.name,
                "StartTime": span.start_time.ToJsonString(),
                "EndTime": span.end_time.ToJsonString(),
                "DurationMs": (nanoseconds(span.end_time) - nanoseconds(span.start_time))
                / NS_PER_MS,
                "Attributes": dict(sorted(span.attributes.items())),
                "Error": span.error,
                "ErrorMessage": span.error_message or None,
                "FunctionName": span.function_name or None,
                "Events": [
                    {
                        "Name": each.name,
                        "Time": each.time.ToJsonString(),
                        "Attributes": dict(sorted(each.attributes.items())),
                    }
                    for each in span.events
                ],
                "Links": [
                    {"TraceId": each.trace_id, "SpanId": each.span_id} for each in span.links
                ],
            }
            for span in trace.spans
        ],
    }


def heading(trace: pb.GetTraceResponse) -> list[str]:
    """One line for the trace, and one for each invocation in it."""
    lines = [f"trace {printable(trace.trace_id)}"]
    for span in trace.spans:
        request_id = span.attributes.get("faas.invocation_id")
        if request_id is None or span.function_name:
            continue
        took = milliseconds(nanoseconds(span.end_time) - nanoseconds(span.start_time))
        level = span.attributes.get("emberd.start_level", "did not run")
        failed = f", failed: {span.attributes.get('error.type', 'unknown')}" if span.error else ""
        version = span.attributes.get("faas.version", "")
        lines.append(printable(f"{span.name}:{version}  {request_id}  {took}, {level}{failed}"))
    return lines


def _draw(trace: pb.GetTraceResponse) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    terminal = sys.stdout.isatty()
    width = shutil.get_terminal_size().columns if terminal else WIDTH_OFF_TERMINAL
    console = Console(file=sys.stdout, width=width, highlight=False, markup=False, emoji=False)
    for line in heading(trace):
        console.print(Text(line), soft_wrap=True)
    table = Table(box=None, pad_edge=False, show_edge=False, header_style="dim")
    table.add_column("span", no_wrap=True, overflow="ellipsis")
    table.add_column("start", justify="right", no_wrap=True)
    table.add_column("duration", justify="right", no_wrap=True)
    table.add_column("", no_wrap=True, overflow="crop")
    for row in _rows(trace, max(10, int(width * BAR_SHARE))):
        style = "red" if row.error else COLOURS[row.phase]
        name = Text(row.name, style=style)
        table.add_row(name, row.offset, row.duration, Text(row.bar, style=style))
    console.print(table)


def _rows(trace: pb.GetTraceResponse, width: int) -> list[Row]:
    parts = [
        Part(
            span_id=span.span_id,
            parent_span_id=span.parent_span_id,
            name=printable(span.name),
            start_ns=nanoseconds(span.start_time),
            end_ns=nanoseconds(span.end_time),
            error=span.error,
        )
        for span in trace.spans
    ]
    return waterfall(parts, width)
