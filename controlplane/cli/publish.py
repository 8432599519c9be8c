"""emberd publish: freeze $LATEST under the next number."""

from __future__ import annotations

import click

from controlplane.cli.client import Client, with_client
from controlplane.cli.output import Output, with_output
from controlplane.cli.shapes import function_shape
from emberd.functions.v1 import functions_pb2 as pb


@click.command(name="publish")
@click.argument("name")
@click.option("--description", default="", help="The version's own description.")
@click.option("--code-sha256", default="", help="Publish only if $LATEST has this code.")
@click.option("--revision-id", default="", help="Publish only if this is the current revision.")
@with_client
@with_output
def command(
    output: Output,
    client: Client,
    name: str,
    description: str,
    code_sha256: str,
    revision_id: str,
) -> None:
    """Freeze $LATEST as a version.

    When neither code nor configuration changed since the last version, that one is shown and no
    new one is made, as on Lambda.

    \b
    Example:
      emberd publish hello --query Version --output text
    """
    request = pb.PublishVersionRequest(
        function_name=name,
        description=description,
        code_sha256=code_sha256,
        revision_id=revision_id,
    )
    response: pb.PublishVersionResponse = client.call(client.functions.PublishVersion, request)
    output.show(function_shape(response.configuration))
