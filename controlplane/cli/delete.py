"""emberd delete: remove a function with all its versions, or one version."""

from __future__ import annotations

import click

from controlplane.cli.client import Client, with_client
from controlplane.cli.terminal import complain
from emberd.functions.v1 import functions_pb2 as pb


@click.command(name="delete")
@click.argument("name", metavar="NAME[:VERSION]")
@click.option("--qualifier", default="", help="A version's number, instead of writing it in NAME.")
@with_client
def command(client: Client, name: str, qualifier: str) -> None:
    """Delete a function with all its versions and aliases, or one version.

    \b
    Examples:
      emberd delete hello
      emberd delete hello:3
    """
    request = pb.DeleteFunctionRequest(function_name=name, qualifier=qualifier)
    client.call(client.functions.DeleteFunction, request)
    complain(f"deleted {name}{':' if qualifier else ''}{qualifier}")
