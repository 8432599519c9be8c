"""emberd hosts: who runs functions, and with how much room."""

from __future__ import annotations

import click

from controlplane.cli.client import Client, with_client
from controlplane.cli.output import Output, with_output
from controlplane.cli.shapes import HOST_COLUMNS, host_shape
from emberd.fleet.v1 import fleet_pb2 as pb


@click.command(name="hosts")
@with_client
@with_output
def command(output: Output, client: Client) -> None:
    """Show the hosts that run functions.

    \b
    Examples:
      emberd hosts
      emberd hosts --query 'Hosts[].Runtimes[]' --output text
    """
    hosts = [host_shape(each) for each in list_hosts(client)]
    output.show({"Hosts": hosts}, rows="Hosts", columns=HOST_COLUMNS)


def list_hosts(client: Client) -> list[pb.Host]:
    """Every attached host."""
    response: pb.ListHostsResponse = client.call(client.hosts.ListHosts, pb.ListHostsRequest())
    return list(response.hosts)
