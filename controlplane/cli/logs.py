"""emberd logs: what is kept of a function's log and, with -f, what comes."""

from __future__ import annotations

import base64
import json
import os
import re
import sys
import time
from collections.abc import Callable
from datetime import datetime

import click

from controlplane.cli.client import Client, with_client
from controlplane.cli.exits import BadParameterError
from controlplane.cli.printable import printable
from controlplane.cli.terminal import complain
from controlplane.model.log_levels import Level, is_platforms, level_of
from emberd.telemetry.v1 import telemetry_pb2 as pb
from emberd.wire.times import NS_PER_S, timestamp

READ_S = 60.0
"""Deadline of a read that does not follow."""

LINES_MAX = 10_000
SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
REQUEST_DIGITS_SHOWN = 8

Show = Callable[[pb.LogLine], bytes]


@click.command("logs")
@click.argument("name", required=False, default="")
@click.option("--audit", is_flag=True, help="Who called what, instead of a function's log.")
@click.option("-f", "--follow", is_flag=True, help="Go on with new lines until interrupted.")
@click.option("--since", metavar="TIME", help="Only lines since 30s, 10m, 2h, 1d or an ISO time.")
@click.option("--request-id", default="", metavar="ID", help="Only this invocation's lines.")
@click.option(
    "--filter", "pattern", default="", metavar="PATTERN", help="Only lines that match, see below."
)
@click.option(
    "--level",
    type=click.Choice([each.name for each in Level], case_sensitive=False),
    help="Only lines of this level or above; one that states none counts as INFO.",
)
@click.option(
    "-n", "--lines", type=click.IntRange(1, LINES_MAX), default=LINES_MAX, help="The newest N only."
)
@click.option(
    "--format",
    "form",
    type=click.Choice(("text", "raw", "json")),
    default="text",
    show_default=True,
    help="For people, as the function wrote it, or one JSON object per line.",
)
@with_client
def command(
    client: Client,
    *,
    name: str,
    audit: bool,
    follow: bool,
    since: str | None,
    request_id: str,
    pattern: str,
    level: str | None,
    lines: int,
    form: str,
) -> None:
    """Show the log of the function NAME, or the audit log.

    \b
    emberd logs hello
    emberd logs hello -f --since 10m
    emberd logs hello --request-id 8e2a6a4e-8f5b-4d5c-9a55-6a7f5d6a1f00 --format json
    emberd logs hello --filter '"not found" -retried'
    emberd logs hello --filter '{ $.latency > 100 }'
    emberd logs hello --level warn --since 1h
    emberd logs --audit --filter '{ $.errorCode = "ACCESS_DENIED" }'

    Patterns are those of CloudWatch Logs: terms, "phrases", -without, ?any ?of, { JSON }.
    """
    if audit == bool(name):
        raise BadParameterError("name a function, or ask for --audit, one of the two")
    start_ns = since_ns(since, time.time_ns()) if since else 0
    request = pb.ReadLogsRequest(
        function_name=name,
        follow=follow,
        start_time=timestamp(start_ns) if start_ns else None,
        request_id=request_id,
        max_lines=lines,
        filter_pattern=pattern,
        min_level=level or "",
        audit=audit,
    )
    shown = _stream(client, request, _shower(form))
    if follow:
        complain("the log goes on, but emberd stopped sending it: it is stopping or restarting")
    elif not shown:
        complain(f"no log line of {name or 'the audit log'} matches{_window(start_ns, request_id)}")


def since_ns(text: str, now_ns: int) -> int:
    """Read --since: so long ago, or an ISO time (local where it names no zone).

    Raises:
        BadParameterError: it is neither.
    """
    ago = re.fullmatch(r"(\d{1,9})([smhdw])", text)
    if ago:
        return max(1, now_ns - int(ago[1]) * SECONDS[ago[2]] * NS_PER_S)
    try:
        return max(1, int(datetime.fromisoformat(text).timestamp()) * NS_PER_S)
    except (ValueError, OverflowError) as error:
        raise BadParameterError(
            f"--since {text!r} is no time: write 30s, 10m, 2h, 1d, or 2026-01-31T12:00:00Z"
        ) from error


def text(line: pb.LogLine, *, colour: bool) -> bytes:
    """Time, request and text; the carriage returns of a traceback become lines."""
    moment = datetime.fromtimestamp(line.time.seconds).astimezone()
    stamp = f"{moment:%Y-%m-%d %H:%M:%S}.{line.time.nanos // 1_000_000:03d}"
    head = f"{stamp} {printable(line.request_id)[:REQUEST_DIGITS_SHOWN]:8}"
    rows = [printable(row) for row in line.message.rstrip(b"\t\r").split(b"\r")]
    indent = "\n" + " " * (len(head) + 1)
    if colour:
        rows = [_painted(row, line.message) for row in rows]
        head = click.style(head, dim=True)
    return f"{head} {indent.join(rows)}\n".encode()


def raw(line: pb.LogLine, *, terminal: bool) -> bytes:
    """As the function wrote it, except that a terminal never gets a control character."""
    return (printable(line.message).encode() if terminal else line.message) + b"\n"


def as_json(line: pb.LogLine) -> bytes:
    """One object on one line of ASCII; a message that is no UTF-8 is there in base64 too."""
    level = level_of(line.message)
    fields = {
        "time": line.time.ToJsonString(),
        "requestId": line.request_id,
        "version": line.version,
        "logStream": line.log_stream,
        "level": level.name if level else None,
        "traceId": line.trace_id or None,
        "spanId": line.span_id or None,
        "message": line.message.decode("utf-8", "replace"),
    }
    try:
        line.message.decode()
    except UnicodeDecodeError:
        fields["messageBase64"] = base64.b64encode(line.message).decode("ascii")
    return json.dumps(fields, separators=(",", ":")).encode() + b"\n"


def _stream(client: Client, request: pb.ReadLogsRequest, show: Show) -> int:
    """Write lines as they come; return how many came."""
    count = 0
    timeout_s = None if request.follow else READ_S
    responses = client.telemetry.ReadLogs(request, metadata=client.metadata, timeout=timeout_s)
    for response in responses:
        if response.lines_lost:
            complain(f"{response.lines_lost} lines are lost here: they came faster than they left")
        count += len(response.lines)
        sys.stdout.buffer.write(b"".join(map(show, response.lines)))
        sys.stdout.buffer.flush()
    return count


def _shower(form: str) -> Show:
    terminal = sys.stdout.isatty()
    colour = terminal and not os.environ.get("NO_COLOR")
    match form:
        case "json":
            return as_json
        case "raw":
            return lambda line: raw(line, terminal=terminal)
        case _:
            return lambda line: text(line, colour=colour)


def _painted(row: str, message: bytes) -> str:
    if is_platforms(message):
        return click.style(row, dim=True)
    level = level_of(message) or Level.INFO
    if level >= Level.ERROR:
        return click.style(row, fg="red")
    return click.style(row, fg="yellow") if level is Level.WARN else row


def _window(start_ns: int, request_id: str) -> str:
    of_request = f" request {request_id}" if request_id else ""
    if not start_ns:
        return f"{of_request or ' anything'}, in all that is kept"
    start = datetime.fromtimestamp(start_ns // NS_PER_S).astimezone()
    return f"{of_request or ' anything'}, from {start:%Y-%m-%d %H:%M:%S %Z} until now"
