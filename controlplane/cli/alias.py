"""emberd alias: name versions, and share the traffic between two of them."""

from __future__ import annotations

import click

from controlplane.cli.client import Client, with_client
from controlplane.cli.exits import BadParameterError
from controlplane.cli.output import Output, with_output
from controlplane.cli.shapes import ALIAS_COLUMNS, alias_shape
from controlplane.cli.terminal import complain
from emberd.functions.v1 import functions_pb2 as pb

WEIGHT_HELP = "Share of one more version, 0.0 to 1.0; an empty one removes it."


@click.group(name="alias")
def command() -> None:
    """Name versions and share traffic between two.

    \b
    Examples:
      emberd alias create hello live --version 1
      emberd alias update hello live --weight 2=0.1
      emberd invoke hello:live
    """


@command.command(name="create")
@click.argument("function")
@click.argument("name", metavar="ALIAS")
@click.option("--version", required=True, help="The version it stands for.")
@click.option("--weight", metavar="VERSION=SHARE", help="Share of one more version, 0.0 to 1.0.")
@click.option("--description", default="")
@with_client
@with_output
def create(
    output: Output,
    client: Client,
    function: str,
    name: str,
    version: str,
    weight: str | None,
    description: str,
) -> None:
    """Give a version a name."""
    request = pb.CreateAliasRequest(
        function_name=function,
        name=name,
        function_version=version,
        description=description,
        routing_config=routing(weight),
    )
    response: pb.CreateAliasResponse = client.call(client.functions.CreateAlias, request)
    output.show(alias_shape(response.alias))


@command.command(name="update")
@click.argument("function")
@click.argument("name", metavar="ALIAS")
@click.option("--version", help="Let it stand for another version.")
@click.option("--weight", metavar="VERSION=SHARE", help=WEIGHT_HELP)
@click.option("--description")
@click.option("--revision-id", default="", help="Change it only if this is its revision.")
@with_client
@with_output
def update(
    output: Output,
    client: Client,
    function: str,
    name: str,
    version: str | None,
    weight: str | None,
    description: str | None,
    revision_id: str,
) -> None:
    """Change an alias; what is not named stays as it is."""
    request = pb.UpdateAliasRequest(
        function_name=function,
        name=name,
        function_version=version,
        description=description,
        routing_config=routing(weight),
        revision_id=revision_id,
    )
    response: pb.UpdateAliasResponse = client.call(client.functions.UpdateAlias, request)
    output.show(alias_shape(response.alias))


@command.command(name="get")
@click.argument("function")
@click.argument("name", metavar="ALIAS")
@with_client
@with_output
def get(output: Output, client: Client, function: str, name: str) -> None:
    """Show an alias."""
    request = pb.GetAliasRequest(function_name=function, name=name)
    response: pb.GetAliasResponse = client.call(client.functions.GetAlias, request)
    output.show(alias_shape(response.alias))


@command.command(name="list")
@click.argument("function")
@click.option("--version", default="", help="Only aliases of this version.")
@with_client
@with_output
def list_(output: Output, client: Client, function: str, version: str) -> None:
    """List the aliases of a function."""
    found: list[pb.AliasConfiguration] = []
    marker = ""
    while True:
        page: pb.ListAliasesResponse = client.call(
            client.functions.ListAliases,
            pb.ListAliasesRequest(function_name=function, function_version=version, marker=marker),
        )
        found.extend(page.aliases)
        marker = page.next_marker
        if not marker:
            break
    shapes = [alias_shape(each) for each in found]
    output.show({"Aliases": shapes}, rows="Aliases", columns=ALIAS_COLUMNS)


@command.command(name="delete")
@click.argument("function")
@click.argument("name", metavar="ALIAS")
@with_client
def delete(client: Client, function: str, name: str) -> None:
    """Delete an alias; the version stays."""
    client.call(
        client.functions.DeleteAlias, pb.DeleteAliasRequest(function_name=function, name=name)
    )
    complain(f"deleted alias {name} of {function}")


def routing(weight: str | None) -> pb.RoutingConfiguration | None:
    """VERSION=SHARE as a message; None when nothing was given, an empty one to remove weights."""
    if weight is None:
        return None
    if not weight:
        return pb.RoutingConfiguration()
    version, _, share = weight.partition("=")
    try:
        return pb.RoutingConfiguration(additional_version_weights={version: float(share)})
    except ValueError as error:
        raise BadParameterError(
            f"--weight {weight!r} is no share: write VERSION=SHARE, for example 2=0.1"
        ) from error
