"""emberd keys: access keys for AWS's tools, of the account itself or of users with a policy."""

from __future__ import annotations

from typing import TextIO

import click

from controlplane.cli.client import Client, with_client
from controlplane.cli.output import Output, with_output
from controlplane.cli.shapes import KEY_COLUMNS, key_shape
from controlplane.cli.terminal import complain
from emberd.identity.v1 import identity_pb2 as pb


@click.group(name="keys")
def command() -> None:
    """Make access keys for AWS's tools.

    The root key that `emberd env` prints is not among them: it lies in the data folder.

    \b
    Examples:
      emberd keys create --user ci --policy ci-policy.json
      emberd keys list
      emberd keys delete AKIAQ...
    """


@command.command(name="create")
@click.option("--user", default="", metavar="NAME", help="Whose key it is; needs --policy.")
@click.option(
    "--policy", type=click.File(), metavar="FILE", help="What the user may do: an IAM policy."
)
@with_client
@with_output
def create(output: Output, client: Client, user: str, policy: TextIO | None) -> None:
    """Make a key and show its secret, this once.

    Without --user it is a key of the account itself, which may do everything.
    """
    request = pb.CreateAccessKeyRequest(
        user_name=user, policy_document="" if policy is None else policy.read()
    )
    made: pb.CreateAccessKeyResponse = client.call(client.identity.CreateAccessKey, request)
    shape = {**key_shape(made.access_key), "SecretAccessKey": made.secret_access_key}
    output.show({"AccessKey": shape}, rows="AccessKey")
    complain("keep the secret now: it is shown nowhere again")


@command.command(name="list")
@with_client
@with_output
def list_keys(output: Output, client: Client) -> None:
    """List the keys, oldest first."""
    found: pb.ListAccessKeysResponse = client.call(
        client.identity.ListAccessKeys, pb.ListAccessKeysRequest()
    )
    keys = [key_shape(each) for each in found.access_keys]
    output.show({"AccessKeys": keys}, rows="AccessKeys", columns=KEY_COLUMNS)


@command.command(name="delete")
@click.argument("key_id", metavar="ACCESS_KEY_ID")
@with_client
def delete(client: Client, key_id: str) -> None:
    """Delete a key: what is signed with it is refused from then on."""
    client.call(client.identity.DeleteAccessKey, pb.DeleteAccessKeyRequest(access_key_id=key_id))
