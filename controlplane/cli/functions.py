"""emberd functions: list functions, or show one with its versions."""

from __future__ import annotations

import click

from controlplane.cli.client import Client, with_client
from controlplane.cli.exits import BadParameterError
from controlplane.cli.output import Output, with_output
from controlplane.cli.shapes import FUNCTION_COLUMNS, function_shape
from emberd.functions.v1 import functions_pb2 as pb


@click.command(name="functions")
@click.argument("name", required=False, metavar="[NAME[:QUALIFIER]]")
@click.option("--versions", is_flag=True, help="List the versions of NAME.")
@with_client
@with_output
def command(output: Output, client: Client, name: str | None, *, versions: bool) -> None:
    """List functions, or show one.

    \b
    Examples:
      emberd functions
      emberd functions hello --output json
      emberd functions hello --versions --query 'Versions[].Version' --output text
    """
    if versions and name is None:
        raise BadParameterError("--versions needs the function's name")
    if name is None:
        found = [function_shape(each) for each in list_functions(client)]
        output.show({"Functions": found}, rows="Functions", columns=FUNCTION_COLUMNS)
    elif versions:
        found = [function_shape(each) for each in list_versions(client, name)]
        output.show({"Versions": found}, rows="Versions", columns=FUNCTION_COLUMNS)
    else:
        request = pb.GetFunctionRequest(function_name=name)
        response: pb.GetFunctionResponse = client.call(client.functions.GetFunction, request)
        output.show(function_shape(response.configuration))


def list_functions(client: Client) -> list[pb.FunctionConfiguration]:
    """Every function, page by page."""
    found: list[pb.FunctionConfiguration] = []
    marker = ""
    while True:
        page: pb.ListFunctionsResponse = client.call(
            client.functions.ListFunctions, pb.ListFunctionsRequest(marker=marker)
        )
        found.extend(page.functions)
        marker = page.next_marker
        if not marker:
            return found


def list_versions(client: Client, name: str) -> list[pb.FunctionConfiguration]:
    """$LATEST and every version of a function, page by page."""
    found: list[pb.FunctionConfiguration] = []
    marker = ""
    while True:
        page: pb.ListVersionsByFunctionResponse = client.call(
            client.functions.ListVersionsByFunction,
            pb.ListVersionsByFunctionRequest(function_name=name, marker=marker),
        )
        found.extend(page.versions)
        marker = page.next_marker
        if not marker:
            return found
