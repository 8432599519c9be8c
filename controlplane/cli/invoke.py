"""emberd invoke: run a function; stdout gets its answer and nothing else."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from controlplane.cli.client import Client, with_client
from controlplane.cli.exits import FUNCTION_FAILED, BadParameterError, FailedError
from controlplane.cli.terminal import complain
from emberd.invocation.v1 import invocation_pb2 as pb
from emberd.wire import PAYLOAD_BYTES_MAX
from emberd.wire.errors import InvalidArgumentError

DEADLINE_S = 960.0
"""Longest function (900 s) with the longest start; the service ends an invocation before this."""

TYPES = {
    "RequestResponse": pb.INVOCATION_TYPE_REQUEST_RESPONSE,
    "DryRun": pb.INVOCATION_TYPE_DRY_RUN,
}


@click.command(name="invoke")
@click.argument("name", metavar="NAME[:QUALIFIER]")
@click.option(
    "--payload", "-p", default="", metavar="JSON|@FILE|-", help="The event. [default: {}]"
)
@click.option(
    "--qualifier", default="", help="A version or an alias, instead of writing it in NAME."
)
@click.option("--log", is_flag=True, help="Show the last 4 KB of its log on stderr.")
@click.option("--info", is_flag=True, help="Show request id, trace id, times on stderr, as JSON.")
@click.option("--stream", is_flag=True, help="Print the answer while the function writes it.")
@click.option("--client-context", default="", metavar="JSON", help="For context.client_context.")
@click.option(
    "--type",
    "kind",
    type=click.Choice(list(TYPES)),
    default="RequestResponse",
    show_default=True,
    help="DryRun checks parameters only.",
)
@with_client
def command(
    client: Client,
    *,
    name: str,
    payload: str,
    qualifier: str,
    log: bool,
    info: bool,
    stream: bool,
    client_context: str,
    kind: str,
) -> None:
    """Run a function and print its answer.

    The answer alone goes to stdout, byte for byte. When the function itself fails its error goes
    there, and the exit code is 1. With --stream an error after the first byte goes to stderr, and
    leaving early (Ctrl-C) does not stop the function.

    \b
    Examples:
      emberd invoke hello --payload '{"name": "Ada"}'
      emberd invoke ticker --stream
      emberd invoke thumbnail:live --payload @event.json --log
      cat event.json | emberd invoke thumbnail --payload - > answer.json
    """
    request = pb.InvokeRequest(
        function_name=name,
        qualifier=qualifier,
        payload=read_payload(payload),
        invocation_type=TYPES[kind],
        log_type=pb.LOG_TYPE_TAIL if log else pb.LOG_TYPE_NONE,
        client_context=client_context,
    )
    response = _streamed(client, request) if stream else _whole(client, request)
    _tell(response, log=log, info=info)
    if response.function_error:
        complain(f"the function failed: {response.function_error}, request {response.request_id}")
        raise click.exceptions.Exit(FUNCTION_FAILED)


def _whole(client: Client, request: pb.InvokeRequest) -> pb.InvokeResponse:
    """Run a function and print its answer once it is whole."""
    response: pb.InvokeResponse = client.call(client.invocations.Invoke, request, DEADLINE_S)
    _write(response.payload)
    return response


def _streamed(client: Client, request: pb.InvokeRequest) -> pb.InvokeResponse:
    """Run a function and print its answer as it comes."""
    written = False
    responses = client.invocations.InvokeStream(
        pb.InvokeStreamRequest(request=request), metadata=client.metadata, timeout=DEADLINE_S
    )
    response: pb.InvokeStreamResponse
    for response in responses:
        if response.WhichOneof("event") == "complete":
            if written and response.complete.function_error:
                complain(response.complete.payload.decode("utf-8", "backslashreplace"), prefix="")
            else:
                _write(response.complete.payload)
            return response.complete
        written = True
        sys.stdout.buffer.write(response.payload_chunk)
        sys.stdout.buffer.flush()
    raise FailedError(f"emberd at {client.address} ended the answer before it was complete")


def read_payload(text: str) -> bytes:
    """The event's bytes as given; whether they are JSON is for the service to say.

    Raises:
        BadParameterError: the file cannot be read.
        InvalidArgumentError: more than a synchronous invocation takes.
    """
    if text == "-":
        payload = sys.stdin.buffer.read(PAYLOAD_BYTES_MAX + 1)
    elif text.startswith("@"):
        payload = _read_file(Path(text[1:]))
    else:
        payload = text.encode("utf-8", "surrogateescape")
    if len(payload) > PAYLOAD_BYTES_MAX:
        raise InvalidArgumentError(
            f"Request must be smaller than {PAYLOAD_BYTES_MAX} bytes for the InvokeFunction "
            "operation",
            reason="REQUEST_TOO_LARGE",
        )
    return payload


def _read_file(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(PAYLOAD_BYTES_MAX + 1)
    except OSError as error:
        raise BadParameterError(f"--payload @{path} cannot be read: {error.strerror}") from error


def _write(answer: bytes) -> None:
    out = sys.stdout.buffer
    out.write(answer)
    if answer and sys.stdout.isatty():
        out.write(b"\n")
    out.flush()


def _tell(complete: pb.InvokeResponse, *, log: bool, info: bool) -> None:
    if log:
        complain(complete.log_tail.decode("utf-8", "backslashreplace").rstrip("\n"), prefix="")
    if info:
        complain(json.dumps(_information(complete)), prefix="")


def _information(complete: pb.InvokeResponse) -> dict[str, str | int | float]:
    start_level = pb.StartLevel.Name(complete.start_level).removeprefix("START_LEVEL_")
    return {
        "StatusCode": complete.status_code,
        "RequestId": complete.request_id,
        "TraceId": complete.trace_id,
        "ExecutedVersion": complete.executed_version,
        "FunctionError": complete.function_error,
        "StartLevel": start_level.lower(),
        "DurationMs": complete.duration.ToMicroseconds() / 1000,
        "BilledDurationMs": complete.billed_duration.ToMilliseconds(),
        "InitDurationMs": complete.init_duration.ToMicroseconds() / 1000,
        "RestoreDurationMs": complete.restore_duration.ToMicroseconds() / 1000,
        "MaxMemoryUsedMB": complete.max_memory_used_mb,
    }
