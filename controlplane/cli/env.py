"""emberd env: the variables that our clients and AWS's tools read."""

from __future__ import annotations

import base64
import hashlib
import hmac
import shlex
import sys
from pathlib import Path

import click

from controlplane.cli.exits import NotConfiguredError
from controlplane.cli.output import json_text
from controlplane.cli.terminal import complain
from controlplane.config import DataFolder, Endpoint, default_data_folder


@click.command(name="env")
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    envvar="EMBERD_DATA",
    default=default_data_folder,
    show_default="/var/lib/emberd for root",
    help="Data folder of a running emberd.",
)
@click.option("--output", type=click.Choice(("shell", "json")), default="shell", show_default=True)
def command(data: Path, output: str) -> None:
    """Print the variables that clients and AWS tools read.

    \b
    Example:
      eval "$(emberd env --data ./data)"
      emberd functions
    """
    folder = DataFolder(data)
    try:
        variables = exports(folder.read_endpoint(), folder.token.read_text().strip())
    except FileNotFoundError as error:
        raise NotConfiguredError(
            f"no emberd runs on {data}: start it with `emberd serve --data {data}`"
        ) from error
    except PermissionError as error:
        raise NotConfiguredError(
            f"{error.filename} is not readable: its owner started emberd; run this as that user"
        ) from error
    except ValueError as error:
        raise NotConfiguredError(str(error)) from error
    if output == "json":
        sys.stdout.write(json_text(variables) + "\n")
        return
    lines = [f"export {name}={shlex.quote(value)}" for name, value in variables.items()]
    sys.stdout.write("\n".join(lines) + "\n")
    # Not on stdout: an unquoted eval would make everything after it a comment.
    complain(
        "# the AWS key pair only stands in: it is made from the token until keys exist", prefix=""
    )


def exports(endpoint: Endpoint, token: str) -> dict[str, str]:
    """Names and values for one running emberd."""
    key_id, secret = stand_in_keys(token)
    return {
        "EMBERD_ENDPOINT": endpoint.grpc,
        "EMBERD_TOKEN": token,
        "AWS_ENDPOINT_URL_LAMBDA": f"http://{endpoint.http}",
        "AWS_REGION": endpoint.region,
        "AWS_DEFAULT_REGION": endpoint.region,
        "AWS_ACCESS_KEY_ID": key_id,
        "AWS_SECRET_ACCESS_KEY": secret,
    }


def stand_in_keys(token: str) -> tuple[str, str]:
    """A key pair of the form AWS tools insist on, the same for the same token."""

    def derived(purpose: str) -> bytes:
        return hmac.new(token.encode(), purpose.encode(), hashlib.sha256).digest()

    key_id = "AKIA" + base64.b32encode(derived("aws access key id"))[:16].decode()
    return key_id, base64.b64encode(derived("aws secret access key"))[:40].decode()
